// A replica around a CFT core in the simulator: does what a real shell does, over the simulated fabric and
// disk, and lets a watcher see everything.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "config/base/prng.h"
#include "rsm/core/cft/cft_core.h"
#include "tests/sim/cft/sim_journal.h"
#include "tests/sim/memory/sim_fabric.h"

namespace mallard::sim::cft {

class SimHost;

// Sees what hosts do, as it happens.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // An entry of the decided log was executed.
  virtual void executed(SimHost& host, const rsm::cft::Entry& entry) = 0;
  // What should be executed does not lie in own ring any more.
  virtual void lost_entry(SimHost& host, rsm::cft::Lsn at) = 0;
  // A proposal is durable at its leader: its client hears of it.
  virtual void answered(SimHost& host, rsm::cft::ProposalId proposal, rsm::cft::Lsn end) = 0;
  virtual void role_changed(SimHost& host, const rsm::cft::RoleChanged& change) = 0;
  // Own log was granted to the leader of this promise.
  virtual void granted(SimHost& host, rsm::cft::Ballot promise) = 0;
  // A write of entries up to `end` was reported as done.
  virtual void accepted(SimHost& leader, memory::ProcessIndex follower, rsm::cft::Lsn end) = 0;
  virtual void snapshot_needed(SimHost& host, const rsm::cft::NeedSnapshot& need) = 0;
  virtual void ordered(SimHost& host, const rsm::cft::Effect& effect) = 0;
  // A client asks to read; what it gets to see is the log up to `at`.
  virtual void read_asked(SimHost& host, std::uint64_t read) = 0;
  virtual void reads_answered(SimHost& host, std::uint64_t through, rsm::cft::Lsn at) = 0;
  virtual void reads_refused(SimHost& host, std::uint64_t through) = 0;
  // Deposed: this many of its proposals, or none, may or may not be decided.
  virtual void gave_up(SimHost& host, std::size_t proposals) = 0;
  virtual void stepped(SimHost& host, bool had_effects) = 0;
};

// The proposals of changes of members are numbered with this and the replica that comes or goes.
inline constexpr rsm::cft::ProposalId member_proposals = rsm::cft::ProposalId{1} << 63;

struct HostShape {
  rsm::cft::CftSettings core;
  Duration sync_min = Duration::microseconds(2);
  Duration sync_max = Duration::microseconds(50);
  std::uint32_t apply_per_turn = 64;  // entries executed in one turn at most
  std::uint32_t snapshot_every = 64;  // entries
  std::uint32_t proposals_per_turn = 4;
  Duration propose_every{};  // a leader that drips; 0: at will
};

// What a host consists of, as a value: an explorer keeps it and goes back to it.
struct HostState {
  struct Request {
    rsm::cft::ProposalId id = 0;
    std::size_t bytes = 0;
    bool member = false;
    bool add = false;
  };
  struct Unanswered {
    rsm::cft::ProposalId id = 0;
    rsm::cft::Lsn end = 0;
  };

  rsm::cft::CftCore core;
  std::vector<bool> live;  // links, as the core knows
  std::vector<std::array<std::byte, rsm::cft::card_bytes>> cards;
  bool regranting = false;
  Instant last_sync;
  Instant next_proposal;
  rsm::cft::LogMark executed;
  rsm::cft::Members executed_members;
  rsm::cft::Lsn durable = 0;
  std::uint64_t since_snapshot = 0;
  std::uint64_t turns = 0;
  bool refused = false;
  std::uint64_t reads = 0;
  std::deque<Request> requests;
  std::deque<Unanswered> unanswered;
};

class SimHost {
 public:
  // Begins a life. The ring of own log region is filled from the journal.
  SimHost(SimFabric& fabric, const HostShape& shape, SimJournal& journal, Watcher& watcher, Prng prng);

  // One part of a turn: takes what the fabric reports.
  void hear_reports(Instant now);
  // One turn of the loop: reports, own memory, disk, machine, proposals, deadlines.
  void turn(Instant now);
  [[nodiscard]] Instant next_deadline() const;

  // A client's request, kept until this host leads and placed it; what is still there when it stops leading
  // is forgotten.
  void request(rsm::cft::ProposalId id, std::size_t bytes) { state_.requests.push_back({id, bytes}); }
  void request_member(memory::ProcessIndex replica, bool add);
  // One of those waits.
  [[nodiscard]] bool asks_for_member() const;
  void ask_read(Instant now);
  void demand(std::uint64_t requests, Instant now);
  void install(const rsm::cft::LogMark& stable, const rsm::cft::Members& members, Instant now);

  [[nodiscard]] memory::ProcessIndex self() const { return shape_.core.self; }
  [[nodiscard]] const rsm::cft::CftCore& core() const { return state_.core; }
  // For explorers. Works on their way point into the state, so it is restored into the same host.
  [[nodiscard]] const HostState& state() const { return state_; }
  void restore(const HostState& state) { state_ = state; }
  // Equal for states that do the same from now on, times aside.
  [[nodiscard]] std::uint64_t fingerprint() const;
  [[nodiscard]] const HostShape& shape() const { return shape_; }
  [[nodiscard]] ByteView log_memory() { return fabric_->domain(self()).bytes(rsm::cft::log_region); }
  [[nodiscard]] const rsm::cft::LogMark& executed() const { return state_.executed; }
  [[nodiscard]] const rsm::cft::Members& members() const { return state_.executed_members; }  // as executed
  [[nodiscard]] std::size_t waiting() const { return state_.requests.size(); }
  [[nodiscard]] bool has_unanswered() const { return !state_.unanswered.empty(); }
  [[nodiscard]] std::uint64_t turns() const { return state_.turns; }
  void set_drip(Duration every) { shape_.propose_every = every; }
  void set_apply_per_turn(std::uint32_t entries) { shape_.apply_per_turn = entries; }
  void set_sync(Duration low, Duration high) {
    shape_.sync_min = low;
    shape_.sync_max = high;
  }

 private:
  // What the journal knows to be decided is executed before the core begins; the rest fits the ring.
  static rsm::cft::CftSettings started(const rsm::cft::CftSettings& settings, const SimJournal& journal);
  void replay();
  void fill_ring();
  void tell(const rsm::cft::Fact& fact, Instant now);
  void carry_out(Instant now);
  void post_chain(std::size_t first, std::size_t count);
  void drain(memory::ProcessIndex to);
  void execute(Instant now);
  void propose(Instant now);
  void carry_out(const rsm::cft::Post&, Instant) {}
  void carry_out(const rsm::cft::ResetLink& effect, Instant now);
  void carry_out(const rsm::cft::Regrant& effect, Instant now);
  void carry_out(const rsm::cft::PersistEntries& effect, Instant now);
  void carry_out(const rsm::cft::PersistPromise& effect, Instant now);
  void carry_out(const rsm::cft::Advanced& effect, Instant now);
  void carry_out(const rsm::cft::RoleChanged& effect, Instant now);
  void carry_out(const rsm::cft::Placed& effect, Instant now);
  void carry_out(const rsm::cft::Refused& effect, Instant now);
  void carry_out(const rsm::cft::ReadAt& effect, Instant now);
  void carry_out(const rsm::cft::ReadsRefused& effect, Instant now);
  void carry_out(const rsm::cft::Deposed& effect, Instant now);
  void carry_out(const rsm::cft::MembersChanged&, Instant) {}
  void carry_out(const rsm::cft::NeedSnapshot& effect, Instant now);
  [[nodiscard]] Instant synced_at(Instant now);

  SimFabric* fabric_;
  HostShape shape_;
  SimJournal* journal_;
  Watcher* watcher_;
  Prng prng_;
  rsm::cft::CftSettings start_;
  rsm::cft::Effects effects_;
  std::vector<std::byte> payload_;
  HostState state_;
};

}  // namespace mallard::sim::cft
