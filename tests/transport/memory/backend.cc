#include "tests/transport/memory/backend.h"

#include <array>
#include <thread>

#include "tests/sim/memory/sim_fabric.h"
#include "tests/transport/memory/shm/shm_world.h"
#include "transport/memory/shm/work_queue.h"

namespace mallard::memory {

namespace {

constexpr std::size_t processes = 3;

class SimBackend final : public Backend {
 public:
  explicit SimBackend(const sim::FabricSettings& settings) : fabric_(settings) {}
  Link& link(ProcessIndex from, ProcessIndex to) override { return fabric_.link(from, to); }
  Domain& domain(ProcessIndex process) override { return fabric_.domain(process); }
  void let_pass() override {
    const Instant next = fabric_.next_event();
    fabric_.advance(next == Instant::never() ? fabric_.now() + Duration::microseconds(1) : next);
  }
  void restart(ProcessIndex process) override {
    fabric_.crash(process);
    fabric_.restart(process);
  }
  bool hang(ProcessIndex process, bool hangs) override {
    fabric_.hang_memory(process, hangs);
    return true;
  }

 private:
  sim::SimFabric fabric_;
};

BackendKind simulated(std::uint64_t seed) {
  BackendKind kind;
  kind.name = "simulated_" + std::to_string(seed);
  kind.capabilities = sim::FabricSettings().capabilities;
  kind.hangs = true;
  kind.open = [seed](const std::vector<RegionLayout>& layout, std::size_t depth) {
    sim::FabricSettings settings;
    settings.seed = seed;
    settings.processes = processes;
    settings.layout = layout;
    settings.queue_depth = depth;
    settings.late_per_million = 50'000;
    return std::make_unique<SimBackend>(settings);
  };
  return kind;
}

class ShmBackend final : public Backend {
 public:
  ShmBackend(ShmMode mode, const std::vector<RegionLayout>& layout, std::size_t depth)
      : world_(mode, processes, layout) {
    world_.settings.queue_depth = depth;
    for (std::uint16_t p = 0; p < processes; ++p) nodes_[p] = world_.open(ProcessIndex(p));
  }
  Link& link(ProcessIndex from, ProcessIndex to) override { return nodes_.at(from.value)->link(to); }
  Domain& domain(ProcessIndex process) override { return nodes_.at(process.value)->domain(); }
  void let_pass() override { std::this_thread::yield(); }
  void restart(ProcessIndex process) override {
    nodes_.at(process.value).reset();
    nodes_[process.value] = world_.open(process);
  }
  bool hang(ProcessIndex, bool) override { return false; }

 private:
  ShmWorld world_;
  std::array<std::unique_ptr<ShmNode>, processes> nodes_;
};

BackendKind shared(ShmMode mode) {
  BackendKind kind;
  kind.name = mode == ShmMode::direct ? "shm_direct" : "shm_agent";
  kind.capabilities.compare_swap = true;
  kind.capabilities.dynamic_grants = true;
  kind.capabilities.independent_of_process = mode == ShmMode::direct;
  kind.capabilities.inline_bytes = mode == ShmMode::direct ? inline_bytes_max : ShmSettings().ring_bytes;
  kind.concurrent = true;
  kind.open = [mode](const std::vector<RegionLayout>& layout, std::size_t depth) {
    return std::make_unique<ShmBackend>(mode, layout, depth);
  };
  return kind;
}

}  // namespace

std::vector<BackendKind> backend_kinds() {
  std::vector<BackendKind> kinds;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) kinds.push_back(simulated(seed));
  kinds.push_back(shared(ShmMode::direct));
  kinds.push_back(shared(ShmMode::agent));
  return kinds;
}

}  // namespace mallard::memory
