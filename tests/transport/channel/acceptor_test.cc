#include "transport/channel/acceptor.h"

#include <gtest/gtest.h>

#include <asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "transport/channel/listen_host.h"

namespace mallard::transport {
namespace {

class AcceptorTest : public testing::Test {
 protected:
  // What comes of a connection to that address of this machine: no error where somebody listens.
  std::error_code dial(const char* address) {
    std::error_code error;
    asio::ip::tcp::socket socket(io_);
    socket.connect({asio::ip::make_address(address), acceptor_.local_endpoint().port()}, error);
    return error;
  }
  bool machine_has_ipv6() {
    std::error_code error;
    asio::ip::tcp::acceptor probe(io_);
    probe.open(asio::ip::tcp::v6(), error);
    if (!error) probe.bind({asio::ip::address_v6::loopback(), 0}, error);
    return !error;
  }
  // Listens as a replica does that the others dial by `host`.
  void listen_as(std::string_view host) {
    ASSERT_EQ(listen_at(acceptor_, listen_host(host), 0, 16), std::error_code());
  }

  asio::io_context io_;
  Acceptor acceptor_{io_.get_executor()};
};

TEST_F(AcceptorTest, takes_what_is_dialed_by_an_ipv4_address) {
  listen_as("10.0.0.10");
  EXPECT_FALSE(dial("127.0.0.1"));
}

TEST_F(AcceptorTest, takes_what_is_dialed_by_an_ipv6_address) {
  if (!machine_has_ipv6()) GTEST_SKIP() << "this machine has no IPv6";
  listen_as("fd00::a");
  EXPECT_FALSE(dial("::1"));
  EXPECT_FALSE(dial("::ffff:127.0.0.1")) << "an IPv4 address in the form of the other family";
}

TEST_F(AcceptorTest, takes_both_families_where_a_name_is_dialed) {
  listen_as("east-0.example.net");
  EXPECT_FALSE(dial("127.0.0.1"));
  if (!machine_has_ipv6()) GTEST_SKIP() << "this machine has no IPv6";
  EXPECT_FALSE(dial("::1"));
}

TEST_F(AcceptorTest, loopback_is_not_left) {
  listen_as("127.0.0.1");
  EXPECT_EQ(acceptor_.local_endpoint().address(), asio::ip::address_v4::loopback());
}

TEST_F(AcceptorTest, a_taken_port_and_no_address_are_errors) {
  listen_as("a-name");
  Acceptor other(io_.get_executor());
  const std::uint16_t port = acceptor_.local_endpoint().port();
  EXPECT_TRUE(listen_at(other, std::string(every_address), port, 16)) << "not even one family of it";
  EXPECT_TRUE(listen_at(other, "0.0.0.0", port, 16));
  EXPECT_TRUE(listen_at(other, "not an address", 0, 16));
  EXPECT_FALSE(listen_at(other, "127.0.0.1", 0, 16)) << "after an error it can be tried again";
}

}  // namespace
}  // namespace mallard::transport
