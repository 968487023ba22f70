// Gives peers the bytes of this replica's snapshots. Keeps nothing between two requests but an open file, so
// that who was interrupted goes on where he was.
#pragma once

#include <cstdint>
#include <optional>

#include "config/base/payload_pool.h"
#include "rsm/replica/journal/disk.h"
#include "rsm/replica/peer_message.h"
#include "rsm/replica/snapshot/snapshot_files.h"

namespace mallard::rsm {

struct SnapshotSourceCounters {
  std::uint64_t pieces_sent = 0;
  std::uint64_t not_yet = 0;  // requests that no snapshot reaches
};

class SnapshotSource {
 public:
  // All outlive the source. Of the disk only reading functions are used.
  struct Ports {
    journal::Disk& disk;
    PayloadPool& pool;
    PeerPort& peers;
  };
  explicit SnapshotSource(const Ports& ports) : ports_(ports) {}
  ~SnapshotSource() { close(); }
  SnapshotSource(const SnapshotSource&) = delete;
  SnapshotSource& operator=(const SnapshotSource&) = delete;

  // Answers, unless the pool has no room or the file cannot be read: then the peer asks again, or another.
  // False: none of `kept` reaches so far, and a new one is wanted.
  [[nodiscard]] bool answer(memory::ProcessIndex from, const SnapshotWanted& wanted,
                            const KeptSnapshots& kept);

  [[nodiscard]] const SnapshotSourceCounters& counters() const { return counters_; }

 private:
  void send_piece(memory::ProcessIndex to, const StoredSnapshot& snapshot, std::uint64_t offset);
  [[nodiscard]] bool open(const StoredSnapshot& snapshot);
  void close();

  Ports ports_;
  std::optional<journal::FileHandle> file_;
  crypto::Digest opened_;
  SnapshotSourceCounters counters_;
};

}  // namespace mallard::rsm
