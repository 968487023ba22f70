// What happens to works: posting, carrying out, failing, reporting.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "config/base/invariant.h"
#include "tests/sim/memory/sim_fabric.h"
#include "transport/memory/rights.h"

namespace mallard::sim {

using memory::word_bytes;
using memory::Work;
using memory::WorkDone;
using memory::WorkKind;
using memory::WorkStatus;
using Phase = SimFlight::Phase;

namespace {

// Takes the words of a write over, so that they no longer depend on the poster.
void take_source(SimFlight& flight) {
  if (flight.has_source || flight.work.kind != WorkKind::write) return;
  flight.words.resize((flight.work.source.size() + word_bytes - 1) / word_bytes);
  if (!flight.words.empty()) {
    std::memcpy(flight.words.data(), flight.work.source.data(), flight.work.source.size());
  }
  flight.has_source = true;
}

}  // namespace

// ---- The poster's side ----

bool SimFabric::post(Way way, std::span<const Work> chain) {
  LinkState& link = at(way);
  if (!state_.processes[way.from].alive) return true;
  if (chain.size() > link.queue.size() - link.count) return false;
  const bool was_idle = current(way) == nullptr;
  for (const Work& work : chain) {
    SimFlight& flight = link.queue[(link.head + link.count++) % link.queue.size()];
    flight.work = work;
    flight.phase = Phase::waiting;
    flight.status = WorkStatus::ok;
    flight.has_source = flight.fails = false;
    flight.done = flight.total = flight.end = 0;
    flight.previous = 0;
    flight.incarnation = link.incarnation;
    if (link.condition != LinkState::Condition::live) {
      flight.status = WorkStatus::flushed;
      flight.phase = Phase::visible;
      ++state_.counters.flushed;
    } else if (memory::bytes_of(work) <= settings_.capabilities.inline_bytes) {
      take_source(flight);
    }
  }
  if (was_idle) link.execute_at = state_.now + delay(way);
  return true;
}

std::size_t SimFabric::poll(Way way, std::span<WorkDone> reports) {
  LinkState& link = at(way);
  std::size_t written = 0;
  std::size_t covered = 0;  // works that the next report retires
  while (written < reports.size() && covered < link.count) {
    const SimFlight& flight = link.queue[(link.head + covered) % link.queue.size()];
    if (flight.phase != Phase::visible) break;
    ++covered;
    if (flight.status == WorkStatus::ok && !flight.work.signaled) continue;
    if (flight.status == WorkStatus::ok && flight.work.kind == WorkKind::read) {
      std::memcpy(flight.work.destination.data(), flight.words.data(), flight.work.destination.size());
    }
    reports[written++] = WorkDone{flight.work.id, flight.status, flight.previous};
    link.head = (link.head + covered) % link.queue.size();
    link.count -= covered;
    covered = 0;
  }
  return written;
}

void SimFabric::reset(Way way) {
  LinkState& link = at(way);
  if (!state_.processes[way.from].alive || link.condition == LinkState::Condition::resetting) return;
  // An unsignaled work that was carried out and that nothing has covered yet stays unreported, thus flushed.
  for (std::size_t i = 0; i < link.count; ++i) {
    SimFlight& flight = link.queue[(link.head + i) % link.queue.size()];
    if (flight.phase == Phase::visible && flight.status == WorkStatus::ok && !flight.work.signaled) {
      flight.status = WorkStatus::flushed;
    }
  }
  abandon(way, !link.broken || link.in_vain);
  link.condition = LinkState::Condition::resetting;
  link.reset_at = state_.now + delay(way);
}

// Everything that has not been reported is flushed. What was not carried out goes on without its poster if
// the domain does not know better.
void SimFabric::abandon(Way way, bool still_executed) {
  LinkState& link = at(way);
  for (std::size_t i = 0; i < link.count; ++i) {
    SimFlight& flight = link.queue[(link.head + i) % link.queue.size()];
    if (flight.phase == Phase::visible) continue;
    if (flight.phase != Phase::settled && still_executed) {
      take_source(flight);
      link.ghosts.push_back(flight);
    }
    if (flight.phase != Phase::settled || flight.status == WorkStatus::ok)
      flight.status = WorkStatus::flushed;
    flight.phase = Phase::visible;
    ++state_.counters.flushed;
  }
}

void SimFabric::finish_reset(Way way) {
  LinkState& link = at(way);
  for (SimFlight& ghost : link.ghosts) ghost.phase = Phase::settled;
  if (!settings_.replay_old_works) link.ghosts.clear();
  ++link.incarnation;
  link.condition = LinkState::Condition::live;
  link.broken = link.in_vain = false;
}

// ---- The domain's side ----

bool SimFabric::is_allowed(Way way, const Work& work) const {
  if (work.region.value >= settings_.layout.size()) return false;
  const memory::RegionLayout& layout = settings_.layout[work.region.value];
  if (!memory::is_within(work.offset, memory::bytes_of(work), layout)) return false;
  if (work.kind == WorkKind::compare_swap && !settings_.capabilities.compare_swap) return false;
  const memory::ProcessIndex owner(static_cast<std::uint16_t>(way.to));
  const memory::ProcessIndex poster(static_cast<std::uint16_t>(way.from));
  const RegionState& region = state_.processes[way.to].regions[work.region.value];
  const bool holds = layout.granted && region.grant != 0 && region.holder == poster;
  if (work.kind == WorkKind::read) return holds || memory::may_read(layout, owner, poster);
  if (layout.granted && !settings_.grants_enforced) return true;
  if (layout.granted) return holds && work.grant.value == region.grant;
  return memory::may_write(layout, owner, poster);
}

void SimFabric::begin(Way way, SimFlight& flight, std::uint8_t variant) {
  LinkState& link = at(way);
  Prng& prng = state_.prng;
  take_source(flight);
  flight.phase = Phase::running;
  flight.total = static_cast<std::uint32_t>(memory::bytes_of(flight.work) / word_bytes);
  if (flight.work.kind != WorkKind::write) flight.words.assign(flight.total, 0);
  flight.order.resize(flight.total);
  std::iota(flight.order.begin(), flight.order.end(), 0U);
  std::uint32_t pieces = static_cast<std::uint32_t>(settings_.pieces_max);
  if (settings_.shuffle) {
    for (std::uint32_t i = flight.total; i > 1; --i)
      std::swap(flight.order[i - 1], flight.order[prng.below(i)]);
    pieces = static_cast<std::uint32_t>(prng.between(1, std::max<std::uint64_t>(1, settings_.pieces_max)));
  } else if (variant == 1) {
    std::reverse(flight.order.begin(), flight.order.end());
  }
  flight.piece = std::max(1U, (flight.total + pieces - 1) / std::max(1U, pieces));
  flight.end = flight.total;
  if (link.fail_next) {
    flight.fails = true;
    flight.end = link.fail_applied ? flight.total : 0;
    link.fail_next = false;
  } else if (settings_.errors_per_million > 0 && prng.one_in_million(settings_.errors_per_million)) {
    flight.fails = true;
    const std::uint64_t kind = prng.below(3);
    flight.end = kind == 0 ? 0 : flight.total;
    if (kind == 2) flight.end = static_cast<std::uint32_t>(prng.between(0, flight.total));
  }
}

void SimFabric::execute(Way way, std::uint8_t variant) {
  LinkState& link = at(way);
  link.execute_at = state_.now + delay(way);
  const auto old = std::find_if(link.ghosts.begin(), link.ghosts.end(), [&](const SimFlight& ghost) {
    return ghost.incarnation != link.incarnation;
  });
  if (old != link.ghosts.end() && state_.prng.below(2) == 0) {
    ++state_.counters.replays_dropped;  // arrives once more, and its incarnation is not the link's
    link.ghosts.erase(old);
  }
  SimFlight& flight = *current(way);
  if (!state_.processes[way.to].memory_alive) return settle(way, flight, WorkStatus::unknown);
  if (!is_allowed(way, flight.work)) {
    if (flight.done > 0) ++state_.counters.cut_by_regrant;
    return settle(way, flight, flight.done > 0 ? WorkStatus::unknown : WorkStatus::fenced);
  }
  if (flight.phase == Phase::waiting) {
    begin(way, flight, variant);
    // The first piece comes with the beginning unless it has to come later.
    if (settings_.shuffle && state_.prng.below(2) == 0) return;
  }
  for (std::uint32_t i = 0; i < flight.piece && flight.done < flight.end; ++i) {
    carry_out(way, flight, flight.order[flight.done++]);
  }
  if (flight.done >= flight.end) settle(way, flight, flight.fails ? WorkStatus::unknown : WorkStatus::ok);
}

void SimFabric::carry_out(Way way, SimFlight& flight, std::size_t word) {
  RegionState& region = state_.processes[way.to].regions[flight.work.region.value];
  std::uint64_t& memory = region.words[flight.work.offset / word_bytes + word];
  switch (flight.work.kind) {
    case WorkKind::write:
      memory = flight.words[word];
      break;
    case WorkKind::read:
      flight.words[word] = memory;
      break;
    case WorkKind::compare_swap:
      flight.previous = memory;
      if (memory == flight.work.expected) memory = flight.work.desired;
      break;
  }
}

void SimFabric::settle(Way way, SimFlight& flight, WorkStatus status) {
  LinkState& link = at(way);
  FabricCounters& counters = state_.counters;
  const bool in_vain =
      link.broken || flight.incarnation != link.incarnation || link.condition != LinkState::Condition::live;
  flight.phase = Phase::settled;
  if (in_vain) {
    flight.status = WorkStatus::flushed;
    if (flight.done > 0 && flight.work.kind != WorkKind::read) ++counters.carried_out_in_vain;
    if (status != WorkStatus::ok) {
      link.broken = true;
      link.in_vain = false;
    }
    return;
  }
  flight.status = status;
  flight.visible_at = std::max(link.visible_at, state_.now + delay(way));
  link.visible_at = flight.visible_at;
  if (status == WorkStatus::ok) {
    ++counters.ok;
    return;
  }
  if (status == WorkStatus::fenced) {
    ++counters.fenced;
  } else if (flight.done == 0) {
    ++counters.unknown_dropped;
  } else {
    ++(flight.done < flight.total ? counters.unknown_in_part : counters.unknown_applied);
  }
  link.broken = true;
  // A report that got lost does not stop the domain. A refusal does, and so does a work that took no effect,
  // or only a part: what was posted behind it must not (R1).
  const bool took_effect = flight.done == flight.total;
  link.in_vain = flight.fails && took_effect && settings_.shuffle && state_.prng.below(2) == 0;
}

void SimFabric::show(Way way) {
  LinkState& link = at(way);
  SimFlight& flight = *const_cast<SimFlight*>(unseen(link));
  flight.phase = Phase::visible;
  if (flight.status == WorkStatus::ok) return;
  link.condition = LinkState::Condition::dead;
  abandon(way, link.in_vain);
}

std::uint64_t SimFabric::fingerprint() const {
  std::uint64_t hash = 0;
  const auto mix = [&](std::uint64_t value) { hash = Prng(hash ^ value).next(); };
  const auto mix_flight = [&](const SimFlight& flight) {
    const Work& work = flight.work;
    mix(work.id.value);
    mix(static_cast<std::uint64_t>(work.kind) << 40 | static_cast<std::uint64_t>(flight.phase) << 32 |
        static_cast<std::uint64_t>(flight.status) << 24 | work.region.value);
    mix(work.offset);
    mix(work.grant.value);
    mix(static_cast<std::uint64_t>(flight.done) << 32 | flight.end);
    mix(flight.done > 0 && flight.done < flight.total ? flight.order.front() : 0);
    mix(flight.previous);
    for (const std::uint64_t word : flight.words) mix(word);
  };
  for (const ProcessState& process : state_.processes) {
    for (const bool flag : {process.alive, process.memory_alive, process.paused, process.hung})
      mix(flag ? 1 : 0);
    for (const RegionState& region : process.regions) {
      for (const std::uint64_t word : region.words) mix(word);
      for (const std::uint64_t word : region.stale) mix(word);
      mix(region.grant);
      mix(region.pending.active ? region.pending.writer.value + 1ULL : 0);
      mix(region.holder.value);
    }
  }
  for (const LinkState& link : state_.links) {
    mix(static_cast<std::uint64_t>(link.condition));
    for (const bool flag : {link.broken, link.in_vain, link.cut}) mix(flag ? 1 : 0);
    for (std::size_t i = 0; i < link.count; ++i) {
      mix_flight(link.queue[(link.head + i) % link.queue.size()]);
    }
    for (const SimFlight& ghost : link.ghosts) {
      if (ghost.incarnation == link.incarnation) mix_flight(ghost);
    }
  }
  return hash;
}

// ---- The handles ----

bool SimLink::post(std::span<const Work> chain) { return fabric_->post({from_, to_}, chain); }
std::size_t SimLink::poll(std::span<WorkDone> reports) { return fabric_->poll({from_, to_}, reports); }
std::size_t SimLink::queue_depth() const { return fabric_->settings_.queue_depth; }
memory::Capabilities SimLink::capabilities() const { return fabric_->settings_.capabilities; }
bool SimLink::dead() const { return fabric_->at({from_, to_}).condition != LinkState::Condition::live; }
void SimLink::reset() { fabric_->reset({from_, to_}); }

ByteSpan SimDomain::bytes(memory::RegionIndex region) {
  std::vector<std::uint64_t>& words = fabric_->state_.processes[process_].regions.at(region.value).words;
  return {reinterpret_cast<std::byte*>(words.data()), words.size() * word_bytes};
}

void SimDomain::regrant(memory::RegionIndex region, memory::ProcessIndex writer, memory::LiveRange live) {
  fabric_->regrant(process_, region, PendingGrant{true, writer, live, Instant{}});
}

memory::GrantNumber SimDomain::granted(memory::RegionIndex region) {
  const RegionState& state = fabric_->state_.processes[process_].regions.at(region.value);
  return memory::GrantNumber(state.pending.active ? 0 : state.grant);
}

}  // namespace mallard::sim
