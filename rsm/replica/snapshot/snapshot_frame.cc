#include "rsm/replica/snapshot/snapshot_frame.h"

#include <algorithm>

#include "config/base/invariant.h"

namespace mallard::rsm {
namespace {

ByteView bytes_of(const crypto::Digest& digest) { return std::as_bytes(std::span(digest.bytes)); }

bool is_kind(std::uint8_t kind) {
  return kind >= static_cast<std::uint8_t>(FrameKind::head) &&
         kind <= static_cast<std::uint8_t>(FrameKind::end);
}

}  // namespace

ByteView FrameWriter::seal(FrameKind kind, std::size_t payload_bytes) {
  MALLARD_INVARIANT(payload_bytes <= frame_payload_bytes_max);
  ByteWriter front(buffer_);
  front.write_bytes(bytes_of(chain_));
  front.write(static_cast<std::uint32_t>(payload_bytes));
  front.write(static_cast<std::uint8_t>(kind));
  const std::size_t covered = front.used() + payload_bytes;
  chain_ = crypto::digest_of(ByteView(buffer_).first(covered));
  ByteWriter(ByteSpan(buffer_).subspan(covered)).write_bytes(bytes_of(chain_));
  return ByteView(buffer_).subspan(frame_digest_bytes, frame_head_bytes + payload_bytes + frame_digest_bytes);
}

void FrameParser::begin() {
  filled_ = 0;
  damaged_ = false;
  chain_ = {};
}

FrameOutcome FrameParser::take(ByteView& bytes) {
  while (!damaged_ && !bytes.empty()) {
    std::size_t wanted = frame_head_bytes;
    std::size_t payload_bytes = 0;
    if (filled_ >= frame_head_bytes) {
      ByteReader head(room());
      payload_bytes = head.read<std::uint32_t>();
      if (payload_bytes > frame_payload_bytes_max || !is_kind(head.read<std::uint8_t>())) {
        damaged_ = true;
        break;
      }
      wanted = frame_head_bytes + payload_bytes + frame_digest_bytes;
    }
    const std::size_t count = std::min(wanted - filled_, bytes.size());
    ByteWriter(room().subspan(filled_)).write_bytes(bytes.first(count));
    bytes = bytes.subspan(count);
    filled_ += count;
    if (wanted > frame_head_bytes && filled_ == wanted) {
      filled_ = 0;
      damaged_ = !verify(payload_bytes);
      return damaged_ ? FrameOutcome::damaged : FrameOutcome::frame;
    }
  }
  return damaged_ ? FrameOutcome::damaged : FrameOutcome::more;
}

bool FrameParser::verify(std::size_t payload_bytes) {
  ByteWriter(buffer_).write_bytes(bytes_of(chain_));
  const std::size_t covered = frame_digest_bytes + frame_head_bytes + payload_bytes;
  const crypto::Digest digest = crypto::digest_of(ByteView(buffer_).first(covered));
  if (!std::ranges::equal(bytes_of(digest), ByteView(buffer_).subspan(covered, frame_digest_bytes))) {
    return false;
  }
  chain_ = digest;
  ByteReader head(room());
  static_cast<void>(head.read<std::uint32_t>());
  frame_.kind = static_cast<FrameKind>(head.read<std::uint8_t>());
  frame_.payload = room().subspan(frame_head_bytes, payload_bytes);
  return true;
}

}  // namespace mallard::rsm
