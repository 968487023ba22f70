// Three replicas as they run: a thread each, memory shared by the kernel, journals on the machine's disk.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "crypto/sodium.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/replica/journal/real_disk.h"
#include "rsm/replica/journal_thread.h"
#include "rsm/replica/replica.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/witness_checker.h"
#include "tests/support/scratch_directory.h"
#include "transport/memory/shm/shm_node.h"

namespace mallard::rsm {
namespace {

namespace door = transport::door;

constexpr std::size_t replicas = 3;

Instant clock_now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::steady_clock::now().time_since_epoch())
              .count()};
}

// One replica on a thread of its own; everything that it has ends with it.
class Seat final : public DoorPort, public ReplicaObserver {
 public:
  Seat(const std::filesystem::path& folder, std::size_t id, std::uint64_t life)
      : folder_(folder), id_(id), life_(life), thread_([this] { run(); }) {}
  ~Seat() override {
    stop_ = true;
    thread_.join();
  }

  // The reply's bytes; nothing if it was not executed in time.
  std::vector<std::byte> call(const std::vector<std::byte>& command) {
    const std::uint64_t request = ++requests_;
    {
      const std::lock_guard lock(mutex_);
      inbox_.emplace_back(request, command);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    while (std::chrono::steady_clock::now() < deadline) {
      {
        const std::lock_guard lock(mutex_);
        const auto found = answers_.find(request);
        if (found != answers_.end()) {
          return found->second;
        }
      }
      std::this_thread::yield();
    }
    return {};
  }
  [[nodiscard]] std::uint64_t executed() const { return executed_; }

 private:
  bool send(door::DoorConnection /*to*/, const door::DoorMessage& message) override {
    const auto& reply = std::get<door::Reply>(message);
    const ByteView body = pool_.view(reply.bytes);
    const std::lock_guard lock(mutex_);
    answers_[reply.request] = {body.begin(), body.end()};
    return true;
  }
  void close(door::DoorConnection /*connection*/) override {}
  void on_executed(CommitIndex index, ByteView /*command*/) override { executed_ = index.value; }

  void run() {
    const cft::MemoryLayout layout{.processes = replicas, .ring_bytes = 1U << 20, .chunk_bytes = 64U << 10};
    const auto regions = layout.regions();
    auto node = memory::ShmNode::open({.folder = (folder_ / "memory").string(),
                                       .self = memory::ProcessIndex(static_cast<std::uint16_t>(id_)),
                                       .processes = replicas,
                                       .layout = {regions.begin(), regions.end()}});
    ASSERT_TRUE(node) << node.error().what;
    auto disk = journal::RealDisk::open_directory(folder_ / std::to_string(id_));
    ASSERT_TRUE(disk) << disk.error().what;
    journal::FreshIdentity fresh{.incarnation = Incarnation(life_ * 10 + id_ + 1)};
    fresh.store.bytes[0] = static_cast<std::byte>(id_ + 1);
    auto store = journal::Journal::open(**disk, {.segment_bytes = 4U << 20, .entries_max = 1U << 14}, fresh);
    ASSERT_TRUE(store) << store.error().what;
    JournalThread journal(**store, {.queue_bytes = 4U << 20}, {});
    KvMachine machine({.state_bytes = 16U << 20U, .sessions_max = 64, .view_bytes = 1U << 20U});

    ReplicaSettings settings;
    settings.self = memory::ProcessIndex(static_cast<std::uint16_t>(id_));
    settings.layout = layout;
    settings.incarnation = Incarnation(life_);
    settings.founding = life_ == 1;
    settings.founders = {.set = (1U << replicas) - 1};
    // Threads that share two cores are away for milliseconds.
    settings.core.poll_interval = Duration::milliseconds(2);
    settings.core.stale_after = Duration::milliseconds(20);
    settings.core.stall_after = Duration::milliseconds(1000);
    settings.core.demand_window = Duration::seconds(5);
    settings.core.payload_bytes_max = 64U << 10;
    std::vector<memory::Link*> links;
    for (std::uint16_t i = 0; i < replicas; ++i) {
      links.push_back(&(*node)->link(memory::ProcessIndex(i)));
    }
    Replica replica(settings, {(*node)->domain(), links, journal, machine, pool_, *this, this}, **store);
    while (!stop_) {
      take(replica);
      if (!replica.turn(clock_now())) {
        std::this_thread::yield();
      }
    }
    EXPECT_FALSE(replica.failed()) << journal.failure();
  }

  void take(Replica& replica) {
    const std::lock_guard lock(mutex_);
    for (const auto& [request, command] : inbox_) {
      const auto slot = pool_.allocate(command.size());
      ASSERT_TRUE(slot);
      ByteWriter(pool_.span(*slot)).write_bytes(command);
      replica.on_message({1, 1}, {door::Role::client, {}},
                         door::Submit{.request = request, .command = *slot});
    }
    inbox_.clear();
  }

  std::filesystem::path folder_;
  std::size_t id_;
  std::uint64_t life_;
  PayloadPool pool_{PayloadPool::slot_bytes_max};
  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, std::vector<std::byte>>> inbox_;
  std::map<std::uint64_t, std::vector<std::byte>> answers_;
  std::uint64_t requests_ = 0;
  std::atomic<std::uint64_t> executed_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class SharedMemoryTest : public testing::Test {
 protected:
  SharedMemoryTest() : seats(replicas) {
    crypto::start_sodium();
    std::filesystem::create_directory(folder.path() / "memory");
    for (std::size_t i = 0; i < replicas; ++i) {
      std::filesystem::create_directory(folder.path() / std::to_string(i));
      start(i);
    }
  }
  void start(std::size_t id) { seats[id] = std::make_unique<Seat>(folder.path(), id, ++lives[id]); }

  // Asks one after the other until somebody has executed it.
  KvReplyCopy call(const std::vector<std::byte>& command) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(40);
    while (std::chrono::steady_clock::now() < deadline) {
      if (seats[at]) {
        const KvReplyCopy reply = copy_reply(seats[at]->call(command));
        if (reply.status != 255) {
          return reply;
        }
      }
      at = (at + 1) % replicas;
    }
    ADD_FAILURE() << "nobody executed it";
    return {};
  }

  ScratchDirectory folder;
  std::map<std::size_t, std::uint64_t> lives;
  std::vector<std::unique_ptr<Seat>> seats;
  std::size_t at = 0;
};

TEST_F(SharedMemoryTest, ExecutesFailsOverAndComesBack) {
  const std::uint64_t session = call(open_session()).number();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    EXPECT_EQ(call(increment("sum", i, SessionTag{session, i, 0})).number(), i * (i + 1) / 2);
  }
  const std::size_t leader = at;
  seats[leader].reset();
  for (std::uint64_t i = 51; i <= 100; ++i) {
    EXPECT_EQ(call(increment("sum", i, SessionTag{session, i, 0})).number(), i * (i + 1) / 2);
  }
  EXPECT_NE(at, leader);
  start(leader);
  const std::uint64_t last = call(put("done", "yes")).index;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (seats[leader]->executed() < last && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_GE(seats[leader]->executed(), last) << "it has caught up";
  // All at once: what was answered is on the disks.
  for (std::size_t i = 0; i < replicas; ++i) {
    seats[i].reset();
  }
  for (std::size_t i = 0; i < replicas; ++i) {
    start(i);
  }
  EXPECT_EQ(call(get("sum")).number(), 5050U);
}

}  // namespace
}  // namespace mallard::rsm
