// One seeded world: a cluster of CFT cores over the simulated fabric, faults, and the judge.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/cft/judge.h"
#include "tests/sim/cft/world_shape.h"

namespace mallard::sim::cft {

struct CftOutcome {
  CftFailure failure;
  std::uint64_t events = 0;  // turns of hosts
  std::uint64_t digest = 0;
  std::size_t entries = 0;
  std::int64_t ended_ns = 0;
};

[[nodiscard]] CftOutcome run_cft_world(std::uint64_t seed, CftMarks& marks, std::FILE* story);

class CftWorld {
 public:
  CftWorld(std::uint64_t seed, const WorldShape& shape, CftMarks& marks, std::FILE* story);
  CftOutcome run();

 private:
  enum class Fault : std::uint8_t {
    crash,
    pause,
    cut,
    hang,
    slow_link,
    slow_disk,
    failed_work,
    slow_machine,
    late_works,
    end
  };
  struct Machine {
    std::unique_ptr<SimHost> host;  // none while it is down
    std::uint64_t lives = 0;
    Instant next_turn;
    Instant back_at = Instant::never();  // restart or resume
    Instant stop_at = Instant::never();
    bool paused = false;
    bool lost = false;  // the next life lacks what the last one had
    bool no_disk = false;
  };
  struct Repair {
    Instant at;
    Fault fault;
    std::size_t a = 0;
    std::size_t b = 0;
  };

  void start(std::size_t i);
  void crash(std::size_t i, bool with_disk);
  void strike();
  void strike(Fault fault, std::size_t i, Duration lasts);
  void repair(const Repair& repair);
  void mend();
  void cut_power();
  void bring_back(std::size_t i);
  void request();
  void hand_out();
  void install_snapshots();
  [[nodiscard]] std::size_t faulty() const;
  [[nodiscard]] std::size_t budget() const;
  [[nodiscard]] bool needs_each_log() const;
  [[nodiscard]] bool change_is_asked_for() const;
  [[nodiscard]] bool knows_who_is_down(const SimHost& leader) const;
  [[nodiscard]] bool settled();
  [[nodiscard]] std::string describe() const;
  void run_until(Instant end, bool until_settled);
  void next_turn(std::size_t i);
  void stop(std::size_t i);
  void tell(const std::string& what);
  Duration draw(Duration low, Duration high);

  WorldShape shape_;
  CftMarks* marks_;
  std::FILE* story_;
  Prng prng_;
  SimFabric fabric_;
  std::vector<SimJournal> journals_;
  Judge judge_;
  std::vector<Machine> machines_;
  std::vector<SimHost*> hosts_;
  std::vector<Repair> repairs_;
  std::vector<std::pair<rsm::cft::ProposalId, std::size_t>> pool_;
  std::vector<std::pair<std::size_t, rsm::cft::Lsn>> snapshot_needs_;
  Instant now_;
  Instant next_fault_;
  Instant next_request_;
  Instant next_member_;
  rsm::cft::ProposalId next_id_ = 1;
  std::uint64_t events_ = 0;
  std::uint64_t answers_when_mended_ = 0;
  bool mended_ = false;
  bool requests_on_ = true;
  bool quorum_lost_ = false;
};

}  // namespace mallard::sim::cft
