#include "rsm/replica/journal/segment_scan.h"

#include <algorithm>

namespace mallard::rsm::journal {

namespace {

constexpr std::size_t sector_bytes = 512;
// A sector of zeros, or of filler, may have changed since it was written. What a record's head leaves in a
// sector differs from either in many more bytes.
constexpr std::ptrdiff_t strange_bytes_max = 4;

bool is_nearly_all(ByteView bytes, std::byte value) {
  const auto strange = std::count_if(bytes.begin(), bytes.end(), [&](std::byte b) { return b != value; });
  return strange <= strange_bytes_max;
}

}  // namespace

std::optional<ScanItem> SegmentScan::next() {
  while (segment_.size() - position_ >= record_head_bytes) {
    if (const auto head = head_at(position_)) {
      return whole(*head);
    }
    const std::size_t boundary =
        std::min(segment_.size(), (position_ / group_alignment + 1) * group_alignment);
    if (!is_unused(position_, boundary)) {
      return broken();
    }
    after_unwritten_ = after_unwritten_ || holds_unwritten_sector(position_, boundary);
    position_ = boundary;
  }
  return std::nullopt;
}

std::optional<RecordHead> SegmentScan::head_at(std::size_t offset) const {
  const ByteView rest = segment_.subspan(offset);
  auto head = read_record_head(
      rest, {.store = store_, .segment = number_, .offset = static_cast<std::uint32_t>(offset)});
  if (head && record_bytes(head->record.body_bytes) > rest.size()) {
    head.reset();
  }
  return head;
}

ScanItem SegmentScan::whole(const RecordHead& head) {
  const std::size_t bytes = record_bytes(head.record.body_bytes);
  ScanItem item{.offset = static_cast<std::uint32_t>(position_),
                .bytes = static_cast<std::uint32_t>(bytes),
                .head = head};
  item.body_matches =
      body_matches(head, segment_.subspan(position_ + record_head_bytes, head.record.body_bytes));
  item.unwritten = !item.body_matches && holds_unwritten_sector(position_, position_ + bytes);
  position_ += bytes;
  after_unwritten_ = false;
  return item;
}

ScanItem SegmentScan::broken() {
  const std::size_t start = position_;
  const std::size_t head_end = std::min(segment_.size(), start + record_head_bytes);
  do {
    position_ = (position_ / group_alignment + 1) * group_alignment;
  } while (position_ + record_head_bytes <= segment_.size() && !head_at(position_));
  position_ = std::min(position_, segment_.size());
  return {.offset = static_cast<std::uint32_t>(start),
          .bytes = static_cast<std::uint32_t>(position_ - start),
          .unwritten = after_unwritten_ || holds_unwritten_sector(start, head_end)};
}

bool SegmentScan::holds_unwritten_sector(std::size_t from, std::size_t to) const {
  for (std::size_t sector = from / sector_bytes * sector_bytes; sector < to; sector += sector_bytes) {
    const std::size_t bytes = std::min(sector_bytes, segment_.size() - sector);
    if (is_nearly_all(segment_.subspan(sector, bytes), std::byte{0})) {
      return true;
    }
  }
  return false;
}

bool SegmentScan::is_unused(std::size_t from, std::size_t to) const {
  for (std::size_t at = from; at < to;) {
    const std::size_t end = std::min(to, (at / sector_bytes + 1) * sector_bytes);
    const ByteView bytes = segment_.subspan(at, end - at);
    if (!is_nearly_all(bytes, std::byte{0}) && !is_nearly_all(bytes, filler)) {
      return false;
    }
    at = end;
  }
  return true;
}

}  // namespace mallard::rsm::journal
