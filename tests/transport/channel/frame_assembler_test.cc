#include "transport/channel/frame_assembler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "config/base/prng.h"
#include "tests/transport/channel/frame_stream.h"
#include "transport/channel/frame_writer.h"

namespace mallard::transport {
namespace {

using Step = FrameAssembler::Step;

std::vector<std::byte> raw_frame(std::uint32_t total, std::uint16_t head, std::size_t bytes_after) {
  std::vector<std::byte> bytes(frame_header_bytes + bytes_after);
  ByteWriter writer(bytes);
  writer.write(total);
  writer.write(head);
  return bytes;
}

class FrameAssemblerTest : public testing::Test {
 protected:
  // Feeds `stream` in random pieces, by take() and, where there is room, by filled(); yields the frames.
  std::vector<StreamFrame> assemble(ByteView stream, Prng& prng, Step& last) {
    std::vector<StreamFrame> frames;
    last = Step::hungry;
    while (!stream.empty() && (last == Step::hungry || last == Step::frame)) {
      const ByteSpan room = assembler_.body_room();
      if (!room.empty() && prng.below(2) == 0) {
        const std::size_t count = std::min(stream.size(), 1 + prng.below(room.size()));
        std::copy_n(stream.begin(), count, room.begin());
        stream = stream.subspan(count);
        last = assembler_.filled(count);
      } else {
        const std::size_t offered =
            std::min(stream.size(), 1 + prng.below(prng.below(3) == 0 ? 10 : 100'000));
        const auto taken = assembler_.take(stream.first(offered));
        stream = stream.subspan(taken.bytes);
        last = taken.step;
      }
      if (last == Step::frame) {
        const PayloadRef body = assembler_.take_body();
        const ByteView head = assembler_.head();
        const ByteView bytes = pool_.view(body);
        frames.push_back({{head.begin(), head.end()}, {bytes.begin(), bytes.end()}});
        pool_.release(body);
      }
    }
    return frames;
  }

  PayloadPool pool_{8U << 20};
  FrameAssembler assembler_{pool_};
};

TEST_F(FrameAssemblerTest, puts_together_what_a_writer_wrote_however_it_is_cut) {
  Prng prng(11);
  for (int round = 0; round < 30; ++round) {
    FrameWriter writer({}, pool_);
    std::vector<std::byte> wire;
    std::size_t pushed = 0;
    for (int step = 0; step < 300; ++step) {
      if (prng.below(4) == 0 && pushed < 25) {
        const std::size_t size = prng.below(prng.below(3) == 0 ? 300'000 : 2000);
        const auto head = std::vector<std::byte>(1 + prng.below(500), static_cast<std::byte>(pushed));
        if (const auto body = pool_.allocate(size)) {
          std::ranges::fill(pool_.span(*body), static_cast<std::byte>(pushed * 3));
          pushed += writer.push(head, *body, prng.below(2) == 0 ? Lane::control : Lane::data) ? 1U : 0U;
          pool_.release(*body);
        }
      }
      const ByteView bytes = writer.next();
      const std::size_t count = bytes.empty() ? 0 : 1 + prng.below(bytes.size());
      wire.insert(wire.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      writer.wrote(count);
    }
    while (!writer.next().empty()) {
      const ByteView bytes = writer.next();
      wire.insert(wire.end(), bytes.begin(), bytes.end());
      writer.wrote(bytes.size());
    }
    Step last = Step::hungry;
    const auto frames = assemble(wire, prng, last);
    const auto twin = frames_of(wire);
    ASSERT_EQ(frames.size(), pushed);
    ASSERT_EQ(twin.size(), pushed);
    for (std::size_t i = 0; i < pushed; ++i) {
      ASSERT_EQ(frames[i].head, twin[i].head);
      ASSERT_EQ(frames[i].body, twin[i].body);
    }
    EXPECT_TRUE(assembler_.between_frames());
    EXPECT_EQ(pool_.free_bytes(), pool_.capacity());
  }
}

TEST_F(FrameAssemblerTest, stops_at_what_is_no_frame) {
  EXPECT_EQ(assembler_.take(raw_frame(6, 0, 0)).step, Step::malformed);
  assembler_.reset();
  EXPECT_EQ(assembler_.take(raw_frame(9, 4, 10)).step, Step::malformed);
  assembler_.reset();
  EXPECT_EQ(assembler_.take(raw_frame(UINT32_MAX, 4, 10)).step, Step::oversized);
  assembler_.reset();
  EXPECT_EQ(assembler_.take(raw_frame(6 + 4097, 4097, 10)).step, Step::oversized);
  EXPECT_EQ(pool_.free_bytes(), pool_.capacity()) << "no slot is taken for a frame that is refused";
}

TEST_F(FrameAssemblerTest, refuses_an_inserted_frame_that_is_too_long) {
  auto bytes = raw_frame(6 + 1 + 100'000, 1, 1 + body_piece_bytes);
  bytes.push_back(std::byte{1});
  const auto inner = raw_frame(static_cast<std::uint32_t>(inserted_frame_bytes_max + 1), 1, 0);
  bytes.insert(bytes.end(), inner.begin(), inner.end());
  EXPECT_EQ(assembler_.take(bytes).step, Step::oversized);
  assembler_.reset();
  EXPECT_EQ(pool_.free_bytes(), pool_.capacity()) << "reset gives the interrupted body back";
}

TEST_F(FrameAssemblerTest, waits_for_a_slot_and_goes_on_with_it) {
  std::vector<PayloadRef> taken;
  while (const auto slot = pool_.allocate(1U << 20)) {
    taken.push_back(*slot);
  }
  const auto bytes = raw_frame(6 + 2 + 5000, 2, 2 + 5000);
  const auto held = assembler_.take(bytes);
  EXPECT_EQ(held.step, Step::no_slot);
  EXPECT_EQ(held.bytes, frame_header_bytes + 2);
  EXPECT_EQ(assembler_.take({}).step, Step::no_slot);
  EXPECT_TRUE(assembler_.body_room().empty());
  for (const PayloadRef slot : taken) {
    pool_.release(slot);
  }
  const auto rest = assembler_.take(ByteView(bytes).subspan(held.bytes));
  EXPECT_EQ(rest.step, Step::frame);
  const PayloadRef body = assembler_.take_body();
  EXPECT_EQ(body.bytes, 5000U);
  pool_.release(body);
}

TEST_F(FrameAssemblerTest, gives_back_a_body_that_nobody_took) {
  const auto bytes = raw_frame(6 + 2 + 50, 2, 2 + 50);
  ASSERT_EQ(assembler_.take(bytes).step, Step::frame);
  EXPECT_LT(pool_.free_bytes(), pool_.capacity());
  EXPECT_EQ(assembler_.take({}).step, Step::hungry);
  EXPECT_EQ(pool_.free_bytes(), pool_.capacity());
}

TEST_F(FrameAssemblerTest, agrees_with_its_twin_on_damaged_streams) {
  Prng prng(13);
  std::size_t faults = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> stream;
    for (int i = 0; i < 3; ++i) {
      const std::size_t body = prng.below(2) == 0 ? prng.below(300) : 65'530 + prng.below(200);
      const auto frame = raw_frame(static_cast<std::uint32_t>(6 + 5 + body), 5, 5 + body);
      stream.insert(stream.end(), frame.begin(), frame.end());
    }
    for (std::uint64_t damages = prng.below(4); damages > 0; --damages) {
      stream[prng.below(std::min<std::size_t>(stream.size(), 400))] = static_cast<std::byte>(prng.below(256));
    }
    bool faulty = false;
    const auto twin = frames_of(stream, &faulty);
    Step last = Step::hungry;
    const auto frames = assemble(stream, prng, last);
    ASSERT_EQ(last == Step::malformed || last == Step::oversized, faulty);
    ASSERT_EQ(frames.size(), twin.size());
    for (std::size_t i = 0; i < twin.size(); ++i) {
      ASSERT_EQ(frames[i].head, twin[i].head);
      ASSERT_EQ(frames[i].body, twin[i].body);
    }
    faults += faulty ? 1U : 0U;
    assembler_.reset();
    ASSERT_EQ(pool_.free_bytes(), pool_.capacity());
  }
  EXPECT_GT(faults, 100U);
}

}  // namespace
}  // namespace mallard::transport
