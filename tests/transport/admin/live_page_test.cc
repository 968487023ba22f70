#include "transport/admin/live_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mallard::transport {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(LivePage, asks_nobody_else_and_never_puts_status_text_into_html) {
  const std::string page(live_page());
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("innerHTML")));
  EXPECT_THAT(page, HasSubstr("fetch(\"/status\""));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

}  // namespace
}  // namespace mallard::transport
