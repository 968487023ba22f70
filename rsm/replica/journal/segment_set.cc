#include "rsm/replica/journal/segment_set.h"

#include <algorithm>

#include "config/base/invariant.h"

namespace mallard::rsm::journal {

namespace {

constexpr std::size_t zeros_bytes = 256U << 10;
constexpr std::size_t careful_read_bytes = 4096;
constexpr std::byte unreadable{0xFF};

}  // namespace

SegmentSet::SegmentSet(Disk& disk, std::uint32_t segment_bytes, std::uint32_t segments_max)
    : disk_(disk),
      segment_bytes_(segment_bytes),
      zeros_(std::min<std::size_t>(zeros_bytes, segment_bytes), std::byte{0}) {
  segments_.reserve(segments_max);
}

SegmentSet::~SegmentSet() {
  for (const Segment& segment : segments_) {
    disk_.close(segment.file);
  }
}

Segment* SegmentSet::find(std::uint32_t number) {
  const auto found = std::lower_bound(segments_.begin(), segments_.end(), number,
                                      [](const Segment& s, std::uint32_t n) { return s.number < n; });
  return found != segments_.end() && found->number == number ? &*found : nullptr;
}

JournalResult<void> SegmentSet::open_all(std::span<const FileName> names, std::uint32_t first) {
  for (const FileName& name : names) {
    const auto number = segment_number(name.text());
    if (!number || *number < first) {
      continue;
    }
    const auto file = explained(disk_.open(name), name);
    if (!file) {
      return Failure<JournalError>(file.error());
    }
    segments_.push_back({.number = *number, .file = *file});
  }
  std::sort(segments_.begin(), segments_.end(),
            [](const Segment& a, const Segment& b) { return a.number < b.number; });
  return {};
}

JournalResult<void> SegmentSet::read_all(const Segment& segment, ByteSpan into) {
  // Only the last segment can hold what an earlier process failed to sync.
  if (segment.number == segments_.back().number) {
    if (auto synced = explained(disk_.sync_and_forget(segment.file), segment_name(segment.number)); !synced) {
      return synced;
    }
  }
  std::fill(into.begin(), into.end(), std::byte{0});
  const auto whole = disk_.read(segment.file, 0, into);
  if (whole) {
    return {};
  }
  std::fill(into.begin(), into.end(), std::byte{0});
  for (std::size_t at = 0; at < into.size(); at += careful_read_bytes) {
    const ByteSpan piece = into.subspan(at, std::min(careful_read_bytes, into.size() - at));
    if (!disk_.read(segment.file, at, piece)) {
      std::fill(piece.begin(), piece.end(), unreadable);
    }
  }
  return {};
}

JournalResult<void> SegmentSet::prepare_spare() {
  if (spare_ready_) {
    return {};
  }
  const auto file = explained(disk_.create(spare_name()), spare_name());
  if (!file) {
    return Failure<JournalError>(file.error());
  }
  auto cleared = clear(*file);
  disk_.close(*file);
  if (cleared) {
    cleared = sync_directory();
  }
  spare_ready_ = cleared.has_value();
  return cleared;
}

JournalResult<void> SegmentSet::clear(FileHandle file) {
  for (std::uint64_t at = 0; at < segment_bytes_; at += zeros_.size()) {
    const std::size_t count = std::min<std::size_t>(zeros_.size(), segment_bytes_ - at);
    if (auto written = explained(disk_.write(file, at, ByteView(zeros_).first(count)), spare_name());
        !written) {
      return written;
    }
  }
  return explained(disk_.sync(file), spare_name());
}

JournalResult<Segment*> SegmentSet::activate(std::uint32_t number, ByteView start) {
  MALLARD_INVARIANT(segments_.size() < segments_.capacity());
  if (auto prepared = prepare_spare(); !prepared) {
    return Failure<JournalError>(prepared.error());
  }
  const auto file = explained(disk_.open(spare_name()), spare_name());
  if (!file) {
    return Failure<JournalError>(file.error());
  }
  spare_ready_ = false;
  JournalResult<void> done = explained(disk_.write(*file, 0, start), spare_name());
  if (done) {
    done = explained(disk_.sync(*file), spare_name());
  }
  if (done) {
    done = explained(disk_.rename(spare_name(), segment_name(number)), segment_name(number));
  }
  if (done) {
    done = sync_directory();
  }
  if (!done) {
    return Failure<JournalError>(done.error());
  }
  segments_.push_back({.number = number, .file = *file});
  return &segments_.back();
}

JournalResult<void> SegmentSet::recycle_before(std::uint32_t first) {
  bool changed = false;
  FileHandle spare;
  bool made_spare = false;
  while (!segments_.empty() && segments_.front().number < first) {
    const Segment oldest = segments_.front();
    const FileName name = segment_name(oldest.number);
    const bool keep = !spare_ready_ && !made_spare;
    const auto done = keep ? disk_.rename(name, spare_name()) : disk_.remove(name);
    if (!done) {
      return explained(done, name);
    }
    segments_.erase(segments_.begin());
    changed = true;
    if (keep) {
      spare = oldest.file;
      made_spare = true;
    } else {
      disk_.close(oldest.file);
    }
  }
  if (changed) {
    if (auto synced = sync_directory(); !synced) {
      return synced;
    }
  }
  if (made_spare) {
    auto cleared = clear(spare);
    disk_.close(spare);
    spare_ready_ = cleared.has_value();
    return cleared;
  }
  return {};
}

JournalResult<void> SegmentSet::remove_after(std::uint32_t last) {
  bool changed = false;
  while (!segments_.empty() && segments_.back().number > last) {
    const FileName name = segment_name(segments_.back().number);
    if (const auto removed = disk_.remove(name); !removed) {
      return explained(removed, name);
    }
    disk_.close(segments_.back().file);
    segments_.pop_back();
    changed = true;
  }
  return changed ? sync_directory() : JournalResult<void>{};
}

JournalResult<void> SegmentSet::sync_directory() { return explained(disk_.sync_directory(), FileName(".")); }

}  // namespace mallard::rsm::journal
