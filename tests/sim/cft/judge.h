// Knows what is true in a world, and compares what replicas do with it.
//
//   agreement          H1: no two replicas execute different entries at one position
//   prefix             H2: each executes the log from its beginning, without a gap
//   validity           H3: each command was proposed by a client, whole, and is in the log once; whoever was
//                      told that his command ends somewhere finds it there
//   single_writer      H6: what a leader was told is written, the next holder of the grant sees
//   bounded_log        H9: window and ring hold; nothing is overwritten before it was executed
//   commit_kept        a new leader has everything that was decided before its reign
//   outcomes_told      who placed a proposal answers it from that place of its log, or says that it cannot
//   durable_recovered  I1, I2: what was answered is on enough disks, and is there in the end
//   linearizable_reads H4: a read sees all that was answered, or seen by a read, before it was asked
//   leader_progress    H11: once the faults end, requests are answered and all replicas catch up in time
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/cft/cft_marks.h"
#include "tests/sim/cft/sim_host.h"

namespace mallard::sim::cft {

struct CftFailure {
  std::string checker;  // empty: none
  std::string detail;
  std::int64_t at_ns = 0;
};

class Judge final : public Watcher {
 public:
  Judge(std::size_t processes, rsm::cft::Durability durability, const std::vector<SimJournal>& journals,
        CftMarks& marks);

  void set_now(Instant now) { now_ = now; }
  void set_hosts(const std::vector<SimHost*>& hosts) { hosts_ = hosts; }
  void issued(rsm::cft::ProposalId id, std::size_t bytes) { issued_[id] = bytes; }
  void restarted(std::size_t process);
  // Its disk is gone; what was counted on it before was counted rightly.
  void lost_disk(std::size_t process);
  void fail(const char* checker, std::string detail);

  void executed(SimHost& host, const rsm::cft::Entry& entry) override;
  void lost_entry(SimHost& host, rsm::cft::Lsn at) override;
  void answered(SimHost& host, rsm::cft::ProposalId proposal, rsm::cft::Lsn end) override;
  void role_changed(SimHost& host, const rsm::cft::RoleChanged& change) override;
  void granted(SimHost& host, rsm::cft::Ballot promise) override;
  void accepted(SimHost& leader, memory::ProcessIndex follower, rsm::cft::Lsn end) override;
  void snapshot_needed(SimHost& host, const rsm::cft::NeedSnapshot& need) override;
  void ordered(SimHost& host, const rsm::cft::Effect& effect) override;
  void read_asked(SimHost& host, std::uint64_t read) override;
  void reads_answered(SimHost& host, std::uint64_t through, rsm::cft::Lsn at) override;
  void reads_refused(SimHost& host, std::uint64_t through) override;
  void gave_up(SimHost& host, std::size_t proposals) override;
  void stepped(SimHost& host, bool had_effects) override;

  [[nodiscard]] const CftFailure& failure() const { return failure_; }
  [[nodiscard]] bool failed() const { return !failure_.checker.empty(); }
  [[nodiscard]] rsm::cft::Lsn end() const { return truth_.empty() ? 0 : truth_.back().end.lsn; }
  [[nodiscard]] const rsm::cft::Members& members() const { return members_; }
  [[nodiscard]] std::uint64_t answers() const { return answers_; }
  [[nodiscard]] rsm::cft::Lsn answered_to() const { return answered_to_; }
  [[nodiscard]] std::size_t entries() const { return truth_.size(); }
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  // For explorers: equal for histories after which the same is right and wrong.
  [[nodiscard]] std::uint64_t fingerprint() const;
  // Replicas that asked for a snapshot since this was last called.
  [[nodiscard]] std::vector<std::pair<std::size_t, rsm::cft::Lsn>> take_snapshot_needs();

 private:
  struct Decided {
    rsm::cft::Lsn begin = 0;
    rsm::cft::LogMark end;
    rsm::cft::Ballot known_at;  // the promise of the first replica that executed it
  };
  // What a replica's log was when it was granted.
  struct Grant {
    rsm::cft::Ballot promise;
    rsm::cft::Ballot before;  // the promise that it took the place of
    rsm::cft::Lsn stable = 0;
    std::map<rsm::cft::Lsn, std::uint32_t> chain;  // by end of entry
  };
  struct Accepted {
    rsm::cft::Ballot ballot;
    rsm::cft::LogMark mark;
  };

  void append(SimHost& host, const rsm::cft::Entry& entry);
  void check_command(const rsm::cft::Entry& entry);
  void check_answer(rsm::cft::Lsn at);
  // One entry: the end of the one before it, and its own.
  struct Span {
    rsm::cft::LogMark from;
    rsm::cft::LogMark to;
  };
  [[nodiscard]] std::optional<Span> last_entry(SimHost& host, rsm::cft::Lsn end) const;
  [[nodiscard]] static bool on_disk(const SimJournal& journal, const Span& entry);
  void check_open(SimHost& host, rsm::cft::Role role);
  [[nodiscard]] std::optional<rsm::cft::LogMark> mark_of(SimHost& host, rsm::cft::Lsn end) const;
  void check_seen(std::size_t process, const Grant& grant, const Accepted& accepted);

  rsm::cft::Durability durability_;
  const std::vector<SimJournal>* journals_;
  CftMarks* marks_;
  std::vector<SimHost*> hosts_;
  Instant now_;
  CftFailure failure_;
  std::vector<Decided> truth_;
  std::map<rsm::cft::ProposalId, std::size_t> issued_;
  std::set<rsm::cft::ProposalId> in_log_;
  std::map<rsm::cft::Lsn, rsm::cft::ProposalId> commands_;   // decided, by end
  std::map<rsm::cft::Lsn, rsm::cft::ProposalId> confirmed_;  // answered, by end
  rsm::cft::Members members_;
  std::vector<Grant> grants_;                    // the newest, by process
  std::vector<std::vector<Accepted>> accepted_;  // by process: the last of each ballot
  std::vector<rsm::cft::Role> roles_;            // by process, as last said
  std::vector<std::pair<std::size_t, rsm::cft::Lsn>> snapshot_needs_;
  std::uint64_t answers_ = 0;
  rsm::cft::Lsn answered_to_ = 0;
  rsm::cft::Lsn seen_to_ = 0;  // by an answer or a read
  struct OpenRead {
    std::uint64_t read = 0;
    rsm::cft::Lsn at_least = 0;
  };
  std::vector<std::deque<OpenRead>> open_reads_;  // by process
  std::uint64_t digest_ = 0;
  rsm::cft::Ballot highest_reign_;
  std::vector<rsm::cft::Lsn> journaled_to_;  // by process: ordered
  std::vector<rsm::cft::Lsn> lost_to_;       // by process: how far its lost disks reached
};

}  // namespace mallard::sim::cft
