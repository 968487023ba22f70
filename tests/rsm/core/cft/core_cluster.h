// A cluster of cores over the simulated fabric without faults, for tests that say themselves what goes wrong.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/cft/judge.h"

namespace mallard::rsm::cft {

class CoreCluster {
 public:
  struct Shape {
    std::size_t processes = 3;
    std::size_t members = 3;
    Durability durability = Durability::replicated;
    std::uint64_t ring_bytes = 4096;
    std::uint64_t seed = 1;  // of the fabric
    Duration turn = Duration::microseconds(5);
  };
  explicit CoreCluster(const Shape& shape);

  // Lets time pass until `reached` or, after 200 ms of virtual time, gives up: false.
  bool run_until(const std::function<bool()>& reached);
  void run_for(Duration span);
  // Time in which nobody has a turn: only memory goes on.
  void skip(Duration span);
  // The one that leads, or nullptr while there is none or more than one.
  [[nodiscard]] sim::cft::SimHost* leader();
  bool wait_for_leader() {
    return run_until([this] { return leader() != nullptr; });
  }
  // Proposes until so many commands are answered.
  bool decide(std::size_t commands);
  // Everybody who is up has executed all that is decided.
  [[nodiscard]] bool level();

  void crash(std::size_t i, bool with_disk = true);
  void restart(std::size_t i);
  void pause(std::size_t i, bool paused);
  void install_snapshots();
  // Whoever needs a snapshot gets one while time passes.
  void give_snapshots(bool give) { snapshots_ = give; }

  [[nodiscard]] sim::cft::SimHost& host(std::size_t i) { return *hosts_.at(i); }
  [[nodiscard]] bool is_up(std::size_t i) const { return hosts_.at(i) != nullptr; }
  [[nodiscard]] sim::SimFabric& fabric() { return fabric_; }
  [[nodiscard]] sim::cft::Judge& judge() { return judge_; }
  [[nodiscard]] const sim::cft::CftMarks& marks() const { return marks_; }
  [[nodiscard]] std::string failure() const {
    return judge_.failure().checker + " " + judge_.failure().detail;
  }
  [[nodiscard]] Instant now() const { return now_; }

 private:
  void start(std::size_t i);

  sim::cft::HostShape shape_;
  Duration turn_;
  sim::SimFabric fabric_;
  std::vector<sim::cft::SimJournal> journals_;
  sim::cft::CftMarks marks_;
  sim::cft::Judge judge_;
  std::vector<std::unique_ptr<sim::cft::SimHost>> hosts_;
  std::vector<std::uint64_t> lives_;
  std::vector<bool> lost_;
  std::vector<bool> paused_;
  Instant now_;
  std::uint64_t next_id_ = 1;
  bool snapshots_ = true;
};

}  // namespace mallard::rsm::cft
