#include "transport/channel/acceptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <asio/ip/address.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/transport/channel/raw_peer.h"
#include "transport/channel/listen_host.h"

namespace mallard::transport {
namespace {

struct Owner {
  explicit Owner(asio::io_context& io) : acceptor(io) {}
  Acceptor acceptor;
};

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
    ASSERT_EQ(acceptor_.open(listen_host(host), 0, 16), std::error_code());
  }

  asio::io_context io_;
  Acceptor acceptor_{io_};
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
  Acceptor other(io_);
  const std::uint16_t port = acceptor_.local_endpoint().port();
  EXPECT_TRUE(other.open(std::string(every_address), port, 16)) << "not even one family of it";
  EXPECT_TRUE(other.open("0.0.0.0", port, 16));
  EXPECT_TRUE(other.open("not an address", 0, 16));
  EXPECT_FALSE(other.open("127.0.0.1", 0, 16)) << "after an error it can be tried again";
}

TEST_F(AcceptorTest, hands_over_who_comes_until_it_is_stopped) {
  auto owner = std::make_shared<Owner>(io_);
  const std::weak_ptr<Owner> watched = owner;
  ASSERT_FALSE(owner->acceptor.open("127.0.0.1", 0, 16));
  const std::uint16_t port = owner->acceptor.local_endpoint().port();
  std::vector<FileDescriptor> in;
  owner->acceptor.start(owner, [&](FileDescriptor socket, const asio::ip::tcp::endpoint& source) {
    EXPECT_EQ(source.address(), asio::ip::make_address("127.0.0.2"));
    in.push_back(std::move(socket));
  });
  std::vector<FileDescriptor> out;
  for (int i = 0; i < 3; ++i) {
    out.emplace_back(connect_to(port, INADDR_LOOPBACK + 1));
    ASSERT_TRUE(out.back().is_open());
  }
  while (in.size() < out.size()) {
    ASSERT_NE(io_.run_one_for(std::chrono::seconds(10)), 0U);
  }
  EXPECT_NE(::fcntl(in[0].number(), F_GETFL) & O_NONBLOCK, 0);
  owner->acceptor.stop();
  EXPECT_EQ(connect_to(port), -1);
  owner.reset();
  EXPECT_FALSE(watched.expired()) << "there was a wait under way";
  io_.run();
  EXPECT_TRUE(watched.expired());
}

TEST(NeighbourhoodOf, is_a_24th_of_ipv4_and_a_64th_of_ipv6) {
  const auto of = [](const char* address) { return neighbourhood_of(asio::ip::make_address(address)); };
  EXPECT_EQ(of("10.1.2.3"), of("10.1.2.200"));
  EXPECT_NE(of("10.1.2.3"), of("10.1.3.3"));
  EXPECT_EQ(of("::ffff:10.1.2.3"), of("10.1.2.3"));
  EXPECT_EQ(of("fd00:1:2:3::1"), of("fd00:1:2:3:ffff::"));
  EXPECT_NE(of("fd00:1:2:3::1"), of("fd00:1:2:4::1"));
}

}  // namespace
}  // namespace mallard::transport
