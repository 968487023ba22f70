// One simulated world, from its beginning to the end of its drain: clusters of replicas, each beside a
// production gateway, the channels between them, faults, and the checkers that watch all of it.
//
// A run has phases. Faults are on while the sources decide batches; safety is judged at every event. Then
// everything that is not gone for good is repaired and the rest must be delivered before a deadline of
// virtual time (liveness). Some runs then cut everybody's power and must come back.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/fault_plan.h"
#include "tests/sim/network.h"
#include "tests/sim/puppet.h"
#include "tests/sim/replica.h"
#include "tests/sim/stage.h"
#include "tests/sim/watchers.h"

namespace mallard::sim {

// What one run came to.
struct Outcome {
  Failure failure;  // checker empty: none
  std::uint64_t events = 0;
  std::uint64_t digest = 0;  // of every event; equal for equal choices, on every compiler
  Nanos ended_at = 0;
  std::uint64_t batches = 0;            // decided, over all links
  std::uint64_t batch_frames_sent = 0;  // from cluster to cluster
  std::uint64_t batch_frames_lost = 0;
  std::uint64_t resends = 0;  // of correct gateways
};

class World final : public LifeControl {
 public:
  World(const SwarmOptions& options, Choices& choices, Marks& marks);
  ~World() override;

  Outcome run();

  // For scenarios that look closer; all valid during and after run().
  [[nodiscard]] Stage& stage() { return stage_; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] const std::vector<Replica>& replicas() const { return replicas_; }
  [[nodiscard]] Watchers& watchers() { return watchers_; }

  void crash(Replica& replica) override;
  void lose_disk(Replica& replica) override;
  void restart(Replica& replica) override;

 private:
  void build_replicas();
  void happen(const SimEvent& event);
  void happen_to_replica(const SimEvent& event);
  bool postponed(const SimEvent& event);
  void deliver(const SimEvent& event);
  void take_turn(Replica& replica);
  void touch(Replica& replica, Nanos delay);
  void call_gateway(Replica& replica, const char* what, std::uint64_t allocations_before,
                    const support::AllocGuard& guard);
  void commit(std::uint32_t link);
  void grow_log(Replica& replica, std::uint32_t link);
  void start_life(Replica& replica);
  void heal();
  void watch();
  [[nodiscard]] bool delivered() const;
  [[nodiscard]] bool holds_too_much(const Replica& replica) const;
  [[nodiscard]] std::string what_is_missing() const;
  void finish_drain();
  void note_end(Outcome& outcome);
  void note_life(const Replica& replica);
  void note_world();

  Stage stage_;
  Watchers watchers_;
  std::vector<Replica> replicas_;
  Network network_;
  FaultPlan faults_;
  std::uint64_t events_ = 0;
  std::array<std::uint64_t, 16> happened_{};  // by kind
  std::uint64_t resends_ = 0;
  Nanos drain_time_ = 0;
  Nanos drain_deadline_ = never;
  bool power_cut_left_ = false;
  bool over_ = false;
};

}  // namespace mallard::sim
