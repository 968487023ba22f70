#include "cli/kv/kv_text.h"

#include <array>
#include <set>
#include <span>
#include <string>

#include <gtest/gtest.h>

namespace mallard::cli {
namespace {

std::string read(std::string_view bytes) { return readable(std::as_bytes(std::span(bytes))); }

TEST(KvText, text_stays_as_it_is) {
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("greeting"), "greeting");
  EXPECT_EQ(read("a\tb \\ c"), "a\tb \\ c");
  EXPECT_EQ(read("größer, 鴨"), "größer, 鴨");
}

TEST(KvText, a_counter_is_a_number) {
  EXPECT_EQ(read(std::string_view("\x03\0\0\0\0\0\0\0", 8)), "3");
  EXPECT_EQ(read(std::string_view("\0\1\0\0\0\0\0\0", 8)), "256");
}

TEST(KvText, other_bytes_keep_to_one_line) {
  EXPECT_EQ(read("two\nlines\\"), "two\\x0alines\\x5c");
  EXPECT_EQ(read(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
}

TEST(KvText, each_refusal_that_a_user_can_cause_says_its_own) {
  constexpr std::array of_users = {
      rsm::KvStatus::not_found,    rsm::KvStatus::guard_failed,       rsm::KvStatus::not_a_number,
      rsm::KvStatus::full,         rsm::KvStatus::too_large_for_link, rsm::KvStatus::malformed,
      rsm::KvStatus::session_gone, rsm::KvStatus::session_not_owned,  rsm::KvStatus::request_changed};
  std::set<std::string_view> said;
  for (const rsm::KvStatus status : of_users) {
    said.insert(explanation(status));
  }
  said.insert(explanation(rsm::KvStatus::not_next));
  EXPECT_EQ(said.size(), of_users.size() + 1);
}

}  // namespace
}  // namespace mallard::cli
