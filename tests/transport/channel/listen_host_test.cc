#include "transport/channel/listen_host.h"

#include <gtest/gtest.h>

namespace mallard::transport {
namespace {

TEST(ListenHost, is_of_the_family_that_others_dial) {
  EXPECT_EQ(listen_host("10.0.0.10"), "0.0.0.0");
  EXPECT_EQ(listen_host("fd00::a"), "::");
  EXPECT_EQ(listen_host("2001:db8::1"), "::");
  EXPECT_EQ(listen_host("::ffff:10.0.0.10"), "::");
}

TEST(ListenHost, takes_both_families_where_others_dial_a_name) {
  EXPECT_EQ(listen_host("east-0.example.net"), every_address);
  EXPECT_EQ(listen_host("localhost"), every_address);
}

TEST(ListenHost, stays_on_loopback) {
  EXPECT_EQ(listen_host("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(listen_host("::1"), "::1");
}

}  // namespace
}  // namespace mallard::transport
