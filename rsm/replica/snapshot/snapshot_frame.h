// What a snapshot's bytes are made of. Little-endian:
//
//   frame   u32 payload bytes, u8 kind, payload, 32 bytes digest
//
// The digest (BLAKE2b) covers the digest of the frame before (zeros before the first), kind, length and
// payload. The first frame says of which place in the log and of which epoch the snapshot is, so every frame
// verifies in its place of its snapshot and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/limits.h"
#include "crypto/digest.h"

namespace mallard::rsm {

enum class FrameKind : std::uint8_t { head = 1, link = 2, batch = 3, state = 4, end = 5 };

inline constexpr std::size_t frame_head_bytes = 5;
inline constexpr std::size_t frame_digest_bytes = sizeof(crypto::Digest);
// The largest are batches: their messages, each after its length, and what says which batch it is.
inline constexpr std::size_t frame_payload_bytes_max = batch_bytes_max + 4 * batch_messages_max + 64;
inline constexpr std::size_t frame_bytes_max =
    frame_head_bytes + frame_payload_bytes_max + frame_digest_bytes;

struct SnapshotFrame {
  FrameKind kind = FrameKind::head;
  ByteView payload;
};

// Makes frames, one after the other. All memory is allocated at the construction.
class FrameWriter {
 public:
  FrameWriter() : buffer_(frame_digest_bytes + frame_bytes_max) {}

  // A new snapshot.
  void begin() { chain_ = {}; }
  // Goes on behind frames of which that is the last digest.
  void begin_after(const crypto::Digest& chain) { chain_ = chain; }
  // Where the payload of the next frame belongs: frame_payload_bytes_max.
  [[nodiscard]] ByteSpan payload() {
    return ByteSpan(buffer_).subspan(frame_digest_bytes + frame_head_bytes, frame_payload_bytes_max);
  }
  // The frame whose payload lies there. The view is good until payload() is written to.
  [[nodiscard]] ByteView seal(FrameKind kind, std::size_t payload_bytes);
  // Digest of the last frame: of all of them.
  [[nodiscard]] const crypto::Digest& chain() const { return chain_; }

 private:
  std::vector<std::byte> buffer_;  // the digest before, then the frame
  crypto::Digest chain_;
};

enum class FrameOutcome : std::uint8_t { more, frame, damaged };

// Takes a snapshot's bytes in any pieces and gives back its frames. The bytes may be anything; after
// `damaged` nothing more comes. All memory is allocated at the construction.
class FrameParser {
 public:
  FrameParser() : buffer_(frame_digest_bytes + frame_bytes_max) {}

  void begin();
  // Takes from the front of `bytes` until a frame is whole (`frame`), or all of them (`more`).
  [[nodiscard]] FrameOutcome take(ByteView& bytes);
  // The whole frame; the view is good until the next take().
  [[nodiscard]] const SnapshotFrame& frame() const { return frame_; }
  [[nodiscard]] const crypto::Digest& chain() const { return chain_; }
  // No frame is begun.
  [[nodiscard]] bool at_boundary() const { return filled_ == 0; }

 private:
  [[nodiscard]] ByteSpan room() { return ByteSpan(buffer_).subspan(frame_digest_bytes); }
  // False if it is none.
  [[nodiscard]] bool verify(std::size_t payload_bytes);

  std::vector<std::byte> buffer_;
  std::size_t filled_ = 0;
  bool damaged_ = false;
  SnapshotFrame frame_;
  crypto::Digest chain_;
};

}  // namespace mallard::rsm
