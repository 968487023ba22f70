// What a channel carries over loopback with TLS, and what a byte and a frame cost. Both ends run in this
// process: in one thread, so that the time is the CPU time of both ends together, or in two, as two processes
// would.

#include <benchmark/benchmark.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <array>
#include <asio/io_context.hpp>
#include <atomic>
#include <memory>
#include <thread>

#include "config/base/payload_pool.h"
#include "crypto/key_pair.h"
#include "transport/channel/channel_set.h"

namespace mallard::transport {
namespace {

constexpr std::size_t head_bytes = 64;

class CountingObserver final : public ChannelObserver {
 public:
  explicit CountingObserver(PayloadPool& pool) : pool_(pool) {}
  void on_peer_up(ReplicaAddress, Incarnation) override { up.store(true); }
  void on_peer_down(ReplicaAddress, CloseReason) override { up.store(false); }
  void on_frame(ReplicaAddress, ByteView head, PayloadRef body) override {
    benchmark::DoNotOptimize(head.data());
    pool_.release(body);
    frames.fetch_add(1, std::memory_order_relaxed);
  }

  std::atomic<bool> up = false;
  std::atomic<std::uint64_t> frames = 0;

 private:
  PayloadPool& pool_;
};

struct End {
  explicit End(std::uint16_t cluster) { settings.self = {ClusterIndex(cluster), ReplicaIndex(0)}; }

  [[nodiscard]] PeerIdentity identity() const {
    return {settings.self, key.public_key(), "127.0.0.1",
            channels ? channels->listening_port() : std::uint16_t{}};
  }
  void open(const PeerIdentity& peer) {
    settings.listen_host = "127.0.0.1";
    settings.incarnation = Incarnation(1);
    settings.peers = {peer};
    channels = std::move(*ChannelSet::open(settings, key, {io, pool, observer}));
  }

  asio::io_context io;
  crypto::KeyPair key = crypto::KeyPair::generate();
  PayloadPool pool{32U << 20};
  CountingObserver observer{pool};
  ChannelSettings settings;
  std::unique_ptr<ChannelSet> channels;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void one_way(benchmark::State& state, bool two_threads) {
  spdlog::set_level(spdlog::level::off);
  End sender(0);
  End receiver(1);
  receiver.open(sender.identity());
  sender.open(receiver.identity());
  std::jthread receiver_thread;
  if (two_threads) {
    receiver_thread = std::jthread([&receiver](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        receiver.io.run_one_for(std::chrono::milliseconds(10));
      }
    });
  }
  const auto turn = [&] {
    sender.io.poll();
    if (!two_threads) {
      receiver.io.poll();
    }
  };
  while (!sender.observer.up || !receiver.observer.up) {
    turn();
  }
  const auto body_bytes = static_cast<std::size_t>(state.range(0));
  const PayloadRef body = sender.pool.allocate(body_bytes).value();
  const std::array<std::byte, head_bytes> head{};
  const double cpu_before = cpu_seconds();
  std::uint64_t sent = 0;
  for (auto _ : state) {
    while (!sender.channels->send(receiver.settings.self, head, body, Lane::data)) {
      turn();
    }
    ++sent;
  }
  while (receiver.observer.frames < sent) {
    turn();
  }
  const double cpu = cpu_seconds() - cpu_before;
  const auto bytes = static_cast<double>(sent) * static_cast<double>(body_bytes);
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(static_cast<std::int64_t>(sent));
  state.counters["cpu_ns_per_byte"] = cpu * 1e9 / bytes;
  state.counters["cpu_ns_per_frame"] = cpu * 1e9 / static_cast<double>(sent);
  sender.pool.release(body);
  if (two_threads) {
    receiver_thread.request_stop();
    receiver_thread.join();
  }
}

void one_thread(benchmark::State& state) { one_way(state, false); }
void two_threads(benchmark::State& state) { one_way(state, true); }

BENCHMARK(one_thread)->Arg(100)->Arg(1024)->Arg(64 << 10)->Arg(1 << 20)->UseRealTime();
BENCHMARK(two_threads)->Arg(100)->Arg(1024)->Arg(64 << 10)->Arg(1 << 20)->UseRealTime();

}  // namespace
}  // namespace mallard::transport
