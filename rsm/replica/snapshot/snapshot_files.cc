#include "rsm/replica/snapshot/snapshot_files.h"

#include <algorithm>

namespace mallard::rsm {

using journal::DiskFault;
using journal::FileName;
using journal::JournalResult;

namespace {

// A sync takes about as long as one of the journal's groups then.
constexpr std::uint64_t sync_bytes = 1U << 20;

FileName new_name() { return FileName("snapshot.new"); }

}  // namespace

FileName snapshot_name(std::uint8_t slot) { return FileName(slot == 0 ? "snapshot.0" : "snapshot.1"); }

const StoredSnapshot* KeptSnapshots::newest() const {
  const StoredSnapshot* newest = nullptr;
  for (const auto& slot : slots_) {
    if (slot && (newest == nullptr || slot->head.end.lsn > newest->head.end.lsn)) {
      newest = &*slot;
    }
  }
  return newest;
}

const StoredSnapshot* KeptSnapshots::older() const {
  const StoredSnapshot* first = newest();
  const auto& other = slots_[first == nullptr ? 0U : 1U - first->slot];
  return other ? &*other : nullptr;
}

std::uint8_t KeptSnapshots::next_slot() const {
  const StoredSnapshot* first = newest();
  return first == nullptr ? std::uint8_t{0} : static_cast<std::uint8_t>(1 - first->slot);
}

// ---- Writing.

JournalResult<void> SnapshotWriter::begin() {
  if (file_) {
    disk_.close(*file_);
    file_.reset();
  }
  bytes_ = 0;
  synced_ = 0;
  if (const auto removed = disk_.remove(new_name()); !removed && removed.error().fault != DiskFault::absent) {
    return explained(removed, new_name());
  }
  const auto created = explained(disk_.create(new_name()), new_name());
  if (!created) {
    return Failure<journal::JournalError>(created.error());
  }
  file_ = *created;
  return {};
}

JournalResult<void> SnapshotWriter::append(ByteView bytes) {
  MALLARD_INVARIANT(file_.has_value());
  if (auto written = explained(disk_.write(*file_, bytes_, bytes), new_name()); !written) {
    return written;
  }
  bytes_ += bytes.size();
  return bytes_ - synced_ < sync_bytes ? JournalResult<void>{} : sync();
}

JournalResult<void> SnapshotWriter::sync() {
  synced_ = bytes_;
  return explained(disk_.sync(*file_), new_name());
}

JournalResult<void> SnapshotWriter::publish(std::uint8_t slot) {
  MALLARD_INVARIANT(file_.has_value());
  if (auto synced = sync(); !synced) {
    return synced;
  }
  disk_.close(*file_);
  file_.reset();
  if (auto renamed = explained(disk_.rename(new_name(), snapshot_name(slot)), new_name()); !renamed) {
    return renamed;
  }
  return explained(disk_.sync_directory(), FileName("."));
}

// ---- Reading.

bool SnapshotReader::open(std::uint8_t slot) {
  close();
  const auto opened = disk_.open(snapshot_name(slot));
  if (!opened) {
    return false;
  }
  file_ = *opened;
  offset_ = 0;
  read_ = 0;
  rest_ = {};
  parser_.begin();
  return true;
}

void SnapshotReader::close() {
  if (file_) {
    disk_.close(*file_);
    file_.reset();
  }
}

FrameOutcome SnapshotReader::next() {
  MALLARD_INVARIANT(file_.has_value());
  for (;;) {
    const std::size_t before = rest_.size();
    const FrameOutcome outcome = parser_.take(rest_);
    read_ += before - rest_.size();
    if (outcome != FrameOutcome::more) {
      return outcome;
    }
    const auto got = disk_.read(*file_, offset_, piece_);
    if (!got) {
      return FrameOutcome::damaged;
    }
    if (*got == 0) {
      return parser_.at_boundary() ? FrameOutcome::more : FrameOutcome::damaged;
    }
    offset_ += *got;
    rest_ = ByteView(piece_).first(*got);
  }
}

std::optional<StoredSnapshot> verify_snapshot(SnapshotReader& reader, std::uint8_t slot) {
  if (!reader.open(slot)) {
    return {};
  }
  SnapshotOrder order;
  StoredSnapshot stored{.slot = slot};
  for (;;) {
    const FrameOutcome outcome = reader.next();
    if (outcome != FrameOutcome::frame) {
      reader.close();
      const bool whole = outcome == FrameOutcome::more && order.end().has_value();
      return whole ? std::optional(stored) : std::nullopt;
    }
    if (!order.take(reader.parser().frame())) {
      reader.close();
      return {};
    }
    stored.digest = reader.parser().chain();
    if (order.end()) {
      stored.head = order.head();
      stored.end = *order.end();
    } else {
      stored.bytes = reader.read();
      stored.peers_digest = stored.digest;
    }
  }
}

}  // namespace mallard::rsm
