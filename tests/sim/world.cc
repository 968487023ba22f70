#include "tests/sim/world.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>

#include "config/base/invariant.h"
#include "tests/sim/byzantine/strategies.h"
#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {
namespace {

constexpr Nanos watch_interval = 10 * millisecond;
constexpr Nanos puppet_interval = 5 * millisecond;
constexpr int turns_per_wake_max = 4;
constexpr std::uint64_t events_ever_max = 20'000'000;  // a world that needs more never comes to rest

std::uint64_t mixed(std::uint64_t digest, std::uint64_t word) {
  digest = (digest ^ word) * 0xd6e8feb86659fd93ULL;
  return digest ^ (digest >> 32);
}

}  // namespace

World::World(const SwarmOptions& options, Choices& choices, Marks& marks)
    : stage_(options, choices, marks),
      replicas_([&] {
        std::vector<Replica> replicas;
        for (std::uint16_t c = 0; c < options.clusters.size(); ++c) {
          const ClusterOptions& cluster = options.clusters[c];
          for (std::uint16_t i = 0; i < cluster.view.size(); ++i) {
            Replica replica;
            replica.id = static_cast<ReplicaId>(replicas.size());
            replica.address = {ClusterIndex(c), ReplicaIndex(i)};
            replica.weight = cluster.view.weights[i];
            replica.byzantine =
                std::find(cluster.byzantine.begin(), cluster.byzantine.end(), i) != cluster.byzantine.end();
            replica.stores.resize(options.links.size());
            replicas.push_back(std::move(replica));
          }
        }
        return replicas;
      }()),
      network_(stage_, watchers_, replicas_),
      faults_(stage_, replicas_, network_, *this) {
  add_checkers(watchers_, stage_, replicas_);
  build_replicas();
  note_world();
}

World::~World() = default;

void World::build_replicas() {
  const std::uint64_t never_same = 30ULL * 24 * 3600 * second;
  for (Replica& replica : replicas_) {
    replica.clock_start =
        static_cast<std::int64_t>(millisecond + stage_.choices.draw(Stream::options, never_same));
    if (replica.byzantine) {
      bool sends = false;
      bool receives = false;
      for (const LinkTruth& link : stage_.links) {
        sends = sends || link.shape().from == replica.address.cluster.value;
        receives = receives || link.shape().to == replica.address.cluster.value;
      }
      const std::optional<Mark> wanted = stage_.options.clusters[replica.address.cluster.value].strategy;
      replica.puppet = std::make_unique<Puppet>(
          stage_, network_, replica,
          wanted ? make_strategy(stage_.choices, *wanted) : draw_strategy(stage_.choices, sends, receives));
    }
  }
  power_cut_left_ = stage_.choices.chance(Stream::options, 250) && !stage_.options.healthy;
}

Outcome World::run() {
  for (Replica& replica : replicas_) {
    start_life(replica);
  }
  network_.start();
  faults_.start();
  for (std::uint32_t link = 0; link < stage_.links.size(); ++link) {
    // In a healthy world all channels are open before the first batch.
    stage_.schedule(stage_.options.healthy ? second : 20 * millisecond,
                    {.a = link, .what = Happening::commit});
  }
  stage_.schedule(watch_interval, {.what = Happening::watch});
  while (!over_ && !stage_.failed()) {
    const SimEvent event = stage_.heap.pop();
    MALLARD_INVARIANT(event.at >= stage_.now);
    stage_.now = event.at;
    ++events_;
    ++happened_[static_cast<std::size_t>(event.what)];
    stage_.digest = mixed(stage_.digest, event.at * 64 + static_cast<std::uint64_t>(event.what));
    stage_.digest = mixed(stage_.digest, std::uint64_t{event.replica} << 32 | event.a);
    happen(event);
    if (!stage_.healed && events_ >= stage_.options.events_max) {
      heal();
    }
    if (events_ >= events_ever_max) {
      stage_.fail("comes_to_rest",
                  fmt::format("events by kind: {}; {}", fmt::join(happened_, " "), what_is_missing()));
    }
  }
  Outcome outcome;
  note_end(outcome);
  return outcome;
}

void World::happen(const SimEvent& event) {
  switch (event.what) {
    case Happening::dial:
      return network_.dial(event.a);
    case Happening::session_up:
      return network_.session_up(event.a, event.b);
    case Happening::session_down:
      return network_.session_down(event.a, event.b);
    case Happening::commit:
      return commit(event.a);
    case Happening::fault_strikes:
      return faults_.strike();
    case Happening::fault_ends:
      return faults_.end(event.a);
    case Happening::heal:
      return heal();
    case Happening::watch:
      return watch();
    case Happening::frame_arrives:
      if (replicas_[event.replica].alive() && postponed(event)) {
        return;
      }
      return deliver(event);
    case Happening::restart:
      return start_life(replicas_[event.replica]);
    default:
      return happen_to_replica(event);
  }
}

// What happens inside a replica, if it is still the same life.
void World::happen_to_replica(const SimEvent& event) {
  Replica& replica = replicas_[event.replica];
  if (event.what == Happening::log_grows) {
    return grow_log(replica, event.a);
  }
  const bool wake = event.what == Happening::wake;
  if (!replica.alive() || event.b != (wake ? replica.wake_token : replica.lives)) {
    return;
  }
  if (postponed(event)) {
    if (wake) {
      replica.wake_at = std::max(replica.paused_until, replica.busy_until);
    }
    return;
  }
  switch (event.what) {
    case Happening::wake:
      return take_turn(replica);
    case Happening::sync_done:
      replica.life->attachment.sync_done(event.a);
      return touch(replica, 0);
    case Happening::check_done:
      replica.life->certificates.check_done(event.a);
      return touch(replica, 0);
    case Happening::puppet_acts:
      if (stage_.healed) {
        return;  // from now on it only spoils what its correct half does
      }
      replica.puppet->act();
      return stage_.schedule(puppet_interval,
                             {.b = replica.lives, .replica = replica.id, .what = Happening::puppet_acts});
    default:
      return;
  }
}

// A paused or busy process sees the event later; what came first still comes first.
bool World::postponed(const SimEvent& event) {
  Replica& replica = replicas_[event.replica];
  const Nanos until = std::max(replica.paused_until, replica.busy_until);
  if (until > stage_.now) {
    stage_.postpone(until, event);
    return true;
  }
  if (replica.cpu_cost != 0) {
    replica.busy_until = stage_.now + replica.cpu_cost;
  }
  return false;
}

void World::deliver(const SimEvent& event) {
  Flight* flight = network_.arrive(event);
  if (flight == nullptr) {
    return;
  }
  Replica& to = replicas_[flight->to];
  const Replica& from = replicas_[flight->from];
  const std::optional<PayloadRef> body = to.life->pool.allocate(flight->body.size());
  if (!body) {
    return stage_.postpone(stage_.now + millisecond, event);  // the channel stops reading
  }
  if (!flight->body.empty()) {
    std::copy(flight->body.begin(), flight->body.end(), to.life->pool.span(*body).begin());
  }
  watch_received(watchers_, from, to, flight->head, flight->body);
  const bool heard = !to.puppet || to.puppet->receive(from, flight->head, flight->body.size());
  if (heard) {
    const std::uint64_t before = stage_.port_allocations;
    const support::AllocGuard guard;
    to.life->gateway->on_frame(from.address, flight->head, *body, to.clock(stage_.now));
    call_gateway(to, "on_frame", before, guard);
  } else {
    to.life->pool.release(*body);
  }
  network_.land(event.a);
  touch(to, 0);
}

// After a call into a gateway: what it allocated itself is a breach.
void World::call_gateway(Replica& replica, const char* what, std::uint64_t allocations_before,
                         const support::AllocGuard& guard) {
  const std::uint64_t own = guard.allocations() - (stage_.port_allocations - allocations_before);
  if (own != 0) {
    stage_.fail("no_allocation", fmt::format("replica {}: {} allocations in {}", replica.id, own, what));
  }
}

void World::touch(Replica& replica, Nanos delay) {
  if (!replica.alive()) {
    return;
  }
  const Nanos at = stage_.now + delay;
  if (replica.wake_at <= at && replica.wake_at >= stage_.now) {
    return;
  }
  replica.wake_at = at;
  stage_.schedule(delay, {.b = ++replica.wake_token, .replica = replica.id, .what = Happening::wake});
}

void World::take_turn(Replica& replica) {
  bridge::Gateway& gateway = *replica.life->gateway;
  const Instant now = replica.clock(stage_.now);
  replica.wake_at = never;
  const std::uint64_t before = stage_.port_allocations;
  const support::AllocGuard guard;
  bool worked = false;
  for (int i = 0; i < turns_per_wake_max; ++i) {
    worked = gateway.turn(now);
    if (!worked) {
      break;
    }
  }
  call_gateway(replica, "turn", before, guard);
  if (worked) {
    return touch(replica, microsecond);
  }
  const Instant deadline = gateway.next_deadline();
  if (deadline != Instant::never()) {
    const Nanos at = replica.world_time(deadline);
    touch(replica, at > stage_.now ? at - stage_.now : microsecond);
  }
}

void World::commit(std::uint32_t link) {
  LinkTruth& truth = stage_.links[link];
  if (truth.complete() || stage_.healed) {
    return;
  }
  truth.decide_next();
  for (const Replica& replica : replicas_) {
    if (replica.address.cluster.value == truth.shape().from && replica.alive()) {
      const Nanos lag = stage_.options.log_lag;
      stage_.schedule(lag == 0 ? 0 : stage_.choices.draw(Stream::workload, lag),
                      {.a = link, .replica = replica.id, .what = Happening::log_grows});
    }
  }
  if (!truth.complete()) {
    stage_.schedule(1 + stage_.choices.draw(Stream::workload, 2 * truth.shape().commit_interval),
                    {.a = link, .what = Happening::commit});
  } else if (std::all_of(stage_.links.begin(), stage_.links.end(),
                         [](const LinkTruth& l) { return l.complete(); })) {
    stage_.schedule(100 * millisecond, {.what = Happening::heal});
  }
}

void World::grow_log(Replica& replica, std::uint32_t link) {
  LinkStore& store = replica.stores[link];
  if (replica.alive()) {
    store.newest = std::max(store.newest, stage_.links[link].decided());
    touch(replica, 0);
  }
}

void World::start_life(Replica& replica) {
  if (replica.alive() || replica.gone) {
    return;
  }
  ++replica.lives;
  replica.life = std::make_unique<Life>(stage_, watchers_, network_, replica);
  watchers_.tell(&Checker::on_start, replica);
  replica.wake_at = never;
  touch(replica, 0);
  if (replica.lives > 1) {
    network_.restarted(replica);
  }
  for (std::uint32_t link = 0; link < stage_.links.size(); ++link) {
    if (stage_.links[link].shape().from == replica.address.cluster.value) {
      stage_.schedule(stage_.choices.draw(Stream::workload, stage_.options.log_lag + millisecond),
                      {.a = link, .replica = replica.id, .what = Happening::log_grows});
    }
  }
  if (replica.puppet) {
    stage_.schedule(puppet_interval,
                    {.b = replica.lives, .replica = replica.id, .what = Happening::puppet_acts});
  }
}

void World::crash(Replica& replica) {
  if (!replica.alive()) {
    return;
  }
  note_life(replica);
  watchers_.tell(&Checker::on_crash, replica);
  network_.crashed(replica);
  replica.life.reset();
  for (LinkStore& store : replica.stores) {
    // Of what was written but not synced, any part may be found again.
    const BatchIndex unsynced = store.applied - store.durable;
    if (unsynced != 0) {
      stage_.marks.hit(Mark::crash_between_apply_and_sync);
    }
    store.durable += static_cast<BatchIndex>(stage_.choices.draw(Stream::disk, unsynced + 1));
    store.applied = store.durable;
  }
}

void World::lose_disk(Replica& replica) {
  replica.storage_lost = true;
  for (LinkStore& store : replica.stores) {
    store = {.applied = 0,
             .durable = 0,
             .lost = true,
             .newest = store.newest,
             .oldest_readable = store.oldest_readable};
  }
}

void World::restart(Replica& replica) {
  stage_.schedule(stage_.choices.draw(Stream::faults, 20 * millisecond),
                  {.replica = replica.id, .what = Happening::restart});
}

void World::heal() {
  if (stage_.healed) {
    return;
  }
  stage_.healed = true;
  faults_.heal();
  watchers_.tell(&Checker::on_heal);
  // Ten rounds of the slowest pace, and time for the longest backlog.
  const auto pace =
      static_cast<Nanos>(std::max(stage_.options.round_backoff_max.ns, stage_.options.rto_min.ns));
  const NetworkOptions& network = stage_.options.network;
  const Nanos step =
      4 * (network.delay_min + network.delay_spread) +
      4 * (stage_.options.sync_min + stage_.options.sync_spread) +
      8 * static_cast<Nanos>(stage_.options.rto_min.ns);  // a batch in eight may need all its attempts
  std::uint64_t batches = 0;
  for (const LinkTruth& link : stage_.links) {
    batches += link.decided();
  }
  drain_time_ = 20 * pace + 60 * second + batches * step;
  if (stage_.options.beyond_budget) {
    drain_time_ = 5 * second;  // nothing is promised
  }
  drain_deadline_ = stage_.now + drain_time_;
}

// Whether everything is where it must be: on every correct replica of the destination, known as such to every
// correct sender, and no payload is held for it any more.
bool World::delivered() const {
  for (const Replica& replica : replicas_) {
    if (!replica.alive()) {
      if (!replica.gone) {
        return false;
      }
      continue;
    }
    if (replica.byzantine) {
      continue;
    }
    for (std::uint32_t link = 0; link < stage_.links.size(); ++link) {
      const LinkTruth& truth = stage_.links[link];
      if (faults_.log_was_cut(link)) {
        continue;
      }
      const LinkShape& shape = truth.shape();
      if (shape.to == replica.address.cluster.value && replica.stores[link].durable != truth.decided()) {
        return false;
      }
      if (shape.from == replica.address.cluster.value &&
          replica.life->gateway->core().outbound(shape.link)->quacked() != truth.number(truth.decided())) {
        return false;
      }
    }
    if (holds_too_much(replica)) {
      return false;
    }
  }
  return true;
}

// Senders hold nothing of what is QUACKed. Receivers may keep the last window of what they applied, for
// pulls.
bool World::holds_too_much(const Replica& replica) const {
  std::size_t may_hold = 0;
  for (std::uint32_t link = 0; link < stage_.links.size(); ++link) {
    const LinkTruth& truth = stage_.links[link];
    const BatchIndex kept = std::min(std::bit_ceil(truth.shape().window_messages), truth.decided());
    if (faults_.log_was_cut(link)) {
      return false;
    }
    for (BatchIndex i = truth.decided() - kept;
         i < truth.decided() && truth.shape().to == replica.address.cluster.value; ++i) {
      may_hold += truth.bytes(i + 1) + PayloadPool::unit_bytes;
    }
  }
  return replica.life->pool.capacity() - replica.life->pool.free_bytes() > may_hold;
}

std::string World::what_is_missing() const {
  std::string text;
  for (const Replica& replica : replicas_) {
    if (replica.puppet) {
      text += fmt::format("\n  replica {}.{} is a {}", replica.address.cluster.value,
                          replica.address.replica.value, replica.puppet->name());
    }
    if (!replica.alive() || replica.byzantine) {
      continue;
    }
    text += fmt::format("\n  replica {}.{} ({} channels up) holds {} bytes", replica.address.cluster.value,
                        replica.address.replica.value, network_.channels_of(replica),
                        replica.life->pool.capacity() - replica.life->pool.free_bytes());
    for (std::uint32_t link = 0; link < stage_.links.size(); ++link) {
      const LinkTruth& truth = stage_.links[link];
      if (truth.shape().to == replica.address.cluster.value) {
        text += fmt::format(", link {} applied {}/{}", link, replica.stores[link].durable, truth.decided());
      }
      if (truth.shape().from == replica.address.cluster.value) {
        const bridge::OutboundLink& outbound = *replica.life->gateway->core().outbound(truth.shape().link);
        text += fmt::format(", link {} quacked {}/{} admitted {} state {}", link,
                            truth.index_of(outbound.quacked()), truth.decided(),
                            truth.index_of(outbound.admitted()), static_cast<int>(outbound.state()));
      }
    }
    text += "; ";
  }
  return text;
}

void World::watch() {
  watchers_.tell(&Checker::on_watch);
  stage_.schedule(watch_interval, {.what = Happening::watch});
  if (!stage_.healed) {
    return;
  }
  if (delivered()) {
    return finish_drain();
  }
  if (stage_.now < drain_deadline_) {
    return;
  }
  if (stage_.options.beyond_budget) {
    over_ = true;  // nothing was promised
    return;
  }
  stage_.fail("eventual_delivery", what_is_missing());
}

void World::finish_drain() {
  if (!power_cut_left_) {
    watchers_.tell(&Checker::on_drained);
    over_ = true;
    return;
  }
  power_cut_left_ = false;
  stage_.marks.hit(Mark::fault_power_cut);
  for (Replica& replica : replicas_) {
    crash(replica);
  }
  for (Replica& replica : replicas_) {
    if (!replica.gone) {
      restart(replica);
    }
  }
  drain_deadline_ = stage_.now + drain_time_;
}

}  // namespace mallard::sim
