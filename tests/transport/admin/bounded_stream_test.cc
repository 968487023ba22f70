#include "transport/admin/bounded_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

namespace mallard::transport {
namespace {

constexpr Duration long_time = Duration::seconds(3600);
constexpr Duration short_time = Duration::milliseconds(20);

class BoundedStreamTest : public ::testing::Test {
 protected:
  BoundedStreamTest() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0); }
  ~BoundedStreamTest() override {
    ::close(ends[0]);
    ::close(ends[1]);
  }

  void arrive(const std::string& bytes) const {
    ASSERT_EQ(::send(ends[1], bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // A byte at a time, as the library reads lines.
  static std::string read_all(BoundedStream& stream, std::size_t most) {
    std::string all;
    for (char next = 0; all.size() < most && stream.read(&next, 1) == 1;) {
      all.push_back(next);
    }
    return all;
  }

  std::array<int, 2> ends{};
};

TEST_F(BoundedStreamTest, gives_what_arrives_in_any_pieces) {
  BoundedStream stream(ends[0], 100, long_time, long_time);
  arrive("one line\n");
  EXPECT_TRUE(stream.is_readable());
  EXPECT_EQ(read_all(stream, 4), "one ");
  std::array<char, 100> rest{};
  EXPECT_EQ(stream.read(rest.data(), rest.size()), 5);
  arrive("two");
  EXPECT_EQ(read_all(stream, 3), "two");
  ::shutdown(ends[1], SHUT_WR);
  EXPECT_EQ(stream.read(rest.data(), rest.size()), 0) << "the end";
}

TEST_F(BoundedStreamTest, gives_no_more_than_a_request_may_have) {
  BoundedStream stream(ends[0], 10'000, long_time, long_time);
  arrive(std::string(20'000, 'a'));
  EXPECT_EQ(read_all(stream, 20'000).size(), 10'000U);
  char next = 0;
  EXPECT_EQ(stream.read(&next, 1), -1);
}

TEST_F(BoundedStreamTest, reads_fail_when_the_time_of_the_request_is_over) {
  BoundedStream stream(ends[0], 100, short_time, long_time);
  char next = 0;
  EXPECT_EQ(stream.read(&next, 1), -1);
  arrive("late");
  EXPECT_EQ(stream.read(&next, 1), -1);
  EXPECT_FALSE(stream.is_readable());
  EXPECT_EQ(stream.write("answer", 6), 6) << "the answer has a time of its own";
}

TEST_F(BoundedStreamTest, writes_fail_when_nobody_has_taken_the_answer_in_time) {
  BoundedStream stream(ends[0], 100, long_time, short_time);
  EXPECT_TRUE(stream.is_writable());
  const std::string much(1U << 16, 'a');
  ssize_t written = 0;
  for (int i = 0; i < 1000 && written >= 0; ++i) {
    written = stream.write(much.data(), much.size());
  }
  EXPECT_EQ(written, -1);
  EXPECT_FALSE(stream.is_writable());
}

TEST_F(BoundedStreamTest, tells_nobody_apart) {
  const BoundedStream stream(ends[0], 100, long_time, long_time);
  std::string ip = "127.0.0.1";
  int port = 1;
  stream.get_remote_ip_and_port(ip, port);
  EXPECT_EQ(ip, "");
  EXPECT_EQ(port, 0);
  EXPECT_EQ(stream.socket(), ends[0]);
}

}  // namespace
}  // namespace mallard::transport
