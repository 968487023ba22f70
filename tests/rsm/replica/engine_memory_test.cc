// The way of a command through three engines takes nothing from the heap: from the proposal, over shared
// memory and journals, to its execution by all machines. Neither do batches of links on their ways between
// the gateway and the machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "crypto/sodium.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/machine/link_command.h"
#include "rsm/replica/engine.h"
#include "rsm/replica/link_desk.h"
#include "tests/rsm/replica/commands.h"
#include "tests/support/alloc_guard.h"
#include "tests/support/scratch_directory.h"
#include "transport/memory/shm/shm_node.h"

namespace mallard::rsm {
namespace {

namespace door = transport::door;

constexpr std::size_t replicas = 3;
constexpr std::uint64_t ring_bytes = 64U << 10;

Instant clock_now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::steady_clock::now().time_since_epoch())
              .count()};
}

memory::ProcessIndex process(std::size_t id) { return memory::ProcessIndex(static_cast<std::uint16_t>(id)); }

// Everything is durable at once; the real journal has a thread of its own.
class InstantJournal final : public JournalPort {
 public:
  void append(const journal::Entry& entry) override { bytes_ += entry.body.size(); }
  void seal(cft::JournalTicket ticket) override { persisted_ = ticket; }
  void promise(cft::JournalTicket ticket, const journal::Promises& /*promises*/) override {
    persisted_ = ticket;
  }
  void commit(journal::EntryIndex /*index*/) override {}
  void write_snapshot(ByteView /*bytes*/, bool /*first*/) override {}
  void keep_snapshot(const KeepSnapshot& /*order*/) override {}
  [[nodiscard]] std::uint64_t snapshot_orders() const override { return 0; }
  [[nodiscard]] cft::JournalTicket persisted() const override { return persisted_; }
  [[nodiscard]] bool failed() const override { return false; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  cft::JournalTicket persisted_ = 0;
  std::uint64_t bytes_ = 0;
};

// Executes what is decided.
class Executor final : public EngineObserver, public EgressSink {
 public:
  Executor() : reply_(reply_bytes_max) {}
  void on_decided(CommitIndex index, ByteView command) override {
    machine_.apply(index, command, reply_, *this);
    executed_ = index;
    ++commands_;
  }
  void on_deposed(CommitIndex /*after*/) override { ++deposed_; }
  void on_read_at(std::uint64_t read, CommitIndex /*index*/) override { read_ = read; }
  void on_reads_refused() override {}
  void on_leader(std::optional<memory::ProcessIndex> /*leader*/) override {}
  void emit(const LinkMessage& message) override {
    if (egress_ != nullptr) egress_->emit(message);
  }
  void emit_to(EgressSink& egress) { egress_ = &egress; }

  [[nodiscard]] KvMachine& machine() { return machine_; }
  [[nodiscard]] CommitIndex executed() const { return executed_; }
  [[nodiscard]] std::uint64_t commands() const { return commands_; }
  [[nodiscard]] std::uint64_t read() const { return read_; }
  [[nodiscard]] std::uint64_t deposed() const { return deposed_; }

 private:
  KvMachine machine_{{.state_bytes = 1U << 20, .sessions_max = 16, .view_bytes = 64U << 10}};
  std::vector<std::byte> reply_;
  EgressSink* egress_ = nullptr;
  CommitIndex executed_;
  std::uint64_t commands_ = 0;
  std::uint64_t read_ = 0;
  std::uint64_t deposed_ = 0;
};

// Takes whatever the gateway is told.
class GatewayDoor final : public DoorPort {
 public:
  bool send(door::DoorConnection /*to*/, const door::DoorMessage& message) override {
    if (const auto* applied = std::get_if<door::Applied>(&message)) cursor = applied->cursor;
    batches += std::holds_alternative<door::Batch>(message) ? 1U : 0U;
    return true;
  }
  void close(door::DoorConnection /*connection*/) override {}

  BatchNumber cursor;
  std::uint64_t batches = 0;
};

class EngineMemory : public testing::Test {
 protected:
  EngineMemory() {
    crypto::start_sodium();
    for (std::size_t i = 0; i < replicas; ++i) start(i);
  }

  void start(std::size_t id) {
    const cft::MemoryLayout layout{.processes = replicas, .ring_bytes = ring_bytes, .chunk_bytes = 4096};
    const auto regions = layout.regions();
    auto node = memory::ShmNode::open({.folder = folder.path().string(),
                                       .self = process(id),
                                       .processes = replicas,
                                       .layout = {regions.begin(), regions.end()}});
    ASSERT_TRUE(node) << node.error().what;
    nodes[id] = std::move(*node);
    EngineSettings settings;
    settings.core.self = process(id);
    settings.core.layout = layout;
    settings.core.start.members = {.set = (1U << replicas) - 1};
    settings.core.payload_bytes_max = 4096;
    // All share this thread, which is away for milliseconds.
    settings.core.poll_interval = Duration::milliseconds(2);
    settings.core.stale_after = Duration::milliseconds(20);
    settings.core.stall_after = Duration::seconds(5);
    settings.core.demand_window = Duration::seconds(5);
    std::vector<memory::Link*> links;
    for (std::size_t to = 0; to < replicas; ++to) links.push_back(&nodes[id]->link(process(to)));
    engines[id] = std::make_unique<Engine>(
        settings, Engine::Ports{nodes[id]->domain(), links, journals[id], executors[id]});
  }

  // Turns of all until `done`; false after ten seconds.
  template <class Done>
  bool turn_until(Done done) {
    const Instant end = clock_now() + Duration::seconds(10);
    while (clock_now() < end) {
      if (done()) return true;
      const Instant now = clock_now();  // done() may have told engines a time, too
      for (const auto& engine : engines) engine->turn(now);
    }
    return false;
  }
  Engine* leader() {
    const auto leads = std::ranges::find_if(engines, [](const auto& engine) { return engine->is_leader(); });
    return leads == engines.end() ? nullptr : leads->get();
  }
  // Until the machines of all have executed it.
  bool execute(ByteView command) {
    std::optional<CommitIndex> index;
    const bool placed = turn_until([&] {
      Engine* engine = leader();
      if (engine == nullptr) return false;
      const auto answer = engine->propose(command, clock_now());
      if (answer) index = *answer;
      return answer.has_value();
    });
    return placed && turn_until([&] {
             return std::ranges::all_of(executors, [&](const Executor& e) { return e.executed() >= *index; });
           });
  }

  ScratchDirectory folder;
  std::array<std::unique_ptr<memory::ShmNode>, replicas> nodes;
  std::array<InstantJournal, replicas> journals;
  std::array<Executor, replicas> executors;
  std::array<std::unique_ptr<Engine>, replicas> engines;
};

TEST_F(EngineMemory, FromProposalToExecutionNothingIsAllocated) {
  const std::vector<std::byte> command = put("key", std::string(100, 'v'));
  constexpr std::uint64_t warm = 50;
  constexpr std::uint64_t measured = 2000;
  for (std::uint64_t i = 0; i < warm; ++i) ASSERT_TRUE(execute(command));
  std::uint64_t reads = 0;
  bool all = true;
  std::uint64_t allocations = 0;
  {
    const support::AllocGuard guard;
    for (std::uint64_t i = 0; i < measured && all; ++i) {
      all = execute(command);
      if (i % 10 != 0 || leader() == nullptr) continue;
      Engine& engine = *leader();
      const Executor& executor = executors[cft::leader_of(engine.core().promise()).value];
      engine.ask_read(++reads, clock_now());
      all = all && turn_until([&] { return executor.read() == reads || !engine.is_leader(); });
    }
    allocations = guard.allocations();
  }
  ASSERT_TRUE(all);
  EXPECT_EQ(allocations, 0U);
  for (std::size_t i = 0; i < replicas; ++i) {
    EXPECT_EQ(executors[i].commands(), warm + measured);
    EXPECT_GT(journals[i].bytes(), measured * command.size());
    EXPECT_GT(engines[i]->applied().end.lsn, 4 * ring_bytes) << "the ring goes round";
  }
  EXPECT_GT(reads, measured / 20);
}

TEST_F(EngineMemory, BatchesOfLinksTakeNothingOnTheirWayInAndOut) {
  constexpr LinkIndex out{0};
  constexpr LinkIndex in{1};
  constexpr door::DoorConnection gateway{2, 2};
  for (const auto& [link, direction] :
       {std::pair{out, LinkDirection::outbound}, std::pair{in, LinkDirection::inbound}}) {
    ASSERT_TRUE(execute(encode_link_open(link, direction, Generation(1), {})));
  }
  ASSERT_NE(leader(), nullptr);
  Executor& executor = executors[cft::leader_of(leader()->core().promise()).value];
  PayloadPool pool(PayloadPool::slot_bytes_max);
  GatewayDoor gateway_door;
  LinkDesk desk({.egress = {.links = 2, .batches = 64}}, {executor.machine(), pool, gateway_door});
  executor.emit_to(desk.egress());
  desk.on_message(gateway, door::Attach{.incarnation = Incarnation(1), .epoch = Epoch(1)});
  desk.on_message(gateway, door::Tap{.link = out, .serial = 1});
  desk.on_message(gateway, door::Credit{.link = out, .serial = 1, .batches = 1000});
  const KvWrite write{.operation = KvOperation::increment, .key = text_bytes("key"), .amount = 1};
  std::vector<std::byte> body(4 + message_bytes(write));
  ByteWriter(body).write(static_cast<std::uint32_t>(body.size() - 4));
  write_message(write, ByteSpan(body).subspan(4));
  // One batch in; executing it makes one that goes out.
  const auto carry = [&](std::uint64_t batch) {
    const auto slot = pool.allocate(body.size());
    ByteWriter(pool.span(*slot)).write_bytes(body);
    desk.on_message(gateway, door::Apply{.link = in,
                                         .generation = Generation(1),
                                         .range = {BatchNumber(batch), MessageNumber(batch), 1},
                                         .payload = *slot});
    return turn_until([&] {
      if (leader() != nullptr) desk.propose(*leader(), clock_now());
      desk.tell_gateway();
      return gateway_door.cursor.value == batch && gateway_door.batches == batch;
    });
  };
  ASSERT_TRUE(carry(1));
  constexpr std::uint64_t batches = 500;
  std::uint64_t carried = 1;
  std::uint64_t allocations = 0;
  {
    const support::AllocGuard guard;
    while (carried < batches && carry(carried + 1)) ++carried;
    allocations = guard.allocations();
  }
  EXPECT_EQ(carried, batches);
  EXPECT_EQ(allocations, 0U);
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
}

}  // namespace
}  // namespace mallard::rsm
