// Who is hurt, when, how and for how long. Keeps the world inside what the protocol promises to survive: in
// each cluster the puppets, the replicas that lost their disk and those that are gone for good weigh at most
// u together, unless the seed plays beyond the budget.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/sim/network.h"
#include "tests/sim/replica.h"
#include "tests/sim/stage.h"

namespace mallard::sim {

// What the fault plan can do to a replica's life; the world does it.
class LifeControl {
 public:
  virtual ~LifeControl() = default;
  virtual void crash(Replica& replica) = 0;
  // The replica's disk is empty from now on; it must be dead.
  virtual void lose_disk(Replica& replica) = 0;
  virtual void restart(Replica& replica) = 0;
};

class FaultPlan {
 public:
  FaultPlan(Stage& stage, std::vector<Replica>& replicas, Network& network, LifeControl& lives);

  void start();
  // One more fault, of a kind that this world has.
  void strike();
  void end(std::uint32_t fault);
  // Everything is repaired, for good.
  void heal();
  // Whether what the link carries can be lost to the destination: its log was cut.
  [[nodiscard]] bool log_was_cut(std::uint32_t link) const { return log_cut_[link]; }

 private:
  struct Active {
    Fault kind = Fault::end;
    bool open = false;
    std::vector<std::pair<ReplicaId, ReplicaId>> blocked;
    std::vector<ReplicaId> replicas;
  };

  [[nodiscard]] std::uint64_t draw(std::uint64_t n) { return stage_.choices.draw(Stream::faults, n); }
  [[nodiscard]] Replica& any_replica() { return replicas_[draw(replicas_.size())]; }
  [[nodiscard]] bool may_become_faulty(const Replica& replica) const;
  void apply(Active& fault, Nanos length);
  void apply_partition(Active& fault);
  void apply_crash(Active& fault);
  void apply_slowness(Active& fault, Nanos length);
  void block(Active& fault, ReplicaId from, ReplicaId to);
  void cut_log();
  void repair(Active& fault);

  Stage& stage_;
  std::vector<Replica>& replicas_;
  Network& network_;
  LifeControl& lives_;
  std::vector<Fault> kinds_;
  std::vector<Active> active_;
  std::vector<bool> log_cut_;
};

}  // namespace mallard::sim
