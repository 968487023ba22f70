// How many attempts of each batch a correct sender may have opened, at most, given what it was told. An
// attempt may be opened when enough weight has reported the batch missing in frames that echo a stamp issued
// at least one least RTO after the previous attempt began; the ledger opens attempts as early as that rule
// allows, so the real sender is never ahead.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {

class ComplaintLedger : public Checker {
 public:
  ComplaintLedger(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name),
        entries_(stage, replicas.size()),
        tapped_(replicas.size() * stage.links.size()) {}

  void on_start(const Replica& replica) override;
  void on_tapped(const Replica& replica, std::uint32_t link, BatchIndex index, PayloadRef payload) override;
  void on_received(const Passage& passage) override;
  void on_effect(const Replica& replica, const bridge::Effect& effect) override;

 protected:
  // Whether the complaints of these replicas of the destination (a bit each) open an attempt.
  [[nodiscard]] virtual bool enough(std::uint32_t link, std::uint64_t complainers) const = 0;

 private:
  struct Entry {
    std::int64_t began_us = 0;      // of the attempt, on the sender's clock; 0: not admitted
    std::uint64_t complainers = 0;  // since
    std::uint32_t opened = 0;
  };

  void complain(const Passage& passage, const bridge::AckSection& ack);
  [[nodiscard]] std::size_t place(const Replica& replica, std::uint32_t link) const {
    return replica.id * stage_.links.size() + link;
  }

  Grid<Entry> entries_;
  std::vector<BatchIndex> tapped_;  // by replica and link: the newest batch admitted in this life
};

}  // namespace mallard::sim
