#include "transport/admin/bounded_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <string>

namespace mallard::transport {
namespace {

constexpr Duration long_time = Duration::seconds(3600);
constexpr Duration short_time = Duration::milliseconds(20);
// Who is still waited for after half of it was not let go.
constexpr Duration end_of_patience = Duration::seconds(20);

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
  std::atomic<bool> ending = false;
};

TEST_F(BoundedStreamTest, gives_what_arrives_in_any_pieces) {
  BoundedStream stream(ends[0], 100, long_time, long_time, ending);
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
  BoundedStream stream(ends[0], 10'000, long_time, long_time, ending);
  arrive(std::string(20'000, 'a'));
  EXPECT_EQ(read_all(stream, 20'000).size(), 10'000U);
  char next = 0;
  EXPECT_EQ(stream.read(&next, 1), -1);
}

TEST_F(BoundedStreamTest, reads_fail_when_the_time_of_the_request_is_over) {
  BoundedStream stream(ends[0], 100, short_time, long_time, ending);
  char next = 0;
  EXPECT_EQ(stream.read(&next, 1), -1);
  arrive("late");
  EXPECT_EQ(stream.read(&next, 1), -1);
  EXPECT_FALSE(stream.is_readable());
  EXPECT_EQ(stream.write("answer", 6), 6) << "the answer has a time of its own";
}

TEST_F(BoundedStreamTest, writes_fail_when_nobody_has_taken_the_answer_in_time) {
  BoundedStream stream(ends[0], 100, long_time, short_time, ending);
  EXPECT_TRUE(stream.is_writable());
  const std::string much(1U << 16, 'a');
  ssize_t written = 0;
  for (int i = 0; i < 1000 && written >= 0; ++i) {
    written = stream.write(much.data(), much.size());
  }
  EXPECT_EQ(written, -1);
  EXPECT_FALSE(stream.is_writable());
}

TEST_F(BoundedStreamTest, a_request_is_not_waited_for_once_the_server_ends) {
  BoundedStream stream(ends[0], 100, end_of_patience, long_time, ending);
  auto waiting = std::async(std::launch::async, [&] {
    char next = 0;
    return stream.read(&next, 1);
  });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  const auto begin = std::chrono::steady_clock::now();
  ending = true;
  EXPECT_EQ(waiting.get(), -1);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::nanoseconds(end_of_patience.ns) / 2);
  arrive("late");
  EXPECT_FALSE(stream.is_readable());
}

TEST_F(BoundedStreamTest, an_answer_goes_on_as_far_as_it_is_taken_once_the_server_ends) {
  BoundedStream stream(ends[0], 100, long_time, end_of_patience, ending);
  ending = true;
  EXPECT_EQ(stream.write("answer", 6), 6);
  const std::string much(1U << 16, 'a');
  const auto begin = std::chrono::steady_clock::now();
  ssize_t written = 0;
  for (int i = 0; i < 1000 && written >= 0; ++i) {
    written = stream.write(much.data(), much.size());
  }
  EXPECT_EQ(written, -1);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::nanoseconds(end_of_patience.ns) / 2);
}

TEST_F(BoundedStreamTest, tells_nobody_apart) {
  const BoundedStream stream(ends[0], 100, long_time, long_time, ending);
  std::string ip = "127.0.0.1";
  int port = 1;
  stream.get_remote_ip_and_port(ip, port);
  EXPECT_EQ(ip, "");
  EXPECT_EQ(port, 0);
  EXPECT_EQ(stream.socket(), ends[0]);
}

}  // namespace
}  // namespace mallard::transport
