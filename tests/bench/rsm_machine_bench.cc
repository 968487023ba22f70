// What the key-value machine costs: one entry, a view, a root, a snapshot.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "crypto/sodium.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_machine.h"

namespace mallard::rsm {
namespace {

constexpr std::size_t value_bytes = 64;

class Nowhere : public EgressSink {
 public:
  void emit(const LinkMessage& message) override { static_cast<void>(message); }
};

std::vector<std::byte> put_of(std::uint64_t key, const std::optional<SessionTag>& session) {
  const std::string name = "app/key/" + std::to_string(100'000'000 + key);
  const std::array<std::byte, value_bytes> value{};
  KvCommand command{.operation = KvOperation::put, .session = session};
  command.write = {.key = std::as_bytes(std::span(name)), .value = value};
  return encode_command(command);
}

// A machine with `entries` entries, and as many puts of them in random order.
class Load {
 public:
  explicit Load(std::uint64_t entries) : machine_((crypto::start_sodium(), KvSettings{})) {
    for (std::uint64_t key = 0; key < entries; ++key) {
      puts_.push_back(put_of(key, std::nullopt));
      apply(puts_.back());
    }
    Prng prng(1);
    for (std::uint64_t i = entries; i > 1; --i) {
      std::swap(puts_[i - 1], puts_[prng.below(i)]);
    }
  }

  void apply(const std::vector<std::byte>& command) {
    static_cast<void>(machine_.apply(machine_.applied().next(), command, {}, nowhere_));
  }
  void put() { apply(puts_[next_++ % puts_.size()]); }

  KvMachine& machine() { return machine_; }

 private:
  KvMachine machine_;
  Nowhere nowhere_;
  std::vector<std::vector<std::byte>> puts_;
  std::size_t next_ = 0;
};

void put(benchmark::State& state) {
  Load load(static_cast<std::uint64_t>(state.range(0)));
  for (auto _ : state) {
    load.put();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(put)->ArgName("entries")->Arg(1'000)->Arg(64'000)->Arg(1'000'000);

// Each put as a client's request of its own.
void put_in_session(benchmark::State& state) {
  Load load(64'000);
  load.apply(encode_command(KvCommand{.operation = KvOperation::session_open, .number = 1}));
  SessionTag tag{.session = load.machine().applied().value, .sequence = 1, .owner = 1};
  std::vector<std::vector<std::byte>> puts;
  for (std::uint64_t key = 0; key < 1'000; ++key) {
    puts.push_back(put_of(key * 61, tag));
  }
  for (auto _ : state) {
    std::vector<std::byte>& command = puts[tag.sequence % puts.size()];
    ByteWriter(ByteSpan(command).subspan(10)).write(tag.sequence++);
    load.apply(command);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(put_in_session);

// Puts while there is always a view, which is renewed every so many puts: what copying the paths costs.
void put_beside_views(benchmark::State& state) {
  Load load(64'000);
  ViewId view = load.machine().open_view().value();
  for (std::int64_t i = 0; auto _ : state) {
    if (++i % state.range(0) == 0) {
      load.machine().close_view(view);
      view = load.machine().open_view().value();
    }
    load.put();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(put_beside_views)->ArgName("puts_per_view")->Arg(100)->Arg(10'000);

void view(benchmark::State& state) {
  Load load(64'000);
  for (auto _ : state) {
    load.machine().close_view(load.machine().open_view().value());
  }
}
BENCHMARK(view);

// The hash of the state after so many puts since the last one.
void state_hash(benchmark::State& state) {
  Load load(64'000);
  static_cast<void>(load.machine().state_hash(ViewId{}));
  for (auto _ : state) {
    state.PauseTiming();
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      load.put();
    }
    state.ResumeTiming();
    benchmark::DoNotOptimize(load.machine().state_hash(ViewId{}));
  }
}
BENCHMARK(state_hash)->ArgName("puts")->Arg(1)->Arg(1'000)->Unit(benchmark::kMicrosecond);

void root_of_range(benchmark::State& state) {
  Load load(64'000);
  static_cast<void>(load.machine().state_hash(ViewId{}));
  const std::string from = "app/key/100012345";
  const std::string to = "app/key/100054321";
  const KeyRange range{.from = std::as_bytes(std::span(from)), .to = std::as_bytes(std::span(to))};
  for (auto _ : state) {
    benchmark::DoNotOptimize(load.machine().root(ViewId{}, range));
  }
}
BENCHMARK(root_of_range)->Unit(benchmark::kMicrosecond);

// A snapshot of 64,000 entries, written and read.
void export_and_import(benchmark::State& state) {
  Load load(64'000);
  KvMachine to{KvSettings{}};
  std::vector<std::byte> chunk(chunk_bytes_max);
  std::int64_t bytes = 0;
  for (auto _ : state) {
    to.begin_import({.index = load.machine().applied(), .hash = *load.machine().state_hash(ViewId{})});
    for (bool last = false; !last;) {
      const auto exported = load.machine().export_chunk(ViewId{}, to.import_cursor(), chunk);
      bytes += static_cast<std::int64_t>(exported->bytes);
      last = *to.import_chunk(ByteView(chunk).first(exported->bytes));
    }
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(export_and_import)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mallard::rsm
