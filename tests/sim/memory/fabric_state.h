// What a simulated fabric consists of, as values: copying a FabricState copies a fabric.
#pragma once

#include <cstdint>
#include <vector>

#include "config/base/prng.h"
#include "config/base/time.h"
#include "config/contract/one_sided.h"

namespace mallard::sim {

class SimFabric;

struct FabricSettings {
  std::uint64_t seed = 1;
  std::size_t processes = 3;
  std::vector<memory::RegionLayout> layout;
  memory::Capabilities capabilities{true, true, true, false, true, 64};
  std::size_t queue_depth = 64;

  // One step of a work (its beginning, each piece of it, its report) takes a uniform time from this range.
  Duration step_min = Duration::nanoseconds(100);
  Duration step_max = Duration::microseconds(2);
  Duration regrant_min = Duration::microseconds(1);
  Duration regrant_max = Duration::microseconds(50);
  // How long after a memory's end works to it fail. forever(): they hang.
  Duration failure_delay = Duration::milliseconds(1);
  // A write or read of more than one word is carried out in 1 to so many pieces.
  std::size_t pieces_max = 4;
  // Words of a work in an order drawn for each; else upwards or downwards.
  bool shuffle = true;
  // What a regrant need not carry over comes back from an older instance of the region.
  bool stale_beyond_live = true;
  // Works of an old incarnation arrive again later, and must be dropped.
  bool replay_old_works = true;
  // false: a broken memory, on which grants mean nothing (to prove that this would be noticed).
  bool grants_enforced = true;
  std::uint32_t errors_per_million = 0;
  std::uint32_t late_per_million = 0;
  Duration late_max = Duration::milliseconds(1);
};

// A work on its way.
struct SimFlight {
  enum class Phase : std::uint8_t { waiting, running, settled, visible };

  memory::Work work;
  Phase phase = Phase::waiting;
  memory::WorkStatus status = memory::WorkStatus::ok;
  bool has_source = false;  // the words of a write were taken over
  bool fails = false;
  std::uint32_t total = 0;  // words
  std::uint32_t done = 0;
  std::uint32_t end = 0;    // ends after so many: total, or fewer if it fails
  std::uint32_t piece = 1;  // words of a step
  std::uint64_t previous = 0;
  std::uint64_t incarnation = 0;
  Instant visible_at;
  std::vector<std::uint64_t> words;  // to write, or read so far
  std::vector<std::uint32_t> order;
};

struct LinkState {
  enum class Condition : std::uint8_t { live, dead, resetting };

  std::vector<SimFlight> queue;  // a ring of queue_depth
  std::size_t head = 0;
  std::size_t count = 0;
  // Works whose poster has given up on them and that may still be carried out, or arrive again.
  std::vector<SimFlight> ghosts;
  std::uint64_t incarnation = 0;
  Condition condition = Condition::resetting;
  bool broken = false;   // a work failed: the domain takes no more, or takes them in vain
  bool in_vain = false;  // works behind the failed one are carried out, though flushed
  bool fail_next = false;
  bool fail_applied = false;
  bool cut = false;
  Duration extra{};
  Instant execute_at{};
  Instant visible_at{};  // of the latest report: they come in order
  Instant reset_at{};
};

struct PendingGrant {
  bool active = false;
  memory::ProcessIndex writer;
  memory::LiveRange live;
  Instant at{};
};

struct RegionState {
  std::vector<std::uint64_t> words;
  std::vector<std::uint64_t> stale;  // the instance before
  std::uint64_t grant = 0;
  memory::ProcessIndex holder;
  PendingGrant pending;
};

struct ProcessState {
  std::vector<RegionState> regions;
  std::uint64_t grants = 0;  // numbers given out so far
  bool alive = true;
  bool memory_alive = true;
  bool paused = false;
  bool stops_mid_work = false;
  bool hung = false;
  Instant died_at{};
};

// How often what happened; tests look here whether the adversary did its work.
struct FabricCounters {
  std::uint64_t ok = 0;
  std::uint64_t fenced = 0;
  std::uint64_t unknown_applied = 0;  // wholly
  std::uint64_t unknown_in_part = 0;
  std::uint64_t unknown_dropped = 0;
  std::uint64_t flushed = 0;
  std::uint64_t carried_out_in_vain = 0;  // reported as flushed, and had effect
  std::uint64_t cut_by_regrant = 0;       // between two words
  std::uint64_t replays_dropped = 0;
};

struct FabricState {
  Instant now{};
  Prng prng{0};
  std::vector<LinkState> links;
  std::vector<ProcessState> processes;
  FabricCounters counters;
};

// One thing that can happen by itself.
struct FabricStep {
  enum class What : std::uint8_t {
    execute,  // the next piece of the oldest work of a link
    show,     // its poster learns how a work ended
    reset,    // a link lives again
    regrant   // a regrant is done
  };
  What what = What::execute;
  std::uint8_t variant = 0;   // execute, at a work's beginning without shuffle: 1 goes downwards
  memory::ProcessIndex from;  // regrant: unused
  memory::ProcessIndex to;    // regrant: the owner
  memory::RegionIndex region;
};

class SimLink final : public memory::Link {
 public:
  SimLink(SimFabric& fabric, std::size_t from, std::size_t to) : fabric_(&fabric), from_(from), to_(to) {}
  [[nodiscard]] bool post(std::span<const memory::Work> chain) override;
  [[nodiscard]] std::size_t poll(std::span<memory::WorkDone> reports) override;
  [[nodiscard]] std::size_t queue_depth() const override;
  [[nodiscard]] memory::Capabilities capabilities() const override;
  [[nodiscard]] bool dead() const override;
  void reset() override;

 private:
  SimFabric* fabric_;
  std::size_t from_;
  std::size_t to_;
};

class SimDomain final : public memory::Domain {
 public:
  SimDomain(SimFabric& fabric, std::size_t process) : fabric_(&fabric), process_(process) {}
  [[nodiscard]] ByteSpan bytes(memory::RegionIndex region) override;
  void regrant(memory::RegionIndex region, memory::ProcessIndex writer, memory::LiveRange live) override;
  [[nodiscard]] memory::GrantNumber granted(memory::RegionIndex region) override;

 private:
  SimFabric* fabric_;
  std::size_t process_;
};

}  // namespace mallard::sim
