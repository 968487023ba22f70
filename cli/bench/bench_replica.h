// One replica of a cluster that is measured: memory, journal and engine as `mallard replica` has them, and
// instead of a machine and clients a hash of what was decided and a writer beside the leader.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/result.h"
#include "rsm/core/cft/cft_settings.h"
#include "rsm/replica/engine.h"
#include "rsm/replica/journal/real_disk.h"
#include "rsm/replica/journal_thread.h"
#include "transport/memory/shm/shm_node.h"

namespace mallard::cli {

// What a replica process tells the benchmark, in memory that they share. Outlives a replica that is killed.
struct BenchSeat {
  static constexpr std::size_t history_entries = 1U << 16;

  alignas(64) std::atomic<std::uint64_t> executed = 0;  // writes
  std::atomic<std::uint64_t> applied_bytes = 0;         // of log
  std::atomic<std::uint64_t> own_decided_at = 0;  // of its first write in its present reign, ns; 0: none
  std::atomic<std::uint32_t> reigns = 0;          // that it began
  std::atomic<bool> leads = false;
  std::atomic<bool> open = false;
  // The hash over the first n writes, at n % history_entries.
  std::array<std::atomic<std::uint64_t>, history_entries> history{};
};

struct BenchReplicaSettings {
  std::uint16_t self = 0;
  std::uint16_t replicas = 3;
  std::filesystem::path folder;  // of the cluster: has `memory` and `0`, `1` ...
  rsm::cft::Durability durability = rsm::cft::Durability::replicated;
  rsm::cft::CftSettings core;  // windows and times
  std::uint64_t ring_bytes = 0;
  std::uint32_t bytes = 64;  // of a write, 16 at least
};

class BenchReplica final : private rsm::EngineObserver {
 public:
  // A founding member. `seat` outlives it. `on_progress` may be empty; it is called on the journal's thread.
  // The error is a sentence.
  [[nodiscard]] static Result<std::unique_ptr<BenchReplica>, std::string> open(
      const BenchReplicaSettings& settings, BenchSeat& seat, std::function<void()> on_progress);
  ~BenchReplica() override;
  BenchReplica(const BenchReplica&) = delete;
  BenchReplica& operator=(const BenchReplica&) = delete;

  [[nodiscard]] static Instant clock();

  void turn(Instant now);
  // Puts this replica's next write into the log; false: not now, or it does not lead.
  [[nodiscard]] bool propose(Instant now);
  [[nodiscard]] bool leads() const { return engine_->is_leader(); }
  // Writes that were proposed in this reign, and how many of them were decided.
  [[nodiscard]] std::uint64_t proposed() const { return proposed_; }
  [[nodiscard]] std::uint64_t decided() const { return decided_; }
  // When the last of them was.
  [[nodiscard]] Instant decided_at() const { return decided_at_; }

  [[nodiscard]] const rsm::Engine& engine() const { return *engine_; }
  // Empty while all is well.
  [[nodiscard]] std::string failure() const;

 private:
  BenchReplica(const BenchReplicaSettings& settings, BenchSeat& seat) : settings_(settings), seat_(seat) {}
  [[nodiscard]] Result<void, std::string> open_memory();
  [[nodiscard]] Result<void, std::string> open_journal(std::function<void()> on_progress);
  void make_engine();
  // As snapshots do: the journal forgets what is decided.
  void forget();
  [[nodiscard]] bool is_behind() const;

  void on_decided(CommitIndex index, ByteView command) override;
  void on_deposed(CommitIndex after) override;
  void on_read_at(std::uint64_t /*read*/, CommitIndex /*index*/) override {}
  void on_reads_refused() override {}
  void on_leader(std::optional<memory::ProcessIndex> /*leader*/) override {}

  BenchReplicaSettings settings_;
  BenchSeat& seat_;
  std::unique_ptr<memory::ShmNode> memory_;
  std::unique_ptr<rsm::journal::RealDisk> disk_;
  std::unique_ptr<rsm::journal::Journal> store_;
  std::unique_ptr<rsm::JournalThread> journal_;
  std::optional<rsm::Engine> engine_;
  std::vector<std::byte> command_;
  CommitIndex first_;  // of this reign's writes that are not decided; 0: none was placed
  std::uint64_t proposed_ = 0;
  std::uint64_t decided_ = 0;
  Instant decided_at_;
  std::uint64_t hash_ = 0;
  std::uint64_t executed_ = 0;
  bool led_ = false;
  rsm::LogPlace forgotten_;
  std::uint64_t snapshot_orders_ = 0;
  std::uint8_t slot_ = 0;
};

}  // namespace mallard::cli
