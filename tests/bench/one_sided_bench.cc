// What one-sided memory costs on this machine, beside what the machine itself can do: the round trip of a
// cache line between two threads is the scale for everything that involves another core.

#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/scratch_directory.h"
#include "transport/memory/shm/shm_node.h"

namespace mallard::memory {
namespace {

constexpr ProcessIndex owner{0};
constexpr ProcessIndex peer{1};
constexpr RegionIndex granted{0};

// Two nodes in this process, with memory mapped twice as between two processes.
class Pair {
 public:
  Pair(ShmMode mode, std::uint64_t region_bytes) {
    ShmSettings settings;
    settings.folder = folder_.path().string();
    settings.processes = 2;
    settings.layout = {RegionLayout{region_bytes, 3, 0, true}, RegionLayout{4096, 3, 3, false}};
    settings.mode = mode;
    settings.self = owner;
    settings.spin_rounds = UINT32_MAX;
    owner_ = std::move(*ShmNode::open(settings));
    settings.self = peer;
    settings.spin_rounds = 1;  // its agent has nothing to do
    peer_ = std::move(*ShmNode::open(settings));
    std::array<WorkDone, 1> none;
    while (link().dead()) {
      static_cast<void>(link().poll(none));
      std::this_thread::yield();
    }
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  Link& link() { return peer_->link(owner); }
  GrantNumber regrant(ProcessIndex to, std::uint64_t live) {
    Domain& domain = owner_->domain();
    domain.regrant(granted, to, {0, live});
    while (domain.granted(granted).value == 0) {
    }
    return domain.granted(granted);
  }

 private:
  ScratchDirectory folder_;
  std::unique_ptr<ShmNode> peer_;
  std::unique_ptr<ShmNode> owner_;  // goes first
};

// 64 bytes written under a grant, until they are reported.
void write_and_completion(benchmark::State& state, ShmMode mode) {
  Pair pair(mode, 4096);
  const std::array<std::uint64_t, 8> words{1, 2, 3, 4, 5, 6, 7, 8};
  Work work;
  work.region = granted;
  work.grant = pair.regrant(peer, 0);
  work.source = std::as_bytes(std::span(words));
  std::array<WorkDone, 1> done;
  for (auto _ : state) {
    if (!pair.link().post(std::span(&work, 1))) state.SkipWithError("no room");
    while (pair.link().poll(done) == 0) {
    }
  }
  if (done[0].status != WorkStatus::ok) state.SkipWithError("refused");
}

void direct_write(benchmark::State& state) { write_and_completion(state, ShmMode::direct); }
void agent_write(benchmark::State& state) { write_and_completion(state, ShmMode::agent); }

void cache_line_round_trip(benchmark::State& state) {
  struct alignas(64) Flag {
    std::atomic<std::uint64_t> value = 0;
  };
  Flag there;
  Flag back;
  std::thread other([&] {
    for (std::uint64_t i = 1;; ++i) {
      std::uint64_t seen = there.value.load(std::memory_order_acquire);
      while (seen != i && seen != UINT64_MAX) seen = there.value.load(std::memory_order_acquire);
      if (seen == UINT64_MAX) return;
      back.value.store(i, std::memory_order_release);
    }
  });
  std::uint64_t turn = 0;
  for (auto _ : state) {
    there.value.store(++turn, std::memory_order_release);
    while (back.value.load(std::memory_order_acquire) != turn) {
    }
  }
  there.value.store(UINT64_MAX, std::memory_order_release);
  other.join();
}

// A regrant with `range` live bytes.
void direct_regrant(benchmark::State& state) {
  const auto live = static_cast<std::uint64_t>(state.range(0));
  Pair pair(ShmMode::direct, std::max<std::uint64_t>(live, 4096));
  for (auto _ : state) benchmark::DoNotOptimize(pair.regrant(peer, live));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void agent_regrant(benchmark::State& state) {
  Pair pair(ShmMode::agent, 4096);
  for (auto _ : state) benchmark::DoNotOptimize(pair.regrant(peer, 0));
}

BENCHMARK(cache_line_round_trip)->UseRealTime();
BENCHMARK(direct_write)->UseRealTime();
BENCHMARK(agent_write)->UseRealTime();
BENCHMARK(direct_regrant)->Arg(0)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20)->Arg(16 << 20)->UseRealTime();
BENCHMARK(agent_regrant)->UseRealTime();

}  // namespace
}  // namespace mallard::memory
