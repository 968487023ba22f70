#include "bridge/wire/frame_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "tests/bridge/wire/frame_text.h"
#include "tests/bridge/wire/reference_decoder.h"

namespace mallard::bridge::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Composed {
  SendFrame frame;
  SectionTable sections;
  std::size_t body_bytes = 0;
};

LinkContext context_from(Prng& prng) {
  return {.link = LinkIndex(static_cast<std::uint16_t>(prng.next())),
          .generation = Generation(static_cast<std::uint32_t>(prng.next())),
          .source_epoch = Epoch(static_cast<std::uint32_t>(prng.next())),
          .destination_epoch = Epoch(static_cast<std::uint32_t>(prng.next()))};
}

// Any 64-bit number, small ones and ends of the range more often.
std::uint64_t number_from(Prng& prng) {
  switch (prng.below(4)) {
    case 0:
      return prng.below(4);
    case 1:
      return std::numeric_limits<std::uint64_t>::max() - prng.below(4);
    default:
      return prng.next() >> prng.below(64);
  }
}

AckReport ack_from(Prng& prng) {
  AckReport ack{.context = context_from(prng),
                .prefix = BatchNumber(number_from(prng)),
                .durable = BatchNumber(number_from(prng))};
  ack.phi_words = prng.below(3) == 0 ? prng.below(phi_bits_max / 64 + 1) : prng.below(3);
  for (std::size_t i = 0; i < ack.phi_words; ++i) {
    ack.phi[i] = prng.next();
  }
  ack.phi[0] &= ~1ULL;
  if (ack.phi_words > 0) {
    ack.phi[ack.phi_words - 1] |= 2;
  }
  return ack;
}

void add_batch(Prng& prng, Composed& made) {
  made.frame.has_batch = true;
  BatchSection& batch = made.frame.batch;
  batch.context = context_from(prng);
  batch.header.count = static_cast<std::uint16_t>(prng.between(1, batch_messages_max));
  batch.header.batch = BatchNumber(number_from(prng) | 1);
  batch.header.first = MessageNumber((number_from(prng) >> 1) | 1);
  batch.round = static_cast<std::uint32_t>(prng.below(256));
  batch.attempt = static_cast<std::uint8_t>(prng.below(256));
  if (prng.below(2) == 0) {
    const std::uint64_t reach = std::min<std::uint64_t>(batch.header.batch.value, 65535);
    batch.quacked = BatchNumber(batch.header.batch.value - prng.below(reach));
  }
  batch.proof_bytes = static_cast<std::uint16_t>(prng.below(proof_bytes_max + 1));
  made.body_bytes = batch.proof_bytes + prng.between(1, batch_bytes_max);
}

Composed frame_from(Prng& prng) {
  Composed made;
  made.frame.stamp = Stamp(prng.between(1, stamp_max));
  made.frame.echo = Stamp(prng.between(0, stamp_max));
  made.frame.echo_delay_us = static_cast<std::uint32_t>(prng.next());
  made.frame.wants_ack = prng.below(2) == 0;
  if (prng.below(2) == 0) {
    add_batch(prng, made);
  }
  for (std::uint64_t i = prng.below(sections_per_frame_max + 1); i > 0; --i) {
    made.frame.positions.push_back(LinkIndex(static_cast<std::uint16_t>(made.sections.positions.size())));
    made.sections.positions.push_back({.context = context_from(prng),
                                       .quacked = BatchNumber(number_from(prng)),
                                       .committed = BatchNumber(number_from(prng)),
                                       .committed_message = MessageNumber(number_from(prng))});
  }
  for (std::uint64_t i = prng.below(sections_per_frame_max + 1); i > 0; --i) {
    made.frame.acks.push_back(LinkIndex(static_cast<std::uint16_t>(made.sections.acks.size())));
    made.sections.acks.push_back(ack_from(prng));
  }
  if (prng.below(3) == 0) {
    made.frame.has_pull = true;
    made.frame.pull.context = context_from(prng);
    for (std::uint64_t i = prng.between(1, pulls_per_frame_max); i > 0; --i) {
      made.frame.pull.batches.push_back(BatchNumber(number_from(prng) | 1));
    }
  }
  return made;
}

// The codec and its twin agree on whether the bytes are a frame and on what it says, and what decodes has no
// second encoding. Returns whether it decoded.
bool check_against_twin(const Bytes& head, std::size_t body_bytes) {
  const auto frame = decode_bytes(head, body_bytes);
  const auto twin = reference_decode(head, body_bytes);
  EXPECT_EQ(frame.has_value(), twin.has_value());
  if (!frame || !twin) {
    return false;
  }
  EXPECT_EQ(fields_of(*frame), *twin);
  EXPECT_EQ(encode_again(*frame), head);
  return true;
}

FrameError error_of(const Bytes& head, std::size_t body_bytes) {
  const auto frame = decode_bytes(head, body_bytes);
  EXPECT_FALSE(frame.has_value());
  return frame ? FrameError::truncated : frame.error();
}

Composed data_frame() {
  Composed made;
  made.frame.stamp = Stamp(0x0605'0403'0201);
  made.frame.echo = Stamp(0x0c0b'0a09'0807);
  made.frame.echo_delay_us = 0x100f'0e0d;
  made.frame.wants_ack = true;
  made.frame.has_batch = true;
  made.frame.batch = {
      .context = {LinkIndex(0x1211), Generation(0x1615'1413), Epoch(0x1a19'1817), Epoch(0x1e1d'1c1b)},
      .header = {BatchNumber(0x2625'2423'2221'201f), MessageNumber(0x2e2d'2c2b'2a29'2827), 0x0130},
      .round = 0x31,
      .attempt = 0x32,
      .quacked = BatchNumber(0x2625'2423'2221'201f - 0x3433),
      .payload = {},
      .proof_bytes = 0x0135};
  made.body_bytes = 0x0135 + 100;
  return made;
}

Composed control_frame() {
  Composed made;
  made.frame.stamp = Stamp(1);
  made.frame.positions.push_back(LinkIndex(0));
  made.sections.positions.push_back({.context = {LinkIndex(1), Generation(2), Epoch(3), Epoch(4)},
                                     .quacked = BatchNumber(5),
                                     .committed = BatchNumber(6),
                                     .committed_message = MessageNumber(7)});
  made.frame.acks.push_back(LinkIndex(0));
  AckReport ack{.context = {LinkIndex(8), Generation(9), Epoch(10), Epoch(11)},
                .prefix = BatchNumber(12),
                .durable = BatchNumber(13)};
  ack.phi_words = 2;
  ack.phi[0] = 0x8000'0000'0000'0002;
  ack.phi[1] = 1;
  made.sections.acks.push_back(ack);
  made.frame.has_pull = true;
  made.frame.pull.context = {LinkIndex(14), Generation(15), Epoch(16), Epoch(17)};
  made.frame.pull.batches.push_back(BatchNumber(18));
  made.frame.pull.batches.push_back(BatchNumber(19));
  return made;
}

Bytes bytes_of(const Composed& made) { return encode_to_bytes(made.frame, made.sections); }

TEST(FrameCodec, golden_bytes_of_a_data_frame) {
  Bytes expected{0x03};
  for (std::uint8_t byte = 1; byte <= 0x2e; ++byte) {
    expected.push_back(byte);
  }
  const Bytes rest{0x30, 0x01, 0x31, 0x32, 0x33, 0x34, 0x35, 0x01};
  expected.insert(expected.end(), rest.begin(), rest.end());
  EXPECT_EQ(bytes_of(data_frame()), expected);
  EXPECT_EQ(expected.size(), batch_frame_head_bytes);
}

TEST(FrameCodec, golden_bytes_of_a_control_frame) {
  const Bytes expected{
      0x2c, 1, 0,  0, 0, 0, 0,  0,    0,  0, 0,  0, 0, 0, 0, 0, 0,                       // head
      1,    0, 2,  0, 0, 0, 3,  0,    0,  0, 4,  0, 0, 0,                                // position
      5,    0, 0,  0, 0, 0, 0,  0,    6,  0, 0,  0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0,  //
      8,    0, 9,  0, 0, 0, 10, 0,    0,  0, 11, 0, 0, 0,                                // ack
      12,   0, 0,  0, 0, 0, 0,  0,    13, 0, 0,  0, 0, 0, 0, 0, 2, 0,                    //
      2,    0, 0,  0, 0, 0, 0,  0x80, 1,  0, 0,  0, 0, 0, 0, 0,                          //
      14,   0, 15, 0, 0, 0, 16, 0,    0,  0, 17, 0, 0, 0, 2, 0,                          // pull
      18,   0, 0,  0, 0, 0, 0,  0,    19, 0, 0,  0, 0, 0, 0, 0,                          //
  };
  EXPECT_EQ(bytes_of(control_frame()), expected);
}

TEST(FrameCodec, decodes_every_field_of_what_it_encoded) {
  const Bytes head = bytes_of(data_frame());
  const auto frame = decode_bytes(head, data_frame().body_bytes);
  ASSERT_TRUE(frame.has_value());
  const SendFrame sent = data_frame().frame;
  EXPECT_EQ(frame->stamp, sent.stamp);
  EXPECT_EQ(frame->echo, sent.echo);
  EXPECT_EQ(frame->echo_delay_us, sent.echo_delay_us);
  EXPECT_TRUE(frame->wants_ack);
  EXPECT_EQ(frame->batch.context, sent.batch.context);
  EXPECT_EQ(frame->batch.header, sent.batch.header);
  EXPECT_EQ(frame->batch.round, sent.batch.round);
  EXPECT_EQ(frame->batch.attempt, sent.batch.attempt);
  EXPECT_EQ(frame->batch.quacked, sent.batch.quacked);
  EXPECT_EQ(frame->batch.proof_bytes, sent.batch.proof_bytes);
  EXPECT_EQ(frame->batch.payload.bytes, data_frame().body_bytes);
}

TEST(FrameCodec, agrees_with_its_twin_on_random_frames) {
  Prng prng(1);
  for (int i = 0; i < 20'000; ++i) {
    const Composed made = frame_from(prng);
    ASSERT_TRUE(check_against_twin(bytes_of(made), made.body_bytes)) << "frame " << i;
  }
}

TEST(FrameCodec, every_truncation_and_extension_is_rejected) {
  Prng prng(2);
  for (int i = 0; i < 50; ++i) {
    const Composed made = frame_from(prng);
    Bytes head = bytes_of(made);
    for (std::size_t length = 0; length < head.size(); ++length) {
      const Bytes cut(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(length));
      ASSERT_FALSE(decode_bytes(cut, made.body_bytes).has_value()) << length << " of " << head.size();
      ASSERT_FALSE(reference_decode(cut, made.body_bytes).has_value());
    }
    head.push_back(0);
    EXPECT_EQ(error_of(head, made.body_bytes), FrameError::trailing_bytes);
  }
}

TEST(FrameCodec, every_flipped_bit_is_rejected_or_says_something_else) {
  Prng prng(3);
  for (int i = 0; i < 20; ++i) {
    const Composed made = frame_from(prng);
    const Bytes head = bytes_of(made);
    for (std::size_t bit = 0; bit < head.size() * 8; ++bit) {
      Bytes flipped = head;
      flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
      check_against_twin(flipped, made.body_bytes);
      ASSERT_FALSE(HasFailure()) << "frame " << i << " bit " << bit;
    }
  }
}

TEST(FrameCodec, agrees_with_its_twin_on_noise) {
  Prng prng(4);
  for (int i = 0; i < 200'000; ++i) {
    Bytes head(prng.below(120));
    for (std::uint8_t& byte : head) {
      byte = static_cast<std::uint8_t>(prng.below(3) == 0 ? prng.next() : prng.below(3));
    }
    check_against_twin(head, prng.below(2) * prng.below(3000));
    ASSERT_FALSE(HasFailure()) << "noise " << i;
  }
}

TEST(FrameCodec, the_longest_head_fits_its_limit) {
  Prng prng(5);
  Composed made;
  made.frame.stamp = Stamp(stamp_max);
  add_batch(prng, made);
  AckReport ack;
  ack.phi_words = ack.phi.size();
  ack.phi.back() = 1;
  for (std::uint16_t i = 0; i < sections_per_frame_max; ++i) {
    made.frame.acks.push_back(LinkIndex(i));
    made.sections.acks.push_back(ack);
    made.frame.positions.push_back(LinkIndex(i));
    made.sections.positions.push_back({});
  }
  made.frame.has_pull = true;
  while (!made.frame.pull.batches.full()) {
    made.frame.pull.batches.push_back(BatchNumber(1));
  }
  const Bytes head = bytes_of(made);
  EXPECT_EQ(head.size(), frame_head_bytes_max);
  EXPECT_TRUE(check_against_twin(head, made.body_bytes));
}

TEST(FrameCodec, a_hint_travels_only_as_far_as_its_field) {
  Composed made = data_frame();
  const auto hint_after = [&made](std::uint64_t batch, std::uint64_t quacked) {
    made.frame.batch.header.batch = BatchNumber(batch);
    made.frame.batch.quacked = BatchNumber(quacked);
    const Bytes head = bytes_of(made);
    return decode_bytes(head, made.body_bytes)->batch.quacked.value;
  };
  EXPECT_EQ(hint_after(1'000'000, 1'000'000), 1'000'000U);
  EXPECT_EQ(hint_after(1'000'000, 1'000'000 - 65534), 1'000'000U - 65534U);
  EXPECT_EQ(hint_after(1'000'000, 1'000'000 - 65535), 0U) << "too far behind";
  EXPECT_EQ(hint_after(1'000'000, 1'000'001), 0U) << "not below its batch";
  EXPECT_EQ(hint_after(7, 0), 0U);
  EXPECT_EQ(hint_after((1ULL << 63) + 5, (1ULL << 63) - 5), (1ULL << 63) - 5);
}

TEST(FrameCodec, rounds_saturate) {
  Composed made = data_frame();
  made.frame.batch.round = 256;
  const Bytes head = bytes_of(made);
  EXPECT_EQ(decode_bytes(head, made.body_bytes)->batch.round, 255U);
}

TEST(FrameCodec, names_what_is_wrong) {
  const Bytes data = bytes_of(data_frame());
  const std::size_t body = data_frame().body_bytes;
  EXPECT_EQ(error_of({}, 0), FrameError::truncated);
  EXPECT_EQ(error_of(data, 0), FrameError::body_mismatch);
  EXPECT_EQ(error_of(data, 0x0135), FrameError::body_mismatch) << "nothing but proof";
  EXPECT_EQ(error_of(data, 0x0135 + batch_bytes_max + 1), FrameError::out_of_range);
  EXPECT_TRUE(decode_bytes(data, 0x0135 + batch_bytes_max).has_value());

  const Bytes control = bytes_of(control_frame());
  EXPECT_EQ(error_of(control, body), FrameError::body_mismatch) << "a body that no batch section names";
  const auto with = [&control](std::size_t at, std::uint8_t value) {
    Bytes changed = control;
    changed[at] = value;
    return changed;
  };
  EXPECT_EQ(error_of(with(0, 0xac), 0), FrameError::out_of_range) << "bit 7";
  EXPECT_EQ(error_of(with(1, 0), 0), FrameError::out_of_range) << "stamp 0";
  constexpr std::size_t phi = 17 + 38 + 32;
  EXPECT_EQ(error_of(with(phi, 3), 0), FrameError::not_canonical) << "bit 0 of a phi-list";
  EXPECT_EQ(error_of(with(phi + 8, 0), 0), FrameError::not_canonical) << "zero last word";
  EXPECT_EQ(error_of(with(phi - 2, 65), 0), FrameError::out_of_range) << "too many words";
  EXPECT_EQ(error_of(with(phi + 16 + 14, 0), 0), FrameError::not_canonical) << "empty pull";
  EXPECT_EQ(error_of(with(phi + 16 + 14, 33), 0), FrameError::out_of_range) << "too many pulls";
  EXPECT_EQ(error_of(with(phi + 16 + 16, 0), 0), FrameError::out_of_range) << "pull of batch 0";
}

TEST(FrameCodec, every_error_has_words) {
  for (int error = 0; error <= static_cast<int>(FrameError::body_mismatch); ++error) {
    EXPECT_STRNE(describe(static_cast<FrameError>(error)), "frame is malformed");
  }
}

}  // namespace
}  // namespace mallard::bridge::wire
