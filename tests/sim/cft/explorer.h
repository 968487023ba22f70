// Every interleaving of a small cluster of CFT cores, within bounds: depth first over the very hosts and
// the judge of the seeded worlds, on a fabric that is driven by choice. States that were met before are not
// gone through again.
//
// Steps of their own, in any order: a replica's turn; each half of a write of replica 0 to a log, and its
// report; any other work with its report and the turns of both ends that follow; a reset; a regrant with the
// news of it. So every pause of a writer is among them, between any two halves and as long as anything else
// takes: a paused replica is one whose steps do not come. What a replica writes to itself is there at once.
//
// The beginning is made by time: replica 0 leads, has decided one command, has placed some more and is about
// to be believed dead by both others. No clock moves from there on but where they look at it. Bounds: these
// commands, one suspicion by each of the others (so replica 1 takes the lead once), and the works that fail
// ambiguously. A way ends when replica 0 has stepped down: time then passes, and all must get the log of the
// new leader.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/cft/judge.h"
#include "tests/sim/cft/seen_states.h"

namespace mallard::sim::cft {

// In what steps a write to a log lands.
enum class Halves : std::uint8_t { whole, upwards, both_ways };

struct ExplorerBounds {
  std::uint32_t commands = 2;      // that replica 0 has placed and not yet written to anybody
  std::uint32_t failed_works = 0;  // of those that write entries, after or before they took effect
  memory::ProcessSet stepwise =
      0b110;  // the followers to whom writes of entries land and are reported in steps
  Halves halves = Halves::upwards;
  bool grants_enforced = true;            // false: a memory that is broken, which must be noticed
  std::uint64_t states_max = UINT64_MAX;  // gives up beyond; `complete` is then false
};

// What is gone through before every merge.
inline constexpr std::array<ExplorerBounds, 3> gate_explorations = {
    ExplorerBounds{.commands = 1, .halves = Halves::both_ways},
    ExplorerBounds{.commands = 2, .stepwise = 0b100, .halves = Halves::whole},
    ExplorerBounds{.commands = 1, .failed_works = 1, .stepwise = 0b100, .halves = Halves::whole}};

struct Exploration {
  CftFailure failure;
  std::vector<std::string> path;  // to the failure
  std::uint64_t states = 0;
  std::uint64_t steps = 0;  // from a state to one that was new or not
  std::uint64_t ends = 0;   // states in which the story is over, or nothing more can happen
  std::size_t depth = 0;
  bool complete = false;
};

class Explorer {
 public:
  Explorer(const ExplorerBounds& bounds, CftMarks& marks);
  [[nodiscard]] Exploration run();

 private:
  struct Action {
    enum class What : std::uint8_t { half, whole, report, reset, regrant, turn, suspect, fail };
    What what = What::turn;
    std::size_t who = 0;       // the replica, or whose link it is
    std::size_t to = 0;        // of a link
    std::uint8_t variant = 0;  // half: 1 begins at the end; fail: 1 after it took effect
  };
  // Everything that changes.
  struct Whole {
    FabricState fabric;
    std::vector<HostState> hosts;
    std::vector<SimJournal> journals;
    std::vector<Judge> judge;  // one
    std::uint32_t failed_works = 0;
    std::uint32_t suspected = 0;  // by process, a bit each
    std::vector<Instant> clocks;
    std::vector<bool> idle;            // by process: a turn would do nothing
    std::vector<std::uint64_t> known;  // by process: its fingerprint
  };
  struct Frame {
    Whole whole;
    std::vector<Action> actions;
    std::size_t next = 0;
    std::uint64_t digest = 0;
    bool moved = false;  // something can happen here
  };

  void make_beginning();
  bool go_on(Exploration& result);
  void push(std::uint64_t reached);
  void capture(Whole& whole) const;
  void restore(const Whole& whole);
  void list(std::vector<Action>& actions) const;
  void list_link(std::size_t from, std::size_t to, std::vector<Action>& actions) const;
  void take(const Action& action);
  void hear(std::size_t from, std::size_t to);
  void carry_out_whole(std::size_t from, std::size_t to);
  void finish_quiet_works(std::size_t i);
  void turn(std::size_t i);
  void suspect(std::size_t i);
  [[nodiscard]] bool story_is_over() const;
  void finish();
  [[nodiscard]] bool links_idle(std::size_t from) const;
  // ---- explorer_digest.cc: equal for wholes from which the same can happen
  [[nodiscard]] std::uint64_t digest() const;
  [[nodiscard]] std::uint64_t digest_of_memory(std::size_t owner) const;
  [[nodiscard]] std::uint64_t digest_of_link(std::size_t from, std::size_t to) const;
  [[nodiscard]] bool in_steps(std::size_t from, std::size_t to, const SimFlight* flight) const;
  [[nodiscard]] std::string describe(const Action& action) const;

  ExplorerBounds bounds_;
  CftMarks* marks_;
  HostShape shape_;
  SimFabric fabric_;
  std::vector<SimJournal> journals_;
  Judge judge_;
  std::vector<std::unique_ptr<SimHost>> hosts_;
  std::vector<Instant> clocks_;
  std::vector<bool> idle_;
  std::vector<std::uint64_t> known_;
  std::uint32_t failed_works_ = 0;
  std::uint32_t suspected_ = 0;

  std::vector<std::unique_ptr<Frame>> frames_;  // the way to where it is: the first depth_ of them
  std::size_t depth_ = 0;
  bool at_top_ = false;  // what lies in hosts and fabric is the state of the top frame
  SeenStates seen_;
};

}  // namespace mallard::sim::cft
