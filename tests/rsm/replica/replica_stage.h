// Replicas of one cluster in one process and in virtual time: simulated memory, simulated disks, clients that
// find the leader and repeat what was not answered.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rsm/machine/kv_machine.h"
#include "rsm/replica/replica.h"
#include "tests/rsm/replica/delayed_journal.h"
#include "tests/rsm/replica/journal/sim_disk.h"
#include "tests/rsm/replica/witness_checker.h"
#include "tests/sim/memory/sim_fabric.h"

namespace mallard::rsm {

// What a client was told, and when.
struct DoorAnswer {
  transport::door::Reply reply;
  std::vector<std::byte> bytes;
};

struct StageSettings {
  std::uint64_t seed = 1;
  cft::Durability durability = cft::Durability::disk;
  Duration sync = Duration::microseconds(50);
  std::uint64_t ring_bytes = 64U << 10;
  std::uint64_t state_bytes = 4U << 20;
  std::size_t links = 0;
  SnapshotSettings snapshots;
  bool peers = true;  // replicas reach each other
  std::vector<LinkOpening> openings;
};

class ReplicaStage {
 public:
  static constexpr std::size_t replicas = 3;

  explicit ReplicaStage(const StageSettings& settings = {});
  ~ReplicaStage();

  // Lets everything happen until `done` says so; false when `limit` has passed before.
  bool run_until(const std::function<bool()>& done, Duration limit = Duration::milliseconds(200));
  void run_for(Duration time) {
    run_until([] { return false; }, time);
  }
  // Waits for one that leads; fails the test if none does.
  std::size_t wait_for_leader();
  [[nodiscard]] std::optional<std::size_t> leader() const;

  // Power is cut: memory is gone, and what was not synced.
  void crash(std::size_t id, journal::SimDisk::Loss loss = journal::SimDisk::Loss::everything);
  void start(std::size_t id, bool founding = false);
  // Its journal is opened and closed, and nothing else; while it is down.
  void make_store(std::size_t id);
  // Stands still, as a process that is stopped, and later goes on where it was. Its memory stays open to
  // others.
  void pause(std::size_t id, bool paused) { seats_[id].paused = paused; }
  // Its disk is empty from now on; while it is down.
  void wipe(std::size_t id);

  // Sees each message between replicas before it arrives, and may change its body; false: it is lost.
  using Censor = std::function<bool(std::size_t from, std::size_t to, const PeerMessage& message,
                                    std::vector<std::byte>& body)>;
  void set_censor(Censor censor) { censor_ = std::move(censor); }

  // A command at one replica's door; its answer has come when answer() gives it.
  std::uint64_t submit(std::size_t id, const std::vector<std::byte>& command,
                       transport::door::Role role = transport::door::Role::client);
  // What the gateway beside a replica says, and everything that it was told since it attached.
  void say(std::size_t id, const transport::door::DoorMessage& message);
  // Its queue takes nothing more, or takes it again.
  void fill_queue_of_gateway(std::size_t id, bool full) { seats_[id].queue_full = full; }
  // A batch that came over a link and increments `key`, for the replica to apply.
  void apply(std::size_t id, LinkIndex link, std::uint64_t batch, std::string_view key,
             Fence fence = Fence(0));
  struct Told {
    transport::door::DoorMessage message;
    std::vector<std::byte> body;
  };
  [[nodiscard]] const std::vector<Told>& told(std::size_t id) const { return seats_[id].told; }
  [[nodiscard]] const DoorAnswer* answer(std::uint64_t request) const;
  // Submits it again and again, wherever the leader is said to be, until it was executed.
  KvReplyCopy call(const std::vector<std::byte>& command);

  [[nodiscard]] Replica& replica(std::size_t id) { return *seats_[id].replica; }
  [[nodiscard]] KvMachine& machine(std::size_t id) { return *seats_[id].machine; }
  [[nodiscard]] PayloadPool& pool(std::size_t id) { return *seats_[id].pool; }
  [[nodiscard]] bool runs(std::size_t id) const { return seats_[id].replica != nullptr; }
  [[nodiscard]] journal::SimDisk& disk(std::size_t id) { return *seats_[id].disk; }
  [[nodiscard]] journal::Journal& store(std::size_t id) { return *seats_[id].store; }
  [[nodiscard]] sim::SimFabric& fabric() { return fabric_; }
  [[nodiscard]] Instant now() const { return now_; }
  // Everything that was asked and answered, and what every replica executed.
  [[nodiscard]] WitnessChecker& witness() { return witness_; }
  // Waits until all that run have executed the same, and compares their states.
  void expect_equal_states();

 private:
  class Door final : public DoorPort {
   public:
    explicit Door(ReplicaStage& stage, std::size_t id) : stage_(stage), id_(id) {}
    bool send(transport::door::DoorConnection to, const transport::door::DoorMessage& message) override;
    void close(transport::door::DoorConnection /*connection*/) override {}

   private:
    ReplicaStage& stage_;
    std::size_t id_;
  };
  class Watch final : public ReplicaObserver {
   public:
    explicit Watch(ReplicaStage& stage) : stage_(stage) {}
    void on_executed(CommitIndex index, ByteView command) override {
      stage_.witness_.executed(index.value, command);
    }

   private:
    ReplicaStage& stage_;
  };
  // Messages between replicas: as bytes, a while on their way, lost where nobody runs.
  class Post final : public PeerPort {
   public:
    explicit Post(ReplicaStage& stage, std::size_t id) : stage_(stage), id_(id) {}
    bool send(memory::ProcessIndex to, const PeerMessage& message) override;

   private:
    ReplicaStage& stage_;
    std::size_t id_;
  };
  struct Letter {
    Instant arrives;
    std::size_t from = 0;
    std::size_t to = 0;
    std::vector<std::byte> head;
    std::vector<std::byte> body;
  };
  struct Seat {
    std::unique_ptr<journal::SimDisk> disk;
    std::unique_ptr<journal::Journal> store;
    std::unique_ptr<DelayedJournal> journal;
    std::unique_ptr<KvMachine> machine;
    std::unique_ptr<PayloadPool> pool;
    std::unique_ptr<Door> door;
    std::unique_ptr<Post> post;
    std::unique_ptr<Replica> replica;
    std::vector<Told> told;
    bool paused = false;
    bool queue_full = false;
  };

  [[nodiscard]] std::unique_ptr<journal::Journal> open_journal(journal::Disk& disk) const;
  void tick();
  void deliver(const Letter& letter);

  StageSettings settings_;
  cft::MemoryLayout layout_;
  sim::SimFabric fabric_;
  WitnessChecker witness_;
  Watch watch_;
  std::array<Seat, replicas> seats_;
  // Works of a process that died may go on to their end, and read what it wrote.
  std::vector<std::unique_ptr<journal::SimDisk>> old_disks_;
  std::vector<std::unique_ptr<Replica>> graves_;
  std::deque<Letter> letters_;
  Censor censor_;
  std::map<std::uint64_t, DoorAnswer> answers_;
  std::uint64_t requests_ = 0;
  std::uint64_t lives_ = 0;
  Instant now_;
};

}  // namespace mallard::rsm
