// What a replica process runs: engine, machine and clients, as one object that is driven by turns. It owns no
// thread, socket or clock, so that production and tests run the same object.
//
// A command's way: Submit at the door -> its queue -> own log -> durable as the cluster's durability says ->
// executed -> Reply. A read waits until a majority has confirmed the leader's reign and what was decided
// before is executed, so it is linearizable without any clock and without an entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/payload_pool.h"
#include "config/contract/machine.h"
#include "rsm/replica/command_desk.h"
#include "rsm/replica/door_port.h"
#include "rsm/replica/engine.h"
#include "rsm/replica/link_desk.h"
#include "rsm/replica/log_recovery.h"
#include "rsm/replica/peer_message.h"
#include "rsm/replica/snapshot_fetch.h"
#include "rsm/replica/snapshot_source.h"
#include "rsm/replica/snapshot_taker.h"

namespace mallard::rsm {

struct ReplicaSettings {
  memory::ProcessIndex self;
  cft::MemoryLayout layout;  // must stay what the log was begun with
  cft::Durability durability = cft::Durability::disk;
  Incarnation incarnation{1};  // of this process; greater than in any earlier life of this replica
  // The cluster is being founded: an empty store, or one that was made and no more, is this replica's first
  // life, not one that lost its log. Said until a founding has succeeded, by who sets the cluster up.
  bool founding = false;
  cft::Members founders;  // the first membership
  // Windows and times. What stands above is filled in.
  cft::CftSettings core;
  CommandDeskSettings commands;
  LinkDeskSettings links;
  SnapshotSettings snapshots;
  // Of snapshots from peers; `self` and `replicas` are filled in.
  SnapshotFetchSettings fetch;
};

// What this replica is doing, for status and metrics.
enum class ReplicaState : std::uint8_t {
  recovering,      // lost its log, or a part of it: votes again when it has read what it may have promised
  needs_snapshot,  // lacks log that nobody has in memory any more
  following,
  leading,
  electing,  // knows of no leader
  failed,    // journal or memory failed: the process is to end
};
[[nodiscard]] std::string_view replica_state_name(ReplicaState state);

// Watches what the replica executes; for traces and tests. Must not call back.
class ReplicaObserver {
 public:
  virtual ~ReplicaObserver() = default;
  // Also those that are replayed at start.
  virtual void on_executed(CommitIndex index, ByteView command) = 0;
};

class Replica final : private EngineObserver, private RecoveredCommands {
 public:
  // All outlive the replica. `links`: by process, own place included. `observer` may be null; so may `peers`,
  // and then who lacks log that no ring has any more stays without it.
  struct Ports {
    memory::Domain& domain;
    std::vector<memory::Link*> links;
    JournalPort& journal;
    Machine& machine;  // as it was made
    PayloadPool& pool;
    DoorPort& door;
    ReplicaObserver* observer = nullptr;
    PeerPort* peers = nullptr;
  };

  // Brings the machine to where the journal ends, and own memory with it. `store` is the journal behind
  // ports.journal, to which nothing was ordered yet; it is used only here. Its disk is read later, too, and
  // outlives the replica.
  Replica(const ReplicaSettings& settings, const Ports& ports, journal::Journal& store);
  ~Replica() override;
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // From the door; as DoorServerObserver. One reference to the message's body is the replica's to release.
  void on_message(transport::door::DoorConnection from, const transport::door::DoorPeer& peer,
                  const transport::door::DoorMessage& message);
  void on_closed(transport::door::DoorConnection from) { links_.on_closed(from); }

  // From another replica. One reference to the message's body is the replica's to release.
  void on_peer_message(memory::ProcessIndex from, const PeerMessage& message, Instant now);

  // One turn. Returns whether there was anything to do; then more may be ready at once.
  bool turn(Instant now);
  // When turn() must be called at the latest.
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] ReplicaState state() const;
  // The process is to end.
  [[nodiscard]] bool failed() const { return !failure_.empty() || engine_->failed(); }
  // Why, where it is not the journal's failure: a sentence without a final stop.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] std::optional<memory::ProcessIndex> leader() const { return leader_; }
  // How many of the members, this one included, lost their log and do not vote yet, as far as their memory
  // was read in this life. With no majority left that did not, nobody can lead and give it back.
  [[nodiscard]] std::size_t lost_logs() const;
  [[nodiscard]] const Engine& engine() const { return *engine_; }
  [[nodiscard]] const CommandDesk& commands() const { return commands_; }
  [[nodiscard]] const LinkDesk& links() const { return links_; }
  [[nodiscard]] const SnapshotTaker& snapshots() const { return *snapshots_; }
  // Snapshots of peers that were installed.
  [[nodiscard]] std::uint64_t installed() const { return installed_; }
  // Nothing without `peers`.
  [[nodiscard]] const std::optional<SnapshotFetch>& fetch() const { return fetch_; }

 private:
  [[nodiscard]] EngineSettings recover(const ReplicaSettings& settings, journal::Journal& store);
  // What a replica does that lacks log: fetches a snapshot, gives it a place in its journal, and becomes what
  // it says.
  [[nodiscard]] bool is_fetching() const;
  // Own snapshots are out of the way: nobody else writes one meanwhile.
  [[nodiscard]] bool may_fetch() const;
  // The engine gets no turn until a snapshot is durable.
  [[nodiscard]] bool engine_stands() const;
  bool fetch_snapshot(Instant now);
  void start_install();
  bool finish_install(Instant now);
  std::size_t execute(CommitIndex index, ByteView command, ByteSpan reply);
  void on_decided(CommitIndex index, ByteView command) override;
  void on_deposed(CommitIndex after) override;
  void on_read_at(std::uint64_t read, CommitIndex index) override;
  void on_reads_refused() override;
  void on_leader(std::optional<memory::ProcessIndex> leader) override;
  void on_recovered(CommitIndex index, ByteView command) override;

  memory::ProcessIndex self_;
  Ports ports_;
  CommandDesk commands_;
  LinkDesk links_;
  std::vector<std::byte> reply_;
  std::optional<memory::ProcessIndex> leader_;
  std::uint64_t demand_ = 0;  // requests since the last turn
  Instant last_turn_;
  std::string failure_;
  journal::Disk& disk_;
  journal::EntryIndex journaled_;  // the last entry that the journal had at the start, readable or not
  std::optional<SnapshotTaker> snapshots_;
  std::optional<Engine> engine_;
  std::optional<SnapshotSource> source_;
  std::optional<SnapshotFetch> fetch_;
  std::optional<StoredSnapshot> installing_;  // gets its name; nothing is executed meanwhile
  std::uint64_t installed_ = 0;
};

}  // namespace mallard::rsm
