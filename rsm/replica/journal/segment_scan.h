// Finds the records in the bytes of one segment. Segments hold groups: records one behind the other, then
// filler up to a multiple of 4096; what was never written is zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "rsm/replica/journal/entry.h"
#include "rsm/replica/journal/record.h"

namespace mallard::rsm::journal {

// A group starts at a multiple of this, so that no sector that is durable is ever written again: a sector
// that a crash destroys while it is written (512 or 4096 bytes on today's disks) holds nothing that was
// promised.
inline constexpr std::size_t group_alignment = 4096;

struct ScanItem {
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;         // up to where the scan went on
  std::optional<RecordHead> head;  // nothing: bytes that were not written as a record here
  bool body_matches = false;       // with a head only
  // Not whole, and one of its sectors of 512 bytes is (almost) zeros: a write that a crash cut short leaves
  // that, a sector that changed later does not.
  bool unwritten = false;
};

// Any bytes. What lies in a record that verifies is skipped as a whole; after bytes that do not verify, the
// scan goes on at the next multiple of 4096 where a record's head verifies.
class SegmentScan {
 public:
  // `segment`: all bytes of the file; must stay valid.
  SegmentScan(ByteView segment, const StoreId& store, std::uint32_t number)
      : segment_(segment), store_(store), number_(number) {}

  // The next item from the front; nothing at the end.
  [[nodiscard]] std::optional<ScanItem> next();

 private:
  [[nodiscard]] std::optional<RecordHead> head_at(std::size_t offset) const;
  [[nodiscard]] ScanItem whole(const RecordHead& head);
  [[nodiscard]] ScanItem broken();
  [[nodiscard]] bool holds_unwritten_sector(std::size_t from, std::size_t to) const;
  [[nodiscard]] bool is_unused(std::size_t from, std::size_t to) const;

  ByteView segment_;
  StoreId store_;
  std::uint32_t number_;
  std::size_t position_ = 0;
  bool after_unwritten_ = false;  // a sector since the last record was not written
};

}  // namespace mallard::rsm::journal
