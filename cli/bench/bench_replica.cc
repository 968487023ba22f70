#include "cli/bench/bench_replica.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <chrono>
#include <utility>

namespace mallard::cli {
namespace {

namespace journal = rsm::journal;

constexpr std::uint64_t chunk_bytes = 256U << 10;
constexpr journal::JournalSettings journal_settings{.segment_bytes = 4U << 20,
                                                    .segments_max = 128,
                                                    .group_bytes_max = 2U << 20,
                                                    .body_bytes_max = 512U << 10};
// Between two orders to forget: less than a sixth of what the journal takes (rsm::SnapshotSettings).
constexpr std::uint64_t forget_entries = 16'384;
constexpr std::uint64_t forget_bytes = 32U << 20;
constexpr std::uint64_t intervals_max = 3;

// One step of the hash over all writes: FNV-1a on words.
std::uint64_t hashed(std::uint64_t hash, ByteView command) {
  ByteReader reader(command);
  while (reader.remaining() >= sizeof(std::uint64_t)) {
    hash = (hash ^ reader.read<std::uint64_t>()) * 0x100000001b3ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace

BenchReplica::~BenchReplica() = default;

Instant BenchReplica::clock() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::steady_clock::now().time_since_epoch())
              .count()};
}

Result<std::unique_ptr<BenchReplica>, std::string> BenchReplica::open(const BenchReplicaSettings& settings,
                                                                      BenchSeat& seat,
                                                                      std::function<void()> on_progress) {
  std::unique_ptr<BenchReplica> replica(new BenchReplica(settings, seat));
  if (auto opened = replica->open_memory(); !opened) {
    return Failure<std::string>(opened.error());
  }
  if (auto opened = replica->open_journal(std::move(on_progress)); !opened) {
    return Failure<std::string>(opened.error());
  }
  replica->make_engine();
  seat.open = true;
  return replica;
}

Result<void, std::string> BenchReplica::open_memory() {
  const rsm::cft::MemoryLayout layout{
      .processes = settings_.replicas, .ring_bytes = settings_.ring_bytes, .chunk_bytes = chunk_bytes};
  const auto regions = layout.regions();
  auto node = memory::ShmNode::open({.folder = (settings_.folder / "memory").string(),
                                     .self = memory::ProcessIndex(settings_.self),
                                     .processes = settings_.replicas,
                                     .layout = {regions.begin(), regions.end()},
                                     .spare_instances = settings_.replicas});
  if (!node) {
    return Failure<std::string>(node.error().what);
  }
  memory_ = std::move(*node);
  return {};
}

Result<void, std::string> BenchReplica::open_journal(std::function<void()> on_progress) {
  auto disk = journal::RealDisk::open_directory(settings_.folder / std::to_string(settings_.self));
  if (!disk) {
    return Failure<std::string>(disk.error().what);
  }
  disk_ = std::move(*disk);
  journal::FreshIdentity fresh{.incarnation = Incarnation(1)};
  if (::getrandom(fresh.store.bytes.data(), fresh.store.bytes.size(), 0) < 0) {
    return Failure<std::string>("the machine gives no random bytes");
  }
  auto store = journal::Journal::open(*disk_, journal_settings, fresh);
  if (!store) {
    return Failure<std::string>(store.error().what);
  }
  store_ = std::move(*store);
  journal_ =
      std::make_unique<rsm::JournalThread>(*store_, rsm::JournalThreadSettings{}, std::move(on_progress));
  return {};
}

void BenchReplica::make_engine() {
  rsm::EngineSettings engine;
  engine.core = settings_.core;
  engine.core.self = memory::ProcessIndex(settings_.self);
  engine.core.layout = {
      .processes = settings_.replicas, .ring_bytes = settings_.ring_bytes, .chunk_bytes = chunk_bytes};
  engine.core.durability = settings_.durability;
  engine.core.payload_bytes_max = settings_.bytes;
  engine.core.credit_bytes = settings_.ring_bytes / 4;
  engine.core.keep_bytes = settings_.ring_bytes / 2;
  engine.core.start.members.set = (std::uint64_t{1} << settings_.replicas) - 1;
  engine.may_vote = false;  // as the fresh store says; it is told otherwise at once
  std::vector<memory::Link*> links;
  for (std::uint16_t i = 0; i < settings_.replicas; ++i) {
    links.push_back(&memory_->link(memory::ProcessIndex(i)));
  }
  engine_.emplace(engine, rsm::Engine::Ports{memory_->domain(), links, *journal_, *this});
  command_.resize(settings_.bytes);
}

void BenchReplica::turn(Instant now) {
  forget();
  if (is_behind()) {
    return;
  }
  engine_->turn(now);
  seat_.applied_bytes.store(engine_->applied().end.lsn, std::memory_order_relaxed);
  const bool leads = engine_->is_leader();
  if (leads != led_) {
    led_ = leads;
    proposed_ = decided_ = 0;
    first_ = CommitIndex();
    if (leads) {
      seat_.own_decided_at = 0;
      ++seat_.reigns;
    }
    seat_.leads = leads;
  }
}

bool BenchReplica::propose(Instant now) {
  if (!led_ || is_behind()) {
    return false;
  }
  ByteWriter writer(command_);
  writer.write(std::uint64_t{settings_.self} << 32 | seat_.reigns.load(std::memory_order_relaxed));
  writer.write(proposed_ + 1);
  const auto placed = engine_->propose(command_, now);
  if (!placed) {
    return false;
  }
  ++proposed_;
  if (first_.value == 0) {
    first_ = *placed;
  }
  return true;
}

void BenchReplica::on_decided(CommitIndex index, ByteView command) {
  hash_ = hashed(hash_, command);
  ++executed_;
  seat_.history[executed_ % BenchSeat::history_entries].store(hash_, std::memory_order_relaxed);
  seat_.executed.store(executed_, std::memory_order_release);
  if (first_.value != 0 && index >= first_) {
    ++decided_;
    decided_at_ = clock();
    if (decided_ == 1) {
      seat_.own_decided_at.store(static_cast<std::uint64_t>(decided_at_.ns), std::memory_order_release);
    }
  }
}

void BenchReplica::on_deposed(CommitIndex /*after*/) { first_ = CommitIndex(); }

void BenchReplica::forget() {
  const rsm::LogPlace& at = engine_->applied();
  if (at.index.value - forgotten_.index.value < forget_entries &&
      at.end.lsn - forgotten_.end.lsn < forget_bytes) {
    return;
  }
  if (journal_->snapshot_orders() != snapshot_orders_) {
    return;
  }
  const std::array<std::byte, sizeof(std::uint64_t)> mark{};
  journal_->write_snapshot(mark, true);
  journal_->keep_snapshot({.slot = slot_,
                           .position = {at.index, journal::Term(at.end.ballot.value), {}},
                           .forget_through = at.index});
  snapshot_orders_ += 2;
  slot_ ^= 1U;
  forgotten_ = at;
}

bool BenchReplica::is_behind() const {
  const rsm::LogPlace& at = engine_->applied();
  return (at.index.value - forgotten_.index.value) / intervals_max >= forget_entries ||
         (at.end.lsn - forgotten_.end.lsn) / intervals_max >= forget_bytes;
}

std::string BenchReplica::failure() const {
  if (journal_->failed()) {
    return journal_->failure();
  }
  return engine_->failed() ? "own memory is not what was written" : "";
}

}  // namespace mallard::cli
