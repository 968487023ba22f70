#include "tests/sim/fault_plan.h"

#include <algorithm>

namespace mallard::sim {
namespace {

// Strikes of one kind and their marks.
Mark mark_of(Fault kind) {
  switch (kind) {
    case Fault::session_reset:
      return Mark::fault_session_reset;
    case Fault::delay_spike:
      return Mark::fault_delay_spike;
    case Fault::partition_sides:
      return Mark::fault_partition_sides;
    case Fault::partition_isolate:
      return Mark::fault_partition_isolate;
    case Fault::partition_one_way:
      return Mark::fault_partition_one_way;
    case Fault::partition_flapping:
      return Mark::fault_partition_flapping;
    case Fault::swizzle_clog:
      return Mark::fault_swizzle_clog;
    case Fault::crash:
      return Mark::fault_crash;
    case Fault::crash_without_disk:
      return Mark::fault_crash_without_disk;
    case Fault::crash_forever:
      return Mark::fault_crash_forever;
    case Fault::power_cut:
      return Mark::fault_power_cut;
    case Fault::pause:
      return Mark::fault_pause;
    case Fault::slow_cpu:
      return Mark::fault_slow_cpu;
    case Fault::slow_disk:
      return Mark::fault_slow_disk;
    case Fault::log_truncated:
    case Fault::end:
      break;
  }
  return Mark::fault_log_truncated;
}

}  // namespace

FaultPlan::FaultPlan(Stage& stage, std::vector<Replica>& replicas, Network& network, LifeControl& lives)
    : stage_(stage), replicas_(replicas), network_(network), lives_(lives), log_cut_(stage.links.size()) {
  for (std::size_t i = 0; i < fault_count; ++i) {
    if (stage.options.faults[i]) {
      kinds_.push_back(static_cast<Fault>(i));
    }
  }
}

void FaultPlan::start() {
  if (!kinds_.empty()) {
    stage_.schedule(1 + draw(2 * stage_.options.fault_interval), {.what = Happening::fault_strikes});
  }
}

void FaultPlan::strike() {
  if (stage_.healed) {
    return;
  }
  const Fault kind = kinds_[draw(kinds_.size())];
  const Nanos length = 1 + draw(2 * stage_.options.fault_length);
  const auto place = static_cast<std::uint32_t>(
      std::find_if(active_.begin(), active_.end(), [](const Active& fault) { return !fault.open; }) -
      active_.begin());
  if (place == active_.size()) {
    active_.emplace_back();
  }
  active_[place] = {.kind = kind, .open = true, .blocked = {}, .replicas = {}};
  apply(active_[place], length);
  // Flapping comes back at once, for shorter times.
  const Nanos until_end = kind == Fault::partition_flapping ? length / 8 + 1 : length;
  stage_.schedule(until_end, {.a = place, .what = Happening::fault_ends});
  stage_.schedule(1 + draw(2 * stage_.options.fault_interval), {.what = Happening::fault_strikes});
}

void FaultPlan::apply(Active& fault, Nanos length) {
  switch (fault.kind) {
    case Fault::session_reset:
      for (std::uint64_t i = 0; i < 1 + draw(replicas_.size()); ++i) {
        network_.reset(any_replica(), any_replica());
      }
      break;
    case Fault::delay_spike:
      network_.set_extra_delay(1 + draw(200 * millisecond));
      break;
    case Fault::partition_sides:
    case Fault::partition_isolate:
    case Fault::partition_one_way:
    case Fault::partition_flapping:
    case Fault::swizzle_clog:
      apply_partition(fault);
      break;
    case Fault::crash:
    case Fault::crash_without_disk:
    case Fault::crash_forever:
    case Fault::power_cut:
      apply_crash(fault);
      return;  // marks itself: the budget may forbid it
    case Fault::pause:
    case Fault::slow_cpu:
    case Fault::slow_disk:
      apply_slowness(fault, length);
      break;
    case Fault::log_truncated:
    case Fault::end:
      cut_log();
      break;
  }
  stage_.marks.hit(mark_of(fault.kind));
}

void FaultPlan::block(Active& fault, ReplicaId from, ReplicaId to) {
  if (from != to) {
    network_.block(replicas_[from], replicas_[to]);
    fault.blocked.emplace_back(from, to);
  }
}

void FaultPlan::apply_partition(Active& fault) {
  const auto n = static_cast<ReplicaId>(replicas_.size());
  const bool resets = draw(2) == 1;
  std::uint64_t side = draw(1ULL << n);
  if (fault.kind == Fault::partition_isolate || fault.kind == Fault::swizzle_clog) {
    side = 1ULL << draw(n);
  } else if (fault.kind == Fault::partition_sides && draw(2) == 1) {
    side = 0;  // between clusters
    const std::uint16_t cut_off = any_replica().address.cluster.value;
    for (ReplicaId i = 0; i < n; ++i) {
      side |= std::uint64_t{replicas_[i].address.cluster.value == cut_off ? 1U : 0U} << i;
    }
  }
  for (ReplicaId x = 0; x < n; ++x) {
    for (ReplicaId y = 0; y < n; ++y) {
      if (((side >> x) & 1U) == 0 || ((side >> y) & 1U) == 1) {
        continue;
      }
      if (fault.kind == Fault::swizzle_clog && draw(2) == 0) {
        continue;
      }
      block(fault, x, y);
      if (fault.kind != Fault::partition_one_way) {
        block(fault, y, x);
      }
      if (resets) {
        network_.reset(replicas_[x], replicas_[y]);
      }
    }
  }
}

// May this replica join the faulty ones of its cluster?
bool FaultPlan::may_become_faulty(const Replica& replica) const {
  if (stage_.options.beyond_budget || !replica.correct()) {
    return true;
  }
  Weight faulty = replica.weight;
  for (const Replica& other : replicas_) {
    if (other.address.cluster == replica.address.cluster && !other.correct()) {
      faulty += other.weight;
    }
  }
  return faulty <= stage_.options.clusters[replica.address.cluster.value].view.u;
}

void FaultPlan::apply_crash(Active& fault) {
  Replica& victim = any_replica();
  const bool everyone = fault.kind == Fault::power_cut;
  const bool costs_budget = fault.kind == Fault::crash_without_disk || fault.kind == Fault::crash_forever;
  if (victim.gone || (costs_budget && !may_become_faulty(victim))) {
    return;
  }
  stage_.marks.hit(mark_of(fault.kind));
  for (Replica& replica : replicas_) {
    const bool hit = everyone ? replica.address.cluster == victim.address.cluster : &replica == &victim;
    if (!hit || replica.gone) {
      continue;
    }
    lives_.crash(replica);
    fault.replicas.push_back(replica.id);
  }
  if (fault.kind == Fault::crash_without_disk) {
    lives_.lose_disk(victim);
  }
  victim.gone = fault.kind == Fault::crash_forever;
}

void FaultPlan::apply_slowness(Active& fault, Nanos length) {
  Replica& victim = any_replica();
  fault.replicas.push_back(victim.id);
  if (fault.kind == Fault::pause) {
    victim.paused_until = std::max(victim.paused_until, stage_.now + length);
  } else if (fault.kind == Fault::slow_cpu) {
    victim.cpu_cost = 1 + draw(2 * millisecond);
  } else {
    victim.disk_slowness = 2 + draw(200);
  }
}

// Every replica of a source drops its log up to some point near its end, needed or not.
void FaultPlan::cut_log() {
  const auto link = static_cast<std::uint32_t>(draw(stage_.links.size()));
  const LinkTruth& truth = stage_.links[link];
  const BatchIndex decided = truth.decided();
  const BatchIndex oldest = decided - std::min<BatchIndex>(decided, static_cast<BatchIndex>(draw(8))) + 1;
  log_cut_[link] = true;
  for (Replica& replica : replicas_) {
    if (replica.address.cluster.value == truth.shape().from) {
      LinkStore& store = replica.stores[link];
      store.oldest_readable = std::max(store.oldest_readable, oldest);
      store.newest = std::max(store.newest, oldest - 1);
      if (draw(2) == 1 && !replica.gone) {
        lives_.crash(replica);
        lives_.restart(replica);
      }
    }
  }
}

void FaultPlan::end(std::uint32_t fault) {
  if (active_[fault].open) {
    repair(active_[fault]);
    active_[fault].open = false;
  }
}

void FaultPlan::repair(Active& fault) {
  for (const auto& [from, to] : fault.blocked) {
    network_.unblock(replicas_[from], replicas_[to]);
  }
  if (fault.kind == Fault::delay_spike) {
    network_.set_extra_delay(0);
  }
  for (const ReplicaId id : fault.replicas) {
    Replica& replica = replicas_[id];
    replica.cpu_cost = fault.kind == Fault::slow_cpu ? 0 : replica.cpu_cost;
    replica.disk_slowness = fault.kind == Fault::slow_disk ? 1 : replica.disk_slowness;
    if (!replica.alive() && !replica.gone) {
      lives_.restart(replica);
    }
  }
  fault.blocked.clear();
  fault.replicas.clear();
}

void FaultPlan::heal() {
  for (Active& fault : active_) {
    if (fault.open) {
      repair(fault);
      fault.open = false;
    }
  }
  for (Replica& replica : replicas_) {
    replica.paused_until = std::min(replica.paused_until, stage_.now);
    replica.cpu_cost = 0;
    replica.disk_slowness = 1;
    if (!replica.alive() && !replica.gone) {
      lives_.restart(replica);
    }
  }
}

}  // namespace mallard::sim
