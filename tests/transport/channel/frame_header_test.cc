#include "transport/channel/frame_header.h"

#include <gtest/gtest.h>

#include <array>

namespace mallard::transport {
namespace {

std::array<std::byte, frame_header_bytes> raw(std::uint32_t total, std::uint16_t head) {
  std::array<std::byte, frame_header_bytes> bytes{};
  ByteWriter writer(bytes);
  writer.write(total);
  writer.write(head);
  return bytes;
}

TEST(FrameHeader, decodes_what_it_encodes) {
  for (const FrameHeader header : {FrameHeader{.head_bytes = 1, .body_bytes = 0},
                                   FrameHeader{.head_bytes = 4096, .body_bytes = frame_body_bytes_max}}) {
    std::array<std::byte, frame_header_bytes> bytes{};
    ByteWriter writer(bytes);
    encode_frame_header(header, writer);
    EXPECT_EQ(decode_frame_header(bytes), header);
  }
}

TEST(FrameHeader, refuses_at_each_limit_and_not_before) {
  const auto malformed = Failure<FrameHeaderError>(FrameHeaderError::malformed);
  const auto oversized = Failure<FrameHeaderError>(FrameHeaderError::oversized);
  EXPECT_EQ(decode_frame_header(raw(0, 0)), malformed);
  EXPECT_EQ(decode_frame_header(raw(6, 0)), malformed) << "no head";
  EXPECT_EQ(decode_frame_header(raw(6, 1)), malformed) << "the head ends after the frame";
  EXPECT_EQ(decode_frame_header(raw(0xffffffff, 0)), malformed);
  EXPECT_TRUE(decode_frame_header(raw(7, 1)).has_value());
  EXPECT_TRUE(decode_frame_header(raw(6 + 4096, 4096)).has_value());
  EXPECT_EQ(decode_frame_header(raw(6 + 4097, 4097)), oversized);
  constexpr auto body = static_cast<std::uint32_t>(frame_body_bytes_max);
  EXPECT_TRUE(decode_frame_header(raw(6 + 10 + body, 10)).has_value());
  EXPECT_EQ(decode_frame_header(raw(6 + 10 + body + 1, 10)), oversized);
  EXPECT_EQ(decode_frame_header(raw(0xffffffff, 1)), oversized);
  EXPECT_EQ(decode_frame_header(ByteView(raw(7, 1)).first(5)), malformed) << "cut off";
}

}  // namespace
}  // namespace mallard::transport
