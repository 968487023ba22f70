// Gets a snapshot from a peer, piece by piece, into a file of its own: one piece is asked for at a time, each
// is verified as it comes and written before the next. Who does not answer, or answers with what does not
// verify, is left for the next peer; what was fetched stays good where the next has the same snapshot.
#pragma once

#include <cstdint>
#include <optional>

#include "config/base/payload_pool.h"
#include "config/base/time.h"
#include "rsm/replica/journal_port.h"
#include "rsm/replica/log_index.h"
#include "rsm/replica/peer_message.h"
#include "rsm/replica/snapshot/snapshot_files.h"

namespace mallard::rsm {

struct SnapshotFetchSettings {
  memory::ProcessIndex self;
  std::size_t replicas = 0;
  Duration patience = Duration::seconds(1);     // without an answer
  Duration pause = Duration::milliseconds(20);  // before asking again for what is not there yet
  std::uint64_t bytes_max = 64ULL << 30;        // of a snapshot that is accepted
};

struct SnapshotFetchCounters {
  std::uint64_t pieces = 0;
  std::uint64_t begun = 0;
  std::uint64_t damaged = 0;   // snapshots that did not verify
  std::uint64_t timeouts = 0;  // peers that did not answer
};

class SnapshotFetch {
 public:
  // All outlive the fetch.
  struct Ports {
    PayloadPool& pool;
    PeerPort& peers;
    JournalPort& journal;
  };
  SnapshotFetch(const SnapshotFetchSettings& settings, const Ports& ports)
      : settings_(settings), ports_(ports) {}

  // Forgets what was fetched; nothing is written any more.
  void stop();
  // One turn while a snapshot is needed. `first`: whom to ask first. Nobody else writes snapshots meanwhile.
  // Returns whether anything was asked for.
  bool turn(cft::Lsn at_least, memory::ProcessIndex first, Instant now);
  // Takes over one reference to the body.
  void on_piece(memory::ProcessIndex from, const SnapshotPiece& piece, Instant now);
  // When turn() must be called at the latest, while a snapshot is needed.
  [[nodiscard]] Instant next_deadline() const { return asked_ ? deadline_ : ask_at_; }

  // All that peers can give is there and verified, and durable but for its last piece.
  [[nodiscard]] bool is_complete() const { return complete_; }
  [[nodiscard]] const SnapshotHead& head() const { return order_.head(); }
  // Adds the owner's own end and orders that the file gets its name. Only when it is complete; what was
  // fetched is then forgotten here.
  [[nodiscard]] StoredSnapshot keep(std::uint8_t slot, const SnapshotEnd& end, KeepSnapshot order);

  // Orders that were given to the journal since this was asked last.
  [[nodiscard]] std::uint64_t take_orders();
  [[nodiscard]] const SnapshotFetchCounters& counters() const { return counters_; }

 private:
  void ask(cft::Lsn at_least, Instant now);
  void next_peer(Instant now);
  void begin(const SnapshotPiece& piece);
  // False if the bytes are no part of a snapshot.
  [[nodiscard]] bool verify(ByteView bytes);

  SnapshotFetchSettings settings_;
  Ports ports_;
  FrameParser parser_;
  FrameWriter writer_;
  SnapshotOrder order_;
  crypto::Digest snapshot_;  // zeros: none was begun
  std::uint64_t bytes_ = 0;
  std::uint64_t offset_ = 0;
  bool complete_ = false;
  std::optional<memory::ProcessIndex> peer_;
  bool asked_ = false;
  Instant deadline_;
  Instant ask_at_;
  std::uint64_t orders_ = 0;
  SnapshotFetchCounters counters_;
};

}  // namespace mallard::rsm
