// The files that hold the records: segments of equal size, numbered 1, 2, 3 ... without reuse, and at most
// one spare that becomes the next of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "config/base/bytes.h"
#include "rsm/replica/journal/disk.h"
#include "rsm/replica/journal/entry.h"
#include "rsm/replica/journal/journal_problem.h"

namespace mallard::rsm::journal {

struct Segment {
  std::uint32_t number = 0;
  FileHandle file;
  std::uint64_t lsn_before = 0;  // of the record before its first one
  EntryIndex highest;            // of the entries whose records it holds
};

// Segments are in the order of their numbers. Errors are final for the journal that meets them.
class SegmentSet {
 public:
  SegmentSet(Disk& disk, std::uint32_t segment_bytes, std::uint32_t segments_max);
  ~SegmentSet();
  SegmentSet(const SegmentSet&) = delete;
  SegmentSet& operator=(const SegmentSet&) = delete;

  [[nodiscard]] std::span<Segment> segments() { return segments_; }
  [[nodiscard]] std::span<const Segment> segments() const { return segments_; }
  // Nothing when there is no segment of that number.
  [[nodiscard]] Segment* find(std::uint32_t number);

  // Opens the files of `names` that are segments from number `first` on. Allocates.
  [[nodiscard]] JournalResult<void> open_all(std::span<const FileName> names, std::uint32_t first);
  // Fills `into`, segment_bytes, with the file. Sectors that cannot be read become bytes that verify as
  // nothing, and count as written; what is missing at the end becomes zeros.
  [[nodiscard]] JournalResult<void> read_all(const Segment& segment, ByteSpan into);

  // Makes sure that a spare lies ready: zeros, already on the medium, so that writing to it later changes no
  // metadata of the file system and fails for no lack of space. Takes as long as writing a segment.
  [[nodiscard]] JournalResult<void> prepare_spare();
  // Turns the spare into the segment `number`, with `start` as its first bytes, all of it durable. Prepares a
  // spare first if none lies ready. There must be room for one more segment.
  [[nodiscard]] JournalResult<Segment*> activate(std::uint32_t number, ByteView start);
  // Removes all segments before number `first`; the oldest of them becomes the spare if there is none. Its
  // content is cleared before this returns.
  [[nodiscard]] JournalResult<void> recycle_before(std::uint32_t first);
  // Removes all segments after number `last`.
  [[nodiscard]] JournalResult<void> remove_after(std::uint32_t last);

 private:
  [[nodiscard]] JournalResult<void> clear(FileHandle file);
  [[nodiscard]] JournalResult<void> sync_directory();

  Disk& disk_;
  std::uint32_t segment_bytes_;
  std::vector<Segment> segments_;  // never grows beyond what was reserved
  std::vector<std::byte> zeros_;
  bool spare_ready_ = false;
};

}  // namespace mallard::rsm::journal
