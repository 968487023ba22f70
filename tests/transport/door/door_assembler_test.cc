#include "transport/door/door_assembler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "config/base/prng.h"

namespace mallard::transport::door {
namespace {

struct RawFrame {
  std::vector<std::byte> head;
  std::vector<std::byte> body;
  friend bool operator==(const RawFrame&, const RawFrame&) = default;
};

std::vector<std::byte> drawn(Prng& prng, std::size_t bytes) {
  std::vector<std::byte> drawn(bytes);
  std::generate(drawn.begin(), drawn.end(), [&] { return static_cast<std::byte>(prng.next()); });
  return drawn;
}

void append(std::vector<std::byte>& stream, const RawFrame& frame) {
  std::array<std::byte, frame_header_bytes> header;
  ByteWriter writer(header);
  writer.write(static_cast<std::uint32_t>(frame.body.size()));
  writer.write(static_cast<std::uint16_t>(frame.head.size()));
  stream.insert(stream.end(), header.begin(), header.end());
  stream.insert(stream.end(), frame.head.begin(), frame.head.end());
  stream.insert(stream.end(), frame.body.begin(), frame.body.end());
}

class DoorAssemblerTest : public ::testing::Test {
 protected:
  DoorAssemblerTest() { assembler.limit_bodies(body_bytes_max); }

  RawFrame frame() {
    const ByteView head = assembler.head();
    const PayloadRef body = assembler.take_body();
    const ByteView bytes = pool.view(body);
    RawFrame frame{{head.begin(), head.end()}, {bytes.begin(), bytes.end()}};
    pool.release(body);
    return frame;
  }

  PayloadPool pool{4U << 20};
  DoorAssembler assembler{pool};
};

TEST_F(DoorAssemblerTest, finds_the_frames_however_the_stream_is_cut) {
  Prng prng(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<RawFrame> sent;
    std::vector<std::byte> stream;
    for (int i = 0; i < 10; ++i) {
      sent.push_back({drawn(prng, prng.between(1, head_bytes_max)),
                      drawn(prng, prng.between(0, 1) * prng.between(0, 20'000))});
      append(stream, sent.back());
    }
    std::vector<RawFrame> found;
    ByteView rest = stream;
    while (!rest.empty()) {
      const ByteSpan room = assembler.body_room();
      const std::size_t piece = std::min<std::size_t>(rest.size(), prng.between(1, 9000));
      DoorAssembler::Step step;
      if (!room.empty() && prng.between(0, 1) == 0) {
        const std::size_t count = std::min(piece, room.size());
        std::copy_n(rest.begin(), count, room.begin());
        step = assembler.filled(count);
        rest = rest.subspan(count);
      } else {
        const auto taken = assembler.take(rest.first(piece));
        step = taken.step;
        rest = rest.subspan(taken.bytes);
      }
      if (step == DoorAssembler::Step::frame) {
        found.push_back(frame());
      }
    }
    ASSERT_EQ(found, sent);
    EXPECT_TRUE(assembler.between_frames());
  }
  assembler.reset();
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
}

TEST_F(DoorAssemblerTest, waits_for_a_slot_and_loses_nothing) {
  std::vector<PayloadRef> taken;
  while (const auto slot = pool.allocate(1U << 20)) {
    taken.push_back(*slot);
  }
  Prng prng(8);
  const RawFrame sent{drawn(prng, 10), drawn(prng, 1U << 20)};
  std::vector<std::byte> stream;
  append(stream, sent);
  const auto first = assembler.take(stream);
  EXPECT_EQ(first.step, DoorAssembler::Step::no_slot);
  EXPECT_EQ(assembler.take({}).step, DoorAssembler::Step::no_slot) << "asked again";
  for (const PayloadRef slot : taken) {
    pool.release(slot);
  }
  EXPECT_EQ(assembler.take(ByteView(stream).subspan(first.bytes)).step, DoorAssembler::Step::frame);
  EXPECT_EQ(frame(), sent);
}

TEST_F(DoorAssemblerTest, takes_no_slot_for_a_body_above_the_limit) {
  std::vector<std::byte> stream;
  append(stream, {std::vector<std::byte>(3), std::vector<std::byte>(11)});
  assembler.limit_bodies(10);
  EXPECT_EQ(assembler.take(stream).step, DoorAssembler::Step::malformed);
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
  assembler.reset();
  append(stream, {std::vector<std::byte>(3), {}});
  EXPECT_EQ(assembler.take(stream).step, DoorAssembler::Step::malformed) << "a new stream allows none";
}

TEST_F(DoorAssemblerTest, gives_the_slot_of_half_a_frame_back) {
  std::vector<std::byte> stream;
  append(stream, {std::vector<std::byte>(3), std::vector<std::byte>(5000)});
  EXPECT_EQ(assembler.take(ByteView(stream).first(100)).step, DoorAssembler::Step::hungry);
  EXPECT_FALSE(assembler.between_frames());
  EXPECT_LT(pool.free_bytes(), pool.capacity());
  assembler.reset();
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
}

}  // namespace
}  // namespace mallard::transport::door
