// The crash-tolerant core of one replica with what it needs around it: own memory, a link to every replica,
// the journal. Proposals go in, decided entries come out. No thread, clock or socket of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/result.h"
#include "config/contract/machine.h"
#include "config/contract/one_sided.h"
#include "rsm/core/cft/cft_core.h"
#include "rsm/replica/journal_port.h"
#include "rsm/replica/log_index.h"
#include "rsm/replica/work_outbox.h"
#include "transport/driver/core_driver.h"

namespace mallard::rsm {

// An entry's number for the machine: where it ends in the log, in units of 64 bytes. Grows strictly with the
// log and is the same on all replicas, whatever their journals count.
[[nodiscard]] constexpr CommitIndex commit_index(cft::Lsn end) {
  return CommitIndex(end / cft::entry_alignment);
}

struct EngineSettings {
  cft::CftSettings core;
  LogPlace applied;                           // the machine and the journal stand here: the core's stable end
  std::vector<LogPlace> undecided;            // what the journal has beyond, in order
  bool may_vote = true;                       // the journal says so; else it is told when that has changed
  std::uint32_t entries_per_turn = 256;       // that are applied
  std::uint64_t bytes_per_turn = 1ULL << 20;  // likewise
};

// Called from inside of the engine; must not call back into it.
class EngineObserver {
 public:
  virtual ~EngineObserver() = default;
  // A decided and durable command, in the order of the log, each once.
  virtual void on_decided(CommitIndex index, ByteView command) = 0;
  // What this replica proposed beyond `after` and has not seen decided may be decided or not.
  virtual void on_deposed(CommitIndex after) = 0;
  // All reads up to this one that were asked of may be answered once `index` was handed over.
  virtual void on_read_at(std::uint64_t read, CommitIndex index) = 0;
  // This replica does not lead, or no longer: nothing is known for the reads that were asked of and not
  // answered.
  virtual void on_reads_refused() = 0;
  // Who leads, as far as is known.
  virtual void on_leader(std::optional<memory::ProcessIndex> leader) = 0;
};

class Engine {
 public:
  // All outlive the engine. `links` are by process, own place included.
  struct Ports {
    memory::Domain& domain;
    std::vector<memory::Link*> links;
    JournalPort& journal;
    EngineObserver& observer;
  };

  // Own log region already holds the log from the core's start point on. Everything is allocated here.
  Engine(const EngineSettings& settings, Ports ports);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // One turn: takes what links and journal report, looks at own memory, runs deadlines, hands over what was
  // decided. Returns whether there was anything to do; then more may be ready at once.
  bool turn(Instant now);
  // When turn() must be called at the latest. Others write into own memory without a sign, so who wants to
  // see that sooner calls it more often.
  [[nodiscard]] Instant next_deadline() const { return driver_.next_deadline(); }

  // Puts the command into the log: the index under which it will be decided unless on_deposed() comes before.
  // The bytes are copied.
  [[nodiscard]] Result<CommitIndex, cft::Refusal> propose(ByteView command, Instant now);
  // Reads came, which are to see everything that anybody was told before, without an entry of their own. They
  // are numbered 1, 2, 3 ...; this is the last of them.
  void ask_read(std::uint64_t read, Instant now) { step(cft::AskRead{read}, now); }
  // So many requests newly came to this replica that a leader should get decided.
  void demand(std::uint64_t requests, Instant now);

  // The journal failed, or own memory does not hold what was written there: the process is to end.
  [[nodiscard]] bool failed() const { return shell_.corrupt || shell_.ports.journal.failed(); }
  [[nodiscard]] bool is_leader() const { return core().role() == cft::Role::leader; }
  [[nodiscard]] const cft::CftCore& core() const { return driver_.core(); }
  // The last entry that was handed over.
  [[nodiscard]] const LogPlace& applied() const { return shell_.index.base(); }
  // Entries up to here may be handed over: decided, and as durable as was asked for.
  [[nodiscard]] cft::Lsn durable() const { return shell_.durable; }
  [[nodiscard]] cft::Members members() const { return shell_.decided_members; }
  // Where what was handed over ends, and who was a member there.
  [[nodiscard]] LogStart standing() const { return {applied(), shell_.applied_members}; }

  // What this replica lacks is in no ring any more: it needs a snapshot that reaches at least so far.
  [[nodiscard]] std::optional<cft::Lsn> needs_snapshot() const {
    return core().needs_snapshot() ? std::optional(shell_.at_least) : std::nullopt;
  }
  // The entry of own log that ends there, if it was not handed over yet.
  [[nodiscard]] std::optional<LogPlace> place_of(const cft::LogMark& end) const {
    return shell_.index.find(end);
  }
  // The last entry that the journal was ordered to have.
  [[nodiscard]] const LogPlace& last() const { return shell_.index.last(); }
  // What was needed has come in another way.
  void need_no_snapshot(Instant now) { step(cft::SnapshotInstalled{applied().end, members()}, now); }
  // A snapshot is installed and durable; it lies after what was handed over.
  void installed(const LogStart& state, Instant now);

 private:
  static constexpr std::size_t reports_per_poll = 64;

  // What the driver sees.
  struct Shell {
    Shell(const EngineSettings& settings, Ports its_ports);
    void carry_out(const cft::Effect& effect, Instant now);
    bool next_event(cft::Event& /*event*/) { return false; }

    void carry_out(const cft::Post& order);
    void carry_out(const cft::ResetLink& order);
    void carry_out(const cft::Regrant& order);
    void carry_out(const cft::PersistEntries& order);
    void carry_out(const cft::PersistPromise& order);
    void carry_out(const cft::Advanced& news);
    void carry_out(const cft::RoleChanged& news);
    void carry_out(const cft::Placed& answer);
    void carry_out(const cft::Refused& answer);
    void carry_out(const cft::Deposed& news);
    void carry_out(const cft::MembersChanged& news);
    void carry_out(const cft::NeedSnapshot& news) { at_least = news.at_least; }
    void carry_out(const cft::ReadAt& news) { ports.observer.on_read_at(news.read, commit_index(news.at)); }
    void carry_out(const cft::ReadsRefused& /*news*/) { ports.observer.on_reads_refused(); }

    // The entry of own log after `previous`.
    [[nodiscard]] std::optional<cft::Entry> entry_after(const cft::LogMark& previous);
    [[nodiscard]] journal::Promises promises(bool may_vote) const;
    void flush();

    Ports ports;
    cft::MemoryLayout layout;
    const cft::CftCore* core = nullptr;
    std::vector<WorkOutbox> outboxes;
    std::vector<bool> up;  // the core was told so
    LogIndex index;
    cft::Lsn durable = 0;
    cft::Members decided_members;
    cft::Members applied_members;  // as of the last entry that was handed over
    cft::Lsn at_least = 0;         // of the snapshot that is needed
    cft::JournalTicket highest_ticket = 0;
    bool regranting = false;
    bool may_vote = true;
    bool corrupt = false;
    // What became of the proposal of this step.
    std::optional<Result<CommitIndex, cft::Refusal>> answer;
  };

  void step(const cft::Fact& fact, Instant now);
  bool poll_link(memory::ProcessIndex to, Instant now);
  bool poll_regrant(Instant now);
  bool poll_journal(Instant now);
  bool apply(Instant now);

  EngineSettings settings_;
  Shell shell_;
  transport::CoreDriver<cft::CftCore, Shell> driver_;
  cft::JournalTicket persisted_ = 0;
};

}  // namespace mallard::rsm
