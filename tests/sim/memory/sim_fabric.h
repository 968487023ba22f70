// One-sided memory as bad as its contract allows (config/contract/one_sided.h), in one process, in virtual
// time, from a seed. What the contract leaves open is done in the worst way: words of a write land in random
// order and apart, links overtake each other, completions come late, failures are ambiguous both ways, works
// behind a failed one are still carried out, a regrant falls between two words of a write, and what a regrant
// need not carry over comes back from long ago.
//
// Two ways to drive it. By time: next_event() and advance(). By choice: enabled() lists what can happen next
// and take() does one of them, in any order and regardless of time; state() and restore() let an explorer go
// back. For exploring, set `shuffle`, `stale_beyond_live` and `replay_old_works` false, `pieces_max` 1 or 2,
// and no error rate: then nothing is drawn.
#pragma once

#include <cstdint>
#include <vector>

#include "config/base/prng.h"
#include "config/base/time.h"
#include "config/contract/one_sided.h"
#include "tests/sim/memory/fabric_state.h"

namespace mallard::sim {

class SimFabric {
 public:
  explicit SimFabric(FabricSettings settings);
  SimFabric(const SimFabric&) = delete;
  SimFabric& operator=(const SimFabric&) = delete;

  // Both live as long as the fabric. What a crashed process posts goes nowhere.
  [[nodiscard]] memory::Link& link(memory::ProcessIndex from, memory::ProcessIndex to);
  [[nodiscard]] memory::Domain& domain(memory::ProcessIndex process);

  // ---- Time. `now` never goes back; works posted between two calls begin at the later one of them.
  [[nodiscard]] Instant now() const { return state_.now; }
  // When something happens next by itself; never() when all is quiet or frozen.
  [[nodiscard]] Instant next_event() const;
  // Lets everything happen that is due until `now`, in an order that the seed draws among equals.
  void advance(Instant now);

  // ---- Faults. Each holds until it is taken back.
  // A paused process calls nothing: that is the caller's part. With `mid_work` its own works stop where they
  // are, between any two words (a process that stores by itself); without, they go on (a NIC's). Its memory
  // is served on if Capabilities::independent_of_process.
  void pause(memory::ProcessIndex process, bool mid_work);
  void resume(memory::ProcessIndex process);
  // The process is gone. Its works stop or go on to their end, by the seed. Its memory dies with it unless
  // Capabilities::survives_process: works to it fail as `unknown`, or hang if so set.
  void crash(memory::ProcessIndex process);
  // A new life: links begin anew, those of others to a memory that died are dead until they are reset.
  void restart(memory::ProcessIndex process);
  // The memory stops answering, its process does not (R11).
  void hang_memory(memory::ProcessIndex process, bool hangs);
  // One way only; in both directions nothing passes. Works hang, resets do not finish.
  void cut(memory::ProcessIndex from, memory::ProcessIndex to, bool is_cut);
  // Added to every step of the works of one link.
  void slow(memory::ProcessIndex from, memory::ProcessIndex to, Duration extra);
  // The next work that begins at this link fails, after having been carried out or before.
  void fail_next(memory::ProcessIndex from, memory::ProcessIndex to, bool applied);
  // Share of works that fail at a random point, and that are late.
  void set_error_rate(std::uint32_t per_million) { settings_.errors_per_million = per_million; }
  void set_late_rate(std::uint32_t per_million) { settings_.late_per_million = per_million; }

  // ---- Exploring
  // All that can happen next by itself. Steps are valid until the next call that changes anything.
  void enabled(std::vector<FabricStep>& steps) const;
  void take(const FabricStep& step);
  [[nodiscard]] bool can(const FabricStep& step) const { return is_enabled(step); }
  // The work that a link's next execute step moves on, or nullptr.
  [[nodiscard]] const SimFlight* at_work(memory::ProcessIndex from, memory::ProcessIndex to) const {
    return current({from.value, to.value});
  }
  // A copy of everything that changes. Restore it into this object, and put back the callers of its links
  // where they were: works that are on their way point into them.
  [[nodiscard]] const FabricState& state() const { return state_; }
  void restore(const FabricState& state) { state_ = state; }
  // Equal for states from which the same can happen, times and seed aside.
  [[nodiscard]] std::uint64_t fingerprint() const;

  [[nodiscard]] const FabricCounters& counters() const { return state_.counters; }
  [[nodiscard]] const FabricSettings& settings() const { return settings_; }

 private:
  friend class SimLink;
  friend class SimDomain;

  // A link's place among all.
  struct Way {
    std::size_t from = 0;
    std::size_t to = 0;
  };

  [[nodiscard]] LinkState& at(Way way) { return state_.links[way.from * settings_.processes + way.to]; }
  [[nodiscard]] const LinkState& at(Way way) const {
    return state_.links[way.from * settings_.processes + way.to];
  }
  // What callers do.
  bool post(Way way, std::span<const memory::Work> chain);
  std::size_t poll(Way way, std::span<memory::WorkDone> reports);
  void reset(Way way);
  void regrant(std::size_t owner, memory::RegionIndex region, PendingGrant grant);

  // What happens by itself.
  [[nodiscard]] bool serves(std::size_t process) const;
  [[nodiscard]] bool frozen(Way way) const;
  [[nodiscard]] SimFlight* current(Way way);
  [[nodiscard]] const SimFlight* current(Way way) const;
  [[nodiscard]] static const SimFlight* unseen(const LinkState& link);
  [[nodiscard]] bool is_enabled(const FabricStep& step) const;
  [[nodiscard]] Instant due(const FabricStep& step) const;
  template <class Visit>
  void each_step(Visit visit) const;
  void execute(Way way, std::uint8_t variant);
  void begin(Way way, SimFlight& flight, std::uint8_t variant);
  [[nodiscard]] bool is_allowed(Way way, const memory::Work& work) const;
  void carry_out(Way way, SimFlight& flight, std::size_t word);
  void settle(Way way, SimFlight& flight, memory::WorkStatus status);
  void show(Way way);
  void abandon(Way way, bool still_executed);
  void finish_reset(Way way);
  void finish_regrant(std::size_t owner, std::size_t region);
  void lose_memory(std::size_t process);
  [[nodiscard]] Duration delay(Way way);

  FabricSettings settings_;
  FabricState state_;
  std::vector<SimLink> links_;
  std::vector<SimDomain> domains_;
};

}  // namespace mallard::sim
