// Writes records into the bytes of one segment, for tests of what reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "rsm/replica/journal/segment_scan.h"

namespace mallard::rsm::journal {

class SegmentWriter {
 public:
  explicit SegmentWriter(std::size_t bytes) : bytes_(bytes) {}

  // Returns the record's offset.
  std::size_t add(const Record& record, std::size_t body_bytes) {
    const std::vector<std::byte> body(body_bytes, std::byte{0x33});
    const std::size_t offset = used_;
    write_record(record, {.store = {}, .segment = 1, .offset = static_cast<std::uint32_t>(offset)}, body,
                 ByteSpan(bytes_).subspan(offset));
    used_ += record_bytes(body_bytes);
    return offset;
  }
  // Ends the group.
  void pad() {
    while (used_ % group_alignment != 0) {
      bytes_[used_++] = filler;
    }
  }
  void zero(std::size_t offset, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      bytes_[offset + i] = std::byte{0};
    }
  }
  void flip(std::size_t offset) { bytes_[offset] ^= std::byte{8}; }

  [[nodiscard]] std::vector<ScanItem> scan() const {
    std::vector<ScanItem> items;
    SegmentScan scan(bytes_, {}, 1);
    for (auto item = scan.next(); item; item = scan.next()) {
      items.push_back(*item);
    }
    return items;
  }

 private:
  std::vector<std::byte> bytes_;
  std::size_t used_ = 0;
};

}  // namespace mallard::rsm::journal
