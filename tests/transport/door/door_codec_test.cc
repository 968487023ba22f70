#include "transport/door/door_codec.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/transport/door/message_samples.h"

namespace mallard::transport::door {
namespace {

using FrameStart = std::array<std::byte, frame_header_bytes + head_bytes_max>;

std::vector<std::byte> encoded(const DoorMessage& message) {
  FrameStart start;
  const std::size_t bytes = encode_head(message, start);
  return {start.begin(), start.begin() + static_cast<std::ptrdiff_t>(bytes)};
}

ByteView head_of(const std::vector<std::byte>& start) { return ByteView(start).subspan(frame_header_bytes); }

std::string hex(const std::vector<std::byte>& bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  }
  return text;
}

constexpr LinkIndex link{2};
constexpr BatchRange range{BatchNumber(0x11), MessageNumber(0x1122), 3};
constexpr PayloadRef payload{7, 0x1000};

struct Golden {
  DoorMessage message;
  const char* bytes;
};

const Golden golden[] = {
    {Hello{.role = Role::gateway},
     "000000000a00"
     "01"
     "4d4c4c44"
     "0100"
     "0100"
     "02"},
    {Welcome{.version = 1,
             .replica = {ClusterIndex(1), ReplicaIndex(2)},
             .incarnation = Incarnation(0x0102030405060708),
             .unanswered_max = 64},
     "000000001300"
     "02"
     "0100"
     "0100"
     "0200"
     "0807060504030201"
     "40000000"},
    {Refused{.reason = Refusal::role},
     "000000000200"
     "03"
     "02"},
    {Submit{.request = 5, .command = payload, .local = true},
     "001000000a00"
     "04"
     "0500000000000000"
     "01"},
    {Reply{.request = 5, .status = ReplyStatus::done, .bytes = payload},
     "001000000d00"
     "05"
     "0500000000000000"
     "01"
     "00"
     "0000"},
    {Reply{.request = 6, .status = ReplyStatus::not_leader, .leader_known = true, .leader = ReplicaIndex(2)},
     "000000000d00"
     "05"
     "0600000000000000"
     "02"
     "01"
     "0200"},
    {Reply{.request = 7, .status = ReplyStatus::not_ready, .bytes = payload},
     "001000000d00"
     "05"
     "0700000000000000"
     "07"
     "00"
     "0000"},
    {Attach{.incarnation = Incarnation(9), .epoch = Epoch(1)},
     "000000000d00"
     "06"
     "0900000000000000"
     "01000000"},
    {Standing{.link = link,
              .direction = LinkDirection::inbound,
              .generation = Generation(1),
              .oldest_readable = BatchNumber(0),
              .batch = BatchNumber(3),
              .message = MessageNumber(9)},
     "000000002000"
     "07"
     "0200"
     "01"
     "01000000"
     "0000000000000000"
     "0300000000000000"
     "0900000000000000"},
    {Attached{.standings = 4, .fence = Fence(2)},
     "000000000b00"
     "08"
     "0400"
     "0200000000000000"},
    {Tap{.link = link, .serial = 3, .after = BatchNumber(4)},
     "000000000f00"
     "09"
     "0200"
     "03000000"
     "0400000000000000"},
    {Credit{.link = link, .serial = 3, .batches = 16},
     "000000000b00"
     "0a"
     "0200"
     "03000000"
     "10000000"},
    {Batch{.link = link,
           .serial = 3,
           .generation = Generation(1),
           .range = range,
           .proof_bytes = 0x40,
           .payload = payload},
     "001000001f00"
     "0b"
     "0200"
     "03000000"
     "01000000"
     "1100000000000000"
     "2211000000000000"
     "0300"
     "4000"},
    {Extent{.link = link,
            .generation = Generation(1),
            .oldest_readable = BatchNumber(1),
            .newest = BatchNumber(2),
            .newest_message = MessageNumber(3)},
     "000000001f00"
     "0c"
     "0200"
     "01000000"
     "0100000000000000"
     "0200000000000000"
     "0300000000000000"},
    {Apply{.link = link,
           .generation = Generation(1),
           .source_epoch = Epoch(2),
           .destination_epoch = Epoch(3),
           .fence = Fence(4),
           .range = range,
           .proof_bytes = 0,
           .payload = payload},
     "001000002b00"
     "0d"
     "0200"
     "01000000"
     "02000000"
     "03000000"
     "0400000000000000"
     "1100000000000000"
     "2211000000000000"
     "0300"
     "0000"},
    {Applied{.link = link,
             .generation = Generation(1),
             .cursor = BatchNumber(2),
             .cursor_message = MessageNumber(3)},
     "000000001700"
     "0e"
     "0200"
     "01000000"
     "0200000000000000"
     "0300000000000000"},
    {Load{.request = 5, .link = link, .batch = BatchNumber(6)},
     "000000001300"
     "0f"
     "0500000000000000"
     "0200"
     "0600000000000000"},
    {Loaded{.request = 5, .link = link, .found = true, .range = range, .proof_bytes = 0, .payload = payload},
     "001000002000"
     "10"
     "0500000000000000"
     "0200"
     "01"
     "1100000000000000"
     "2211000000000000"
     "0300"
     "0000"},
    {Quacked{.link = link, .generation = Generation(1), .through = BatchNumber(6)},
     "000000000f00"
     "11"
     "0200"
     "01000000"
     "0600000000000000"},
    {Fenced{.fence = Fence(3)},
     "000000000900"
     "12"
     "0300000000000000"},
};

TEST(DoorCodec, the_bytes_are_what_they_were) {
  std::size_t kinds = 0;
  std::size_t last = SIZE_MAX;
  for (const Golden& one : golden) {
    EXPECT_EQ(hex(encoded(one.message)), one.bytes);
    kinds += one.message.index() != last ? 1U : 0U;
    last = one.message.index();
  }
  EXPECT_EQ(kinds, message_kinds);
}

TEST(DoorCodec, what_is_encoded_decodes_to_the_same_bytes_again) {
  MessageSamples samples(1);
  for (int i = 0; i < 20'000; ++i) {
    const DoorMessage message = samples.draw();
    const auto bytes = encoded(message);
    const auto lengths = decode_frame_header(ByteView(bytes).first(frame_header_bytes));
    ASSERT_TRUE(lengths.has_value());
    EXPECT_EQ(lengths->head_bytes + frame_header_bytes, bytes.size());
    EXPECT_EQ(lengths->body_bytes, body_of(message).bytes);
    const auto decoded = decode_message(head_of(bytes), body_of(message));
    ASSERT_TRUE(decoded.has_value()) << hex(bytes);
    EXPECT_EQ(decoded->index(), message.index());
    EXPECT_EQ(encoded(*decoded), bytes);
    EXPECT_EQ(body_of(*decoded), body_of(message));
  }
}

TEST(DoorCodec, a_head_of_another_length_is_none) {
  MessageSamples samples(2);
  for (std::size_t kind = 0; kind < message_kinds; ++kind) {
    const DoorMessage message = samples.draw(kind);
    auto bytes = encoded(message);
    for (std::size_t length = 0; length < bytes.size() - frame_header_bytes; ++length) {
      EXPECT_FALSE(decode_message(head_of(bytes).first(length), body_of(message)).has_value());
    }
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(decode_message(head_of(bytes), body_of(message)).has_value());
  }
}

TEST(DoorCodec, a_body_where_none_belongs_is_refused) {
  const auto bytes = encoded(Credit{.link = link, .serial = 1, .batches = 1});
  EXPECT_FALSE(decode_message(head_of(bytes), payload).has_value());
}

TEST(DoorCodec, bodies_have_their_limits) {
  const auto submit = encoded(Submit{.request = 1, .command = payload});
  const auto with_body = [](const std::vector<std::byte>& start, std::size_t bytes) {
    return decode_message(head_of(start), {.slot = 1, .bytes = static_cast<std::uint32_t>(bytes)})
        .has_value();
  };
  EXPECT_FALSE(with_body(submit, 0));
  EXPECT_TRUE(with_body(submit, command_bytes_max));
  EXPECT_FALSE(with_body(submit, command_bytes_max + 1));
  const auto apply = encoded(Apply{.link = link, .range = range, .proof_bytes = 100, .payload = payload});
  EXPECT_FALSE(with_body(apply, 100)) << "a proof and no messages";
  EXPECT_TRUE(with_body(apply, 101));
  EXPECT_TRUE(with_body(apply, batch_bytes_max + 100));
  EXPECT_FALSE(with_body(apply, batch_bytes_max + 101));
}

// Flips each bit of each head: whatever still decodes is another good message, with the same bytes.
TEST(DoorCodec, no_bit_is_without_meaning) {
  for (const Golden& one : golden) {
    auto bytes = encoded(one.message);
    for (std::size_t bit = frame_header_bytes * 8; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      if (const auto decoded = decode_message(head_of(bytes), body_of(one.message))) {
        EXPECT_EQ(encoded(*decoded), bytes);
      }
      bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
  }
}

TEST(DoorCodec, values_out_of_range_are_refused) {
  const auto refused_with = [](const DoorMessage& good, std::size_t at, std::uint8_t value) {
    auto bytes = encoded(good);
    bytes[frame_header_bytes + at] = static_cast<std::byte>(value);
    return !decode_message(head_of(bytes), body_of(good)).has_value();
  };
  EXPECT_TRUE(refused_with(Hello{}, 0, 0)) << "no such kind";
  EXPECT_TRUE(refused_with(Hello{}, 0, 18)) << "no such kind";
  EXPECT_TRUE(refused_with(Hello{}, 9, 0)) << "role";
  EXPECT_TRUE(refused_with(Hello{}, 9, 4)) << "role";
  EXPECT_TRUE(refused_with(Submit{.request = 1, .command = payload}, 1, 0)) << "request 0";
  EXPECT_TRUE(refused_with(Submit{.request = 1, .command = payload}, 9, 2)) << "neither local nor not";
  EXPECT_TRUE(refused_with(Reply{.request = 1, .status = ReplyStatus::busy}, 9, 8)) << "status";
  EXPECT_TRUE(refused_with(Reply{.request = 1, .status = ReplyStatus::busy}, 10, 1)) << "a leader, but busy";
  EXPECT_TRUE(refused_with(Tap{.link = link}, 1, links_max)) << "link";
  const Batch batch{.link = link, .range = range, .payload = payload};
  EXPECT_TRUE(refused_with(batch, 27, 0)) << "count 0";
  EXPECT_TRUE(refused_with(batch, 28, 0xff)) << "count above batch_messages_max";
  EXPECT_TRUE(refused_with(batch, 30, 0xff)) << "proof longer than its limit";
  const Loaded missing{.request = 1, .link = link};
  EXPECT_TRUE(refused_with(missing, 11, 2)) << "a bool is 0 or 1";
  EXPECT_TRUE(refused_with(missing, 12, 1)) << "not found, but a number";
}

TEST(DoorCodec, frame_headers_have_their_limits) {
  const auto header = [](std::uint32_t body, std::uint16_t head) {
    std::array<std::byte, frame_header_bytes> bytes;
    ByteWriter writer(bytes);
    writer.write(body);
    writer.write(head);
    return decode_frame_header(bytes).has_value();
  };
  EXPECT_TRUE(header(0, 1));
  EXPECT_FALSE(header(0, 0));
  EXPECT_TRUE(header(body_bytes_max, head_bytes_max));
  EXPECT_FALSE(header(body_bytes_max + 1, 1));
  EXPECT_FALSE(header(0, head_bytes_max + 1));
}

TEST(DoorCodec, every_role_has_its_messages) {
  MessageSamples samples(3);
  const auto allowed = [&](Role role) {
    std::string text;
    for (std::size_t kind = 0; kind < message_kinds; ++kind) {
      text += is_said_by(role, samples.draw(kind)) ? 'x' : '.';
    }
    return text;
  };
  EXPECT_EQ(allowed(Role::client), "...x..............");
  EXPECT_EQ(allowed(Role::operations), "...x..............");
  EXPECT_EQ(allowed(Role::gateway), ".....x..xx..x.x.x.");
  std::string replica;
  for (std::size_t kind = 0; kind < message_kinds; ++kind) {
    replica += is_said_by_replica(samples.draw(kind)) ? 'x' : '.';
  }
  EXPECT_EQ(replica, ".xx.x.xx..xx.x.x.x");
}

}  // namespace
}  // namespace mallard::transport::door
