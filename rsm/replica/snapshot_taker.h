// Takes snapshots of what the machine and the outbound links are, a piece in each turn, while commands go on:
// the machine is frozen by a view, and bodies of batches are only added behind or forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/contract/machine.h"
#include "rsm/replica/egress_log.h"
#include "rsm/replica/journal_port.h"
#include "rsm/replica/log_index.h"
#include "rsm/replica/snapshot/snapshot_files.h"

namespace mallard::rsm {

// How much log lies between two snapshots, whichever comes first.
struct SnapshotSettings {
  std::uint64_t every_bytes = 64U << 20;  // of log
  std::uint64_t every_entries = 20'000;
};

// How much log a journal must have room for. It holds the log from the snapshot before the newest on, and
// each of the two may lie three intervals behind the next; then what was journaled and not executed yet, up
// to a ring; and a snapshot from a peer may lie a ring beyond what was executed.
struct JournalRoom {
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
};
[[nodiscard]] JournalRoom journal_room(const SnapshotSettings& settings, std::uint64_t ring_bytes);

class SnapshotTaker {
 public:
  // All outlive the taker, and the machine ends with it: a view that is open then is not closed.
  struct Ports {
    Machine& machine;
    const EgressLog& egress;
    JournalPort& journal;
  };
  // `kept`: what a recovery found. All memory is allocated here.
  SnapshotTaker(const SnapshotSettings& settings, const Ports& ports, const KeptSnapshots& kept);
  SnapshotTaker(const SnapshotTaker&) = delete;
  SnapshotTaker& operator=(const SnapshotTaker&) = delete;

  // One turn: begins a snapshot where one is due, orders its next piece when the one before is durable.
  // `at`: where the machine stands. Returns whether anything was ordered.
  bool turn(const LogStart& at);
  // Three intervals of log have come since the newest snapshot, so that the journal may fill before the next:
  // nothing more is to be executed until then.
  [[nodiscard]] bool is_behind(const LogPlace& at) const;
  // The next turn begins a snapshot wherever the machine stands, unless one is being taken.
  void take_soon() { wanted_ = true; }
  // One came from a peer, and machine and links are what it says. Nothing was being taken.
  void adopt(const StoredSnapshot& snapshot) { kept_.keep(snapshot); }
  // Gives up the one that is being taken; where all of it was ordered, waits until that is carried out.
  void abandon();
  [[nodiscard]] bool is_idle() const { return step_ == Step::idle; }
  // All orders of snapshots that were given, by this or by an install, were carried out.
  [[nodiscard]] bool is_settled() const { return ports_.journal.snapshot_orders() == orders_; }
  // An install gave orders to the journal.
  void count_orders(std::uint64_t orders) { orders_ += orders; }

  [[nodiscard]] const KeptSnapshots& kept() const { return kept_; }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

 private:
  enum class Step : std::uint8_t { idle, links, state, keeping };

  [[nodiscard]] bool is_due(const LogPlace& at) const;
  [[nodiscard]] bool begin(const LogStart& at);
  // Each adds frames to the piece until it is full or the step is done.
  void add_links();
  void add_state();
  void add(FrameKind kind, std::size_t payload_bytes);
  void start_link(std::size_t link);
  void finish();
  // The snapshot that was taken is durable under its name.
  void note_kept();
  void close_view();

  SnapshotSettings settings_;
  Ports ports_;
  KeptSnapshots kept_;
  FrameWriter frames_;
  std::vector<std::byte> piece_;
  std::vector<EgressExtent> extents_;  // of links, when the snapshot was begun
  Step step_ = Step::idle;
  bool wanted_ = false;
  bool first_ = false;  // the piece begins the file
  ViewId view_;
  ExportCursor cursor_;
  std::size_t link_ = 0;
  BatchNumber batch_;  // the next of that link
  LogPlace place_;
  StoredSnapshot taking_;
  std::uint64_t written_ = 0;
  std::uint64_t orders_ = 0;
  std::uint64_t taken_ = 0;
  cft::Lsn hashed_at_ = 0;
};

}  // namespace mallard::rsm
