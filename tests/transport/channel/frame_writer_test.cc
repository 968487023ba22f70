#include "transport/channel/frame_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/transport/channel/frame_stream.h"

namespace mallard::transport {
namespace {

class FrameWriterTest : public testing::Test {
 protected:
  // Pushes a frame whose head and body can be told by `name`; gives up its own reference.
  bool push(char name, std::size_t body_bytes, Lane lane) {
    const auto head = std::vector<std::byte>(8, static_cast<std::byte>(name));
    const PayloadRef body = pool_.allocate(body_bytes).value();
    std::ranges::fill(pool_.span(body), static_cast<std::byte>(name));
    const bool pushed = writer_.push(head, body, lane);
    pool_.release(body);
    return pushed;
  }
  void write_all(std::size_t step) {
    while (!writer_.next().empty()) {
      write_some(step);
    }
  }
  void write_some(std::size_t step) {
    const ByteView bytes = writer_.next();
    const std::size_t count = std::min(step, bytes.size());
    wire_.insert(wire_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    writer_.wrote(count);
  }
  [[nodiscard]] std::string order() { return names_of(frames_of(wire_)); }

  PayloadPool pool_{32U << 20};
  ChannelLimits limits_;
  FrameWriter writer_{limits_, pool_};
  std::vector<std::byte> wire_;
};

TEST_F(FrameWriterTest, gathers_small_frames_into_one_write) {
  for (const char name : {'a', 'b', 'c', 'd'}) {
    ASSERT_TRUE(push(name, 100, Lane::data));
  }
  EXPECT_EQ(writer_.next().size(), 4 * (frame_header_bytes + 8 + 100));
  write_all(SIZE_MAX);
  EXPECT_EQ(order(), "abcd");
  EXPECT_EQ(pool_.free_bytes(), pool_.capacity());
  EXPECT_TRUE(writer_.empty());
  EXPECT_EQ(writer_.frames_begun(), 4U);
  EXPECT_EQ(writer_.bytes_begun(), wire_.size());
}

TEST_F(FrameWriterTest, writes_a_large_body_from_where_it_lies) {
  const PayloadRef body = pool_.allocate(20'000).value();
  ASSERT_TRUE(writer_.push(std::vector<std::byte>(5), body, Lane::data));
  EXPECT_EQ(writer_.next().size(), frame_header_bytes + 5);
  writer_.wrote(frame_header_bytes + 5);
  EXPECT_EQ(writer_.next().data(), pool_.view(body).data());
  EXPECT_EQ(writer_.next().size(), 20'000U);
  writer_.drop_all();
  pool_.release(body);
  EXPECT_EQ(pool_.free_bytes(), pool_.capacity());
}

TEST_F(FrameWriterTest, control_overtakes_queued_data) {
  for (const char name : {'a', 'b', 'c'}) {
    ASSERT_TRUE(push(name, 50'000, Lane::data));
  }
  write_some(SIZE_MAX);  // the head of a
  ASSERT_TRUE(push('X', 0, Lane::control));
  ASSERT_TRUE(push('Y', 100, Lane::control));
  write_all(SIZE_MAX);
  EXPECT_EQ(order(), "aXYbc");
}

TEST_F(FrameWriterTest, control_overtakes_a_large_frame_under_way) {
  ASSERT_TRUE(push('a', 1U << 20, Lane::data));
  ASSERT_TRUE(push('b', 10, Lane::data));
  write_some(SIZE_MAX);  // the head
  write_some(30'000);    // of the first piece
  ASSERT_TRUE(push('X', 10, Lane::control));
  ASSERT_TRUE(push('Y', 50'000, Lane::control));
  write_all(10'000);
  const auto frames = frames_of(wire_);
  EXPECT_EQ(names_of(frames), "XYab");
  EXPECT_LE(frames[0].offset, 3 * body_piece_bytes) << "at the end of the piece under way";
}

TEST_F(FrameWriterTest, a_control_frame_too_large_to_be_inserted_goes_with_the_data) {
  ASSERT_TRUE(push('a', 200'000, Lane::data));
  ASSERT_TRUE(push('b', 10, Lane::data));
  ASSERT_TRUE(push('X', 65'536, Lane::control));
  ASSERT_TRUE(push('Y', inserted_frame_bytes_max - frame_header_bytes - 8, Lane::control));
  write_all(SIZE_MAX);
  EXPECT_EQ(order(), "YabX");
}

TEST_F(FrameWriterTest, more_control_frames_than_one_insertion_holds_use_the_next) {
  ASSERT_TRUE(push('a', 1U << 20, Lane::data));
  write_some(SIZE_MAX);
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(push('X', 0, Lane::control));
  }
  write_all(SIZE_MAX);
  EXPECT_EQ(order(), std::string(300, 'X') + 'a');
}

TEST_F(FrameWriterTest, offers_the_same_bytes_until_they_are_written) {
  ASSERT_TRUE(push('a', 100, Lane::data));
  const ByteView first = writer_.next();
  ASSERT_TRUE(push('X', 100, Lane::control));
  const ByteView again = writer_.next();
  EXPECT_EQ(again.data(), first.data());
  EXPECT_EQ(again.size(), first.size());
  writer_.wrote(10);
  EXPECT_EQ(writer_.next().data(), first.data() + 10);
  writer_.drop_all();
}

TEST_F(FrameWriterTest, refuses_when_a_lane_is_full_without_keeping_the_body) {
  std::size_t pushed = 0;
  while (push('a', 1U << 20, Lane::data)) {
    ++pushed;
    if (pushed > 20) {
      break;
    }
  }
  EXPECT_LT(pushed, 20U);
  EXPECT_TRUE(push('X', 10, Lane::control)) << "the other lane has room";
  EXPECT_EQ(writer_.drop_all(), pushed + 1);
  EXPECT_EQ(pool_.free_bytes(), pool_.capacity());
}

TEST_F(FrameWriterTest, drops_a_frame_half_written) {
  ASSERT_TRUE(push('a', 100'000, Lane::data));
  write_some(SIZE_MAX);
  write_some(1000);
  EXPECT_EQ(writer_.drop_all(), 1U);
  EXPECT_TRUE(writer_.empty());
  EXPECT_TRUE(writer_.next().empty());
  EXPECT_EQ(pool_.free_bytes(), pool_.capacity());
}

}  // namespace
}  // namespace mallard::transport
