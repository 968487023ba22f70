// The newest entries of a committed log that were read and checked, as bytes in memory: whoever comes shortly
// behind takes them from here and need not read and digest them again. What was forgotten must be checked
// again, since a disk may return other bytes the second time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bridge/attach/file/record_format.h"
#include "config/base/bytes.h"

namespace mallard::bridge::file {

struct CheckedEntry {
  ByteView payload;      // valid until the next add()
  RecordPosition after;  // what the entry behind it continues; its number is the entry's own
};

class CheckedEntries {
 public:
  // At least as many bytes as one record has. Enough for a tap that is some turns of the loop behind.
  static constexpr std::size_t bytes_max = 2 * record_payload_bytes_max;
  static constexpr std::size_t entries_max = 16'384;

  CheckedEntries();

  // Copies the entry behind the newest one, and forgets the oldest ones where there is no room.
  void add(ByteView payload, const RecordPosition& after);
  // nullptr: not there any more, or not yet.
  [[nodiscard]] const CheckedEntry* find(std::uint64_t number) const;

 private:
  [[nodiscard]] std::size_t begin_of(const CheckedEntry& entry) const {
    return static_cast<std::size_t>(entry.payload.data() - bytes_.get());
  }
  [[nodiscard]] const CheckedEntry& oldest() const { return entries_[oldest_ % entries_max]; }
  // Forgets the oldest entries as long as they begin in [begin, end).
  void forget(std::size_t begin, std::size_t end);

  std::unique_ptr<std::byte[]> bytes_;  // not initialised: pages are touched when they are used
  std::vector<CheckedEntry> entries_;   // that of a number lies at its remainder
  std::uint64_t oldest_ = 1;            // numbers kept: oldest_ .. newest_
  std::uint64_t newest_ = 0;
  std::size_t write_at_ = 0;
};

}  // namespace mallard::bridge::file
