// The crash-tolerant engine of one replica: a log that one leader at a time writes into the memory of the
// others, one write each for an entry in the common case.
//
// Mu (OSDI 2020) on Protected Memory Paxos (PODC 2019, section 5): each replica grants the right to write its
// log to one leader at a time, so a write that succeeded proves that nobody took the lead in between. What
// Mu's prototype lacks is decided here: any minority may be truly dead, every restart, growth and catch-up is
// part of the protocol, and nothing stops for recycling. The rules and why they hold: rsm/core/cft/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/time.h"
#include "rsm/core/cft/card.h"
#include "rsm/core/cft/cft_settings.h"
#include "rsm/core/cft/effect.h"
#include "rsm/core/cft/entry_log.h"
#include "rsm/core/cft/event.h"
#include "rsm/core/cft/peer.h"

namespace mallard::rsm::cft {

class CftCore {
 public:
  using Event = cft::Event;
  using Effects = cft::Effects;
  static constexpr std::size_t effects_per_step_max = cft::effects_per_step_max;

  // All memory that the core will ever use is allocated here. `settings` must be valid (the loader's duty).
  explicit CftCore(const CftSettings& settings);

  void step(const Event& event, Instant now, Effects& effects) noexcept;
  void on_deadline(Instant now, Effects& effects) noexcept;
  [[nodiscard]] Instant next_deadline() const noexcept;

  // What a Post with a card writes, as it stands after the step that ordered it. `room` has card_bytes.
  void write_card(ByteSpan room) const noexcept;

  // For status, metrics and tests.
  [[nodiscard]] Role role() const noexcept { return role_; }
  [[nodiscard]] Ballot promise() const noexcept { return promise_; }
  [[nodiscard]] const EntryLog& log() const noexcept { return log_; }
  [[nodiscard]] bool recovering() const noexcept { return recovering_; }
  [[nodiscard]] bool needs_snapshot() const noexcept { return needs_snapshot_; }
  [[nodiscard]] bool caught_up() const noexcept { return caught_up_ || role_ == Role::leader; }
  // The newest membership in the log, decided or not.
  [[nodiscard]] Members members() const noexcept { return pending_ ? pending_->members : members_; }
  // The newest reign that somebody found too slow.
  [[nodiscard]] Ballot accused() const noexcept { return accused_; }
  // The ring has the log from here on.
  [[nodiscard]] Lsn tail() const noexcept;
  [[nodiscard]] const Peer& peer(memory::ProcessIndex process) const { return peers_.at(process.value); }
  // For explorers: cores with equal digests do the same from now on, times aside, if what they have on its
  // way is the same too.
  [[nodiscard]] std::uint64_t digest() const;

 private:
  enum class Phase : std::uint8_t { collecting, verifying, fetching, entering };
  // Kinds of works, in the top bits of their ids.
  enum class WorkTag : std::uint8_t { entries = 1, control, card, look, fetch, status };

  struct PendingMembers {
    Members members;
    Lsn end = 0;
  };
  struct PendingTicket {
    JournalTicket ticket = 0;
    Lsn to = 0;  // 0: a promise
    Ballot promise;
  };
  // What peers are told of at once when it changes.
  struct Announced {
    Ballot promise, request, reign, accused;
    memory::GrantNumber grant;
    std::uint32_t flags = 0;
    Members members;
    friend bool operator==(const Announced&, const Announced&) = default;
  };
  // What the leader of the promise is told of as well.
  struct Reported {
    Lsn persisted = 0;
    Lsn credit = 0;
  };
  static constexpr std::size_t tickets_max = 64;
  // Of the time after which who does not move forward rests; and after how many such times one is taken back.
  static constexpr std::uint32_t stall_doublings_max = 4;
  static constexpr std::int64_t stalls_eased_after = 64;
  // So many poll_intervals may lie between two beats of a replica that sleeps.
  static constexpr std::int64_t slowest_beat = 16;
  // In poll_intervals: an orphan is taken in after this, and a lead is renewed no more often than this.
  static constexpr std::int64_t orphan_after = 4;
  static constexpr std::int64_t renewals_apart = 64;
  // Effects that a step may order besides writes of entries.
  static constexpr std::size_t effects_reserve = 256;

  // ---- cft_core.cc: events, deadlines, what is told to whom
  void on(const Polled& fact, const OwnMemory& memory);
  void on(const Completed& fact, const OwnMemory& memory);
  void on(const LinkUp& fact, const OwnMemory& memory);
  void on(const Regranted& fact, const OwnMemory& memory);
  void on(const Propose& fact, const OwnMemory& memory);
  void on(const ProposeMember& fact, const OwnMemory& memory);
  void on(const Demand& fact, const OwnMemory& memory);
  void on(const AskRead& fact, const OwnMemory& memory);
  void on(const Persisted& fact, const OwnMemory& memory);
  void on(const Applied& fact, const OwnMemory& memory);
  void on(const SnapshotInstalled& fact, const OwnMemory& memory);
  void begin(const OwnMemory& memory);
  void settle();
  void tell_peers();
  void tell_shell();
  [[nodiscard]] Announced announcement() const;
  [[nodiscard]] Card own_card() const;

  // ---- cft_core_links.cc: works, links, heartbeats
  [[nodiscard]] memory::WorkId work_id(WorkTag tag, const Peer& peer, std::uint64_t value) const;
  void post(Peer& peer, WorkTag tag, std::uint64_t value, Post post);
  void post_card(Peer& peer);
  void post_look(Peer& peer);
  void post_status();
  void reset(Peer& peer);
  void completed(Peer& peer, WorkTag tag, std::uint64_t value, const OwnMemory& memory);
  void looked(Peer& peer, const OwnMemory& memory);
  void absorb(Peer& peer, const Card& card);
  void look_around();
  [[nodiscard]] memory::ProcessIndex index_of(const Peer& peer) const;
  [[nodiscard]] bool has_room(const Peer& peer, std::uint32_t works) const;

  // ---- cft_core_election.cc: who should lead, promises and grants, becoming leader
  [[nodiscard]] bool eligible(memory::ProcessIndex process) const;
  [[nodiscard]] std::optional<memory::ProcessIndex> view() const;
  [[nodiscard]] Members newest_members() const;
  [[nodiscard]] bool grant_ready() const;
  void consider();
  void consider_recovery();
  void grant(Ballot ballot, memory::ProcessIndex leader);
  void regranted(memory::GrantNumber number, const OwnMemory& memory);
  void become_candidate();
  [[nodiscard]] memory::ProcessSet granted_set() const;
  [[nodiscard]] memory::ProcessSet verified_set() const;
  void run_candidacy(const OwnMemory& memory);
  void start_verifying();
  void choose_log(const OwnMemory& memory);
  void fetch();
  void fetched(std::uint64_t value, const OwnMemory& memory);
  void lead(const OwnMemory& memory);
  void open_reign(const OwnMemory& memory);
  [[nodiscard]] Ballot claimed() const { return role_ == Role::leader ? ballot_ : renews_; }
  void renew();
  void step_down();
  void rest();
  void watch_progress();
  [[nodiscard]] bool is_asked_for(Ballot reign) const;
  void watch_demand();
  void accuse(Ballot reign);

  // ---- cft_core_log.cc: reading, journal, decisions, credit
  void follow(const OwnMemory& memory);
  bool read_more(const OwnMemory& memory, Ballot newest);
  void order_journal();
  void decide(Lsn lsn);
  [[nodiscard]] Lsn released() const;
  [[nodiscard]] Lsn own_persisted() const;
  void update_credit();
  void watch_distance();

  // ---- cft_core_leader.cc: what a leader does with its followers
  void admit_all();
  void admit(Peer& peer);
  void dismiss(Peer& peer);
  void replicate(Peer& peer);
  void tell_control(Peer& peer);
  void tell_stable();
  void count_acceptances();
  [[nodiscard]] Lsn accepted_by_majority(bool durable) const;
  template <class ValueOf>
  [[nodiscard]] std::uint64_t reached_by_majority(std::uint64_t own, ValueOf value_of) const;
  void carry_reads(Peer& peer) const;
  void confirm_reads();
  void refuse_reads();
  [[nodiscard]] Lsn room_limit() const;
  [[nodiscard]] std::optional<Refusal> refusal(std::uint64_t payload) const;
  void place(ProposalId proposal, EntryKind kind, ByteView payload, const OwnMemory& memory);
  void watch_slow_followers();
  [[nodiscard]] bool reaches_majority_of(const Members& members) const;

  CftSettings settings_;
  memory::ProcessIndex self_;
  Instant now_;
  Effects* effects_ = nullptr;  // of the step at hand
  bool begun_ = false;

  EntryLog log_;
  std::vector<Peer> peers_;  // by process; own place: the link to itself
  Members members_;          // decided
  std::optional<PendingMembers> pending_;

  // As an acceptor.
  Ballot promise_;
  bool promise_durable_ = true;
  memory::GrantNumber grant_;  // of own log to the leader of promise_; 0: none, or under way
  bool switching_ = false;     // a regrant is under way
  LogMark grant_end_;          // own log when the grant was given
  bool caught_up_ = false;     // follower: own ring has all of its leader's log at some time of its reign
  Lsn credit_ = 0;             // nobody writes own ring beyond
  Lsn tail_ = 0;               // own ring lost what is before
  Lsn applied_ = 0;
  Lsn persisted_ = 0;
  Lsn stable_hint_ = 0;  // decided according to what was read
  bool recovering_ = false;
  Lsn recover_to_ = 0;
  bool needs_snapshot_ = false;
  Instant behind_since_ = Instant::never();
  Ballot status_promise_;  // in own card as it lies in own memory
  Ballot status_writing_;  // in the one that is being written there
  std::uint64_t beat_ = 0;

  // As a candidate or leader.
  Role role_ = Role::follower;
  Ballot ballot_;
  Ballot renews_;  // a candidate that led with it: its own log is as it was, and what it placed is open
  Phase phase_ = Phase::collecting;
  Instant progress_at_;       // last step forward of a candidacy or of the log
  std::uint32_t stalls_ = 0;  // rests not long ago
  Instant eased_at_;          // when there was last one, or one was forgotten
  Instant resting_until_;
  std::uint64_t looks_ = 0;
  std::uint64_t verify_after_ = 0;  // looks of greater numbers verify
  memory::ProcessIndex source_;     // the log that is fetched
  Lsn fetch_at_ = 0;
  LogMark fetch_end_;  // chain is not known
  bool fetch_out_ = false;
  Lsn reign_end_ = 0;    // of the first entry of this reign; 0: not placed yet
  Lsn committed_ = 0;    // in the memory of a majority
  Lsn piggybacked_ = 0;  // what the last entry said of decisions
  Instant stable_word_due_ = Instant::never();
  std::uint64_t reads_asked_ = 0;
  std::uint64_t reads_answered_ = 0;  // or refused
  bool starved_ = false;              // a proposal found the ring full
  Instant orphan_since_ = Instant::never();
  Instant next_renewal_;  // not before

  // Slow leaders.
  Ballot accused_;
  std::uint64_t demand_ = 0;
  std::uint64_t decided_ = 0;
  std::uint32_t slow_windows_ = 0;
  Ballot watched_reign_;  // that they were counted in
  Instant window_end_;

  JournalTicket tickets_ = 0;
  std::vector<PendingTicket> pending_tickets_;  // in order; room for tickets_max
  Announced announced_;
  Reported reported_;
  Advanced told_;
  RoleChanged told_role_;
  Members told_members_;
  bool told_decided_ = true;
  Instant next_tick_;
};

}  // namespace mallard::rsm::cft
