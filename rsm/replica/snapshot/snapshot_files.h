// The files of a replica's snapshots, beside its journal: `snapshot.0`, `snapshot.1`, and `snapshot.new`
// while one is written. A snapshot gets its name only when all of it is durable, in the place of the older.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "rsm/replica/journal/disk.h"
#include "rsm/replica/journal/journal_problem.h"
#include "rsm/replica/journal/superblock.h"
#include "rsm/replica/log_index.h"
#include "rsm/replica/snapshot/snapshot_record.h"

namespace mallard::rsm {

inline constexpr std::size_t snapshot_slots = 2;
[[nodiscard]] journal::FileName snapshot_name(std::uint8_t slot);

// A snapshot that is durable under its name.
struct StoredSnapshot {
  std::uint8_t slot = 0;
  SnapshotHead head;
  SnapshotEnd end;
  crypto::Digest digest;        // of the last frame
  std::uint64_t bytes = 0;      // without the end frame: what a peer is given
  crypto::Digest peers_digest;  // of the last of these

  [[nodiscard]] LogPlace place() const { return {head.end, end.index}; }
  [[nodiscard]] journal::SnapshotPosition position() const { return {end.index, end.term, digest}; }
};

// Those that are kept: the newest, and the one before it in case that it cannot be read.
class KeptSnapshots {
 public:
  void keep(const StoredSnapshot& snapshot) { slots_[snapshot.slot] = snapshot; }
  // The one whose state is the latest.
  [[nodiscard]] const StoredSnapshot* newest() const;
  // The other one.
  [[nodiscard]] const StoredSnapshot* older() const;
  // Where the next one goes.
  [[nodiscard]] std::uint8_t next_slot() const;

 private:
  std::array<std::optional<StoredSnapshot>, snapshot_slots> slots_;
};

// Writes one snapshot at a time. Errors are final for the process, as those of a journal.
class SnapshotWriter {
 public:
  // The disk outlives the writer.
  explicit SnapshotWriter(journal::Disk& disk) : disk_(disk) {}

  // Forgets what was written of another and begins with an empty file.
  [[nodiscard]] journal::JournalResult<void> begin();
  // Adds bytes. They become durable by the way, so that the end of a large snapshot is not one long sync.
  [[nodiscard]] journal::JournalResult<void> append(ByteView bytes);
  // Gives the file its name; both are durable when this returns.
  [[nodiscard]] journal::JournalResult<void> publish(std::uint8_t slot);

 private:
  [[nodiscard]] journal::JournalResult<void> sync();

  journal::Disk& disk_;
  std::optional<journal::FileHandle> file_;
  std::uint64_t bytes_ = 0;
  std::uint64_t synced_ = 0;  // of them
};

// Reads the frames of one file. What cannot be read, and what does not verify, ends it.
class SnapshotReader {
 public:
  explicit SnapshotReader(journal::Disk& disk) : disk_(disk), piece_(64U << 10) {}
  ~SnapshotReader() { close(); }
  SnapshotReader(const SnapshotReader&) = delete;
  SnapshotReader& operator=(const SnapshotReader&) = delete;

  // False if there is no such file.
  [[nodiscard]] bool open(std::uint8_t slot);
  void close();
  // The next frame: `more` at the file's end.
  [[nodiscard]] FrameOutcome next();
  [[nodiscard]] const FrameParser& parser() const { return parser_; }
  // Bytes of the frames that were given.
  [[nodiscard]] std::uint64_t read() const { return read_; }

 private:
  journal::Disk& disk_;
  std::optional<journal::FileHandle> file_;
  FrameParser parser_;
  std::vector<std::byte> piece_;
  ByteView rest_;
  std::uint64_t offset_ = 0;
  std::uint64_t read_ = 0;
};

// Reads and verifies all of a file. Nothing if it is not a whole snapshot.
[[nodiscard]] std::optional<StoredSnapshot> verify_snapshot(SnapshotReader& reader, std::uint8_t slot);

}  // namespace mallard::rsm
