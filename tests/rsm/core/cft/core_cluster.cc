#include "tests/rsm/core/cft/core_cluster.h"

namespace mallard::rsm::cft {

using memory::ProcessIndex;
using sim::cft::SimHost;
using sim::cft::SimJournal;

namespace {

sim::cft::HostShape host_shape(const CoreCluster::Shape& shape) {
  sim::cft::HostShape host;
  host.core.layout = {shape.processes, shape.ring_bytes, 1024};
  host.core.durability = shape.durability;
  host.core.start.members = {(1ULL << shape.members) - 1, Epoch(1)};
  host.core.window_entries = 32;
  host.core.payload_bytes_max = 200;
  host.core.credit_bytes = 2048;
  host.core.keep_bytes = 512;
  host.core.link_depth = 16;
  host.core.relink_after = Duration::milliseconds(1);
  host.core.stall_after = Duration::milliseconds(3);
  host.core.lag_patience = Duration::milliseconds(2);
  return host;
}

sim::FabricSettings fabric_of(const sim::cft::HostShape& host, std::uint64_t seed) {
  sim::FabricSettings settings;
  settings.seed = seed;
  settings.processes = host.core.layout.processes;
  for (const memory::RegionLayout& region : host.core.layout.regions()) settings.layout.push_back(region);
  settings.queue_depth = host.core.link_depth;
  return settings;
}

}  // namespace

CoreCluster::CoreCluster(const Shape& shape)
    : shape_(host_shape(shape)),
      turn_(shape.turn),
      fabric_(fabric_of(shape_, shape.seed)),
      journals_(shape.processes, SimJournal(shape_.core.start.members)),
      judge_(shape.processes, shape.durability, journals_, marks_),
      hosts_(shape.processes),
      lives_(shape.processes),
      lost_(shape.processes),
      paused_(shape.processes) {
  for (std::size_t i = 0; i < shape.processes; ++i) start(i);
}

void CoreCluster::start(std::size_t i) {
  sim::cft::HostShape shape = shape_;
  shape.core.self = ProcessIndex(static_cast<std::uint16_t>(i));
  shape.core.start.incarnation = Incarnation(++lives_[i]);
  shape.core.start.lost = lives_[i] > 1 && (lost_[i] || shape.core.durability == Durability::replicated);
  hosts_[i] = std::make_unique<SimHost>(fabric_, shape, journals_[i], judge_, Prng(i * 100 + lives_[i]));
  judge_.restarted(i);
  std::vector<SimHost*> all;
  for (const auto& host : hosts_) all.push_back(host.get());
  judge_.set_hosts(all);
}

void CoreCluster::run_for(Duration span) {
  const Instant end = now_ + span;
  while (now_ < end) {
    now_ = now_ + turn_;
    judge_.set_now(now_);
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      fabric_.advance(now_);
      if (hosts_[i] && !paused_[i]) hosts_[i]->turn(now_);
    }
  }
}

void CoreCluster::skip(Duration span) {
  now_ = now_ + span;
  fabric_.advance(now_);
}

bool CoreCluster::run_until(const std::function<bool()>& reached) {
  const Instant end = now_ + Duration::milliseconds(200);
  while (now_ < end && !judge_.failed()) {
    if (reached()) return true;
    if (snapshots_) install_snapshots();
    run_for(turn_);
  }
  return false;
}

SimHost* CoreCluster::leader() {
  SimHost* found = nullptr;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (!hosts_[i] || paused_[i] || hosts_[i]->core().role() != Role::leader) continue;
    if (found != nullptr) return nullptr;
    found = hosts_[i].get();
  }
  return found;
}

bool CoreCluster::decide(std::size_t commands) {
  const std::uint64_t wanted = judge_.answers() + commands;
  return run_until([&] {
    SimHost* host = leader();
    while (host != nullptr && host->waiting() < 4) {
      judge_.issued(next_id_, 40);
      host->request(next_id_++, 40);
    }
    return judge_.answers() >= wanted;
  });
}

bool CoreCluster::level() {
  for (const auto& host : hosts_) {
    if (host && host->executed().lsn < judge_.end()) return false;
  }
  return true;
}

void CoreCluster::crash(std::size_t i, bool with_disk) {
  fabric_.crash(ProcessIndex(static_cast<std::uint16_t>(i)));
  Prng prng(lives_[i]);
  journals_[i].crash(prng);
  if (!with_disk) {
    judge_.lost_disk(i);
    journals_[i] = SimJournal(shape_.core.start.members);
    lost_[i] = true;
  }
  hosts_[i].reset();
  std::vector<SimHost*> all;
  for (const auto& host : hosts_) all.push_back(host.get());
  judge_.set_hosts(all);
}

void CoreCluster::restart(std::size_t i) {
  fabric_.restart(ProcessIndex(static_cast<std::uint16_t>(i)));
  start(i);
}

void CoreCluster::pause(std::size_t i, bool paused) {
  const ProcessIndex process(static_cast<std::uint16_t>(i));
  paused ? fabric_.pause(process, true) : fabric_.resume(process);
  paused_[i] = paused;
}

void CoreCluster::install_snapshots() {
  for (const auto& [who, at_least] : judge_.take_snapshot_needs()) {
    for (const auto& other : hosts_) {
      if (!other || !hosts_[who] || other.get() == hosts_[who].get() || other->executed().lsn < at_least)
        continue;
      hosts_[who]->install(other->executed(), other->members(), now_);
      break;
    }
  }
}

}  // namespace mallard::rsm::cft
