#include "rsm/replica/snapshot_recovery.h"

#include <algorithm>
#include <string>

namespace mallard::rsm {
namespace {

class SnapshotLoad {
 public:
  // All outlive the load.
  SnapshotLoad(journal::Disk& disk, Machine& machine, EgressLog& egress);

  // Machine and links are empty from now on, until the load is done. False: it cannot be read.
  [[nodiscard]] bool begin(const StoredSnapshot& snapshot);
  enum class Outcome : std::uint8_t { more, done, failed };
  // The next frame.
  [[nodiscard]] Outcome step();

 private:
  [[nodiscard]] bool take(const SnapshotFrame& frame);

  Machine& machine_;
  EgressLog& egress_;
  SnapshotReader reader_;
  StoredSnapshot snapshot_;
  bool state_is_whole_ = false;
};

SnapshotLoad::SnapshotLoad(journal::Disk& disk, Machine& machine, EgressLog& egress)
    : machine_(machine), egress_(egress), reader_(disk) {}

bool SnapshotLoad::begin(const StoredSnapshot& snapshot) {
  snapshot_ = snapshot;
  state_is_whole_ = false;
  if (!reader_.open(snapshot.slot)) {
    return false;
  }
  egress_.clear();
  machine_.begin_import(snapshot.head.state);
  return true;
}

SnapshotLoad::Outcome SnapshotLoad::step() {
  switch (reader_.next()) {
    case FrameOutcome::frame:
      if (take(reader_.parser().frame())) {
        return Outcome::more;
      }
      break;
    case FrameOutcome::more:
      if (state_is_whole_ && reader_.parser().chain() == snapshot_.digest) {
        reader_.close();
        return Outcome::done;
      }
      break;
    case FrameOutcome::damaged:
      break;
  }
  reader_.close();
  return Outcome::failed;
}

// The order of the frames, and what they may say, was verified with the file.
bool SnapshotLoad::take(const SnapshotFrame& frame) {
  switch (frame.kind) {
    case FrameKind::link: {
      const auto link = read_link(frame.payload);
      if (link) {
        egress_.restore(link->link, link->generation, link->newest, link->newest_message);
      }
      return link.has_value();
    }
    case FrameKind::batch: {
      const auto record = read_batch(frame.payload);
      if (record) {
        egress_.restore(record->link, record->batch, record->body);
      }
      return record.has_value();
    }
    case FrameKind::state: {
      const auto imported = machine_.import_chunk(frame.payload);
      state_is_whole_ = imported && *imported;
      return imported.has_value();
    }
    case FrameKind::head:
    case FrameKind::end:
      return true;
  }
  return false;
}

}  // namespace

bool load_snapshot(journal::Disk& disk, Machine& machine, EgressLog& egress, const StoredSnapshot& snapshot) {
  SnapshotLoad load(disk, machine, egress);
  auto outcome = load.begin(snapshot) ? SnapshotLoad::Outcome::more : SnapshotLoad::Outcome::failed;
  while (outcome == SnapshotLoad::Outcome::more) {
    outcome = load.step();
  }
  return outcome == SnapshotLoad::Outcome::done;
}

namespace {

// The journal has a number of its own for the state that it goes on behind, where its log was lost before.
void place_in(const journal::Journal& journal, StoredSnapshot& snapshot) {
  if (journal.snapshot().digest == snapshot.digest) {
    snapshot.end.index = journal.snapshot().index;
  }
}

// Makes the journal go on behind the state.
journal::JournalResult<void> join(journal::Journal& journal, RecoveredState& state,
                                  journal::SnapshotPosition position) {
  journal::EntryIndex& index = state.start.place.index;
  if (index < journal.front()) {
    state.lost = true;
    index = std::max(journal.last(), journal.snapshot().index);
    position.index = index;
    return journal.restart_after(position);
  }
  if (index > journal.last()) {
    return journal.restart_after(position);
  }
  if (index > journal.snapshot().index) {
    journal.set_commit(index);
    return journal.set_snapshot(position);
  }
  return {};
}

}  // namespace

journal::JournalResult<RecoveredState> recover_state(journal::Journal& journal, Machine& machine,
                                                     EgressLog& egress, const cft::Members& beginning) {
  RecoveredState state;
  SnapshotReader reader(journal.disk());
  for (std::uint8_t slot = 0; slot < snapshot_slots; ++slot) {
    if (auto stored = verify_snapshot(reader, slot)) {
      place_in(journal, *stored);
      state.kept.keep(*stored);
    }
  }
  journal::SnapshotPosition position;
  if (const StoredSnapshot* snapshot = state.kept.newest(); snapshot != nullptr) {
    if (!load_snapshot(journal.disk(), machine, egress, *snapshot)) {
      return Failure<journal::JournalError>(
          journal::JournalError{.fault = journal::JournalFault::settings,
                                .what = std::string(snapshot_name(snapshot->slot).text()) +
                                        " does not fit the limits of the state, or can no longer be read",
                                .advice = "start with the limits that the cluster had"});
    }
    state.start = {snapshot->place(), snapshot->head.members};
    position = snapshot->position();
  } else {
    state.start = {{}, beginning};
    // Where the log was lost before, the beginning has a number, too.
    if (journal.snapshot().digest == crypto::Digest{}) {
      state.start.place.index = journal.snapshot().index;
    }
  }
  if (auto joined = join(journal, state, position); !joined) {
    return Failure<journal::JournalError>(joined.error());
  }
  if (const StoredSnapshot* snapshot = state.kept.newest(); snapshot != nullptr) {
    StoredSnapshot placed = *snapshot;
    placed.end.index = state.start.place.index;
    state.kept.keep(placed);
  }
  return state;
}

}  // namespace mallard::rsm
