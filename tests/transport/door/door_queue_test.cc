#include "transport/door/door_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "config/base/prng.h"

namespace mallard::transport::door {
namespace {

class DoorQueueTest : public ::testing::Test {
 protected:
  DoorMessage submit(std::uint64_t request, std::size_t bytes) {
    const PayloadRef body = *pool.allocate(bytes);
    const ByteSpan into = pool.span(body);
    std::fill(into.begin(), into.end(), static_cast<std::byte>(request));
    return Submit{.request = request, .command = body};
  }
  void append(std::vector<std::byte>& stream, const DoorMessage& message) {
    std::array<std::byte, frame_header_bytes + head_bytes_max> start;
    const std::size_t bytes = encode_head(message, start);
    stream.insert(stream.end(), start.begin(), start.begin() + static_cast<std::ptrdiff_t>(bytes));
    const ByteView body = pool.view(body_of(message));
    stream.insert(stream.end(), body.begin(), body.end());
  }

  PayloadPool pool{4U << 20};
  StreamLimits limits{.queue_frames = 8, .queue_body_bytes = 10'000};
};

TEST_F(DoorQueueTest, everything_comes_out_once_and_in_order_however_little_is_written) {
  Prng prng(3);
  DoorQueue queue(limits, pool);
  std::vector<std::byte> pushed;
  std::vector<std::byte> written;
  for (std::uint64_t request = 1; request <= 500 || !queue.empty();) {
    if (request <= 500 && prng.between(0, 2) > 0) {
      const DoorMessage message = submit(request, prng.between(1, 2000));
      if (queue.push(message, 0)) {
        append(pushed, message);
        ++request;
      }
      pool.release(body_of(message));
      continue;
    }
    std::array<iovec, 6> pieces;
    std::size_t budget = prng.between(1, 3000);
    std::size_t count = 0;
    const std::size_t used = queue.gather(pieces);
    EXPECT_EQ(used == 0, queue.empty());
    for (std::size_t i = 0; i < used; ++i) {
      const std::size_t bytes = std::min(budget, pieces[i].iov_len);
      const auto* const from = static_cast<const std::byte*>(pieces[i].iov_base);
      written.insert(written.end(), from, from + bytes);
      budget -= bytes;
      count += bytes;
    }
    queue.written(count);
  }
  EXPECT_EQ(written, pushed);
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
}

TEST_F(DoorQueueTest, refuses_what_does_not_fit) {
  DoorQueue queue(limits, pool);
  const DoorMessage large = submit(1, 10'001);
  EXPECT_TRUE(queue.push(large, 1)) << "the first is let in";
  EXPECT_TRUE(queue.is_long());
  EXPECT_FALSE(queue.push(large, 1)) << "too many bytes";
  EXPECT_TRUE(queue.push(Refused{}, 1)) << "no body";
  EXPECT_TRUE(queue.push(large, 0)) << "into the last places anything";
  while (queue.push(Refused{}, 2)) {
  }
  EXPECT_EQ(queue.frames(), 6U) << "two are kept";
  EXPECT_TRUE(queue.push(Refused{}, 0));
  EXPECT_TRUE(queue.push(Refused{}, 0));
  EXPECT_FALSE(queue.push(Refused{}, 0));
  queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.is_long());
  pool.release(body_of(large));
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
}

}  // namespace
}  // namespace mallard::transport::door
