#include "tests/sim/memory/sim_fabric.h"

#include <algorithm>
#include <utility>

#include "config/base/invariant.h"
#include "transport/memory/rights.h"

namespace mallard::sim {

using memory::ProcessIndex;
using memory::RegionIndex;

SimFabric::SimFabric(FabricSettings settings) : settings_(std::move(settings)) {
  MALLARD_INVARIANT(settings_.processes > 0 && settings_.processes <= memory::processes_max);
  MALLARD_INVARIANT(memory::is_valid(settings_.layout) && settings_.queue_depth > 0);
  state_.prng = Prng(settings_.seed).child("fabric");
  state_.links.resize(settings_.processes * settings_.processes);
  for (LinkState& link : state_.links) link.queue.resize(settings_.queue_depth);
  state_.processes.resize(settings_.processes);
  for (ProcessState& process : state_.processes) {
    for (const memory::RegionLayout& layout : settings_.layout) {
      RegionState region;
      region.words.resize(layout.bytes / memory::word_bytes);
      if (layout.granted && settings_.stale_beyond_live) region.stale = region.words;
      process.regions.push_back(std::move(region));
    }
  }
  links_.reserve(state_.links.size());
  for (std::size_t from = 0; from < settings_.processes; ++from) {
    for (std::size_t to = 0; to < settings_.processes; ++to) links_.emplace_back(*this, from, to);
    domains_.emplace_back(*this, from);
  }
}

memory::Link& SimFabric::link(ProcessIndex from, ProcessIndex to) {
  MALLARD_INVARIANT(from.value < settings_.processes && to.value < settings_.processes);
  return links_[from.value * settings_.processes + to.value];
}

memory::Domain& SimFabric::domain(ProcessIndex process) { return domains_.at(process.value); }

// ---- What can happen next ----

bool SimFabric::serves(std::size_t process) const {
  const ProcessState& p = state_.processes[process];
  return p.memory_alive && !p.hung && (!p.paused || settings_.capabilities.independent_of_process);
}

bool SimFabric::frozen(Way way) const {
  const ProcessState& poster = state_.processes[way.from];
  if (at(way).cut || (poster.paused && poster.stops_mid_work)) return true;
  // Works to a memory that died fail in time, unless they hang.
  return !serves(way.to) &&
         (state_.processes[way.to].memory_alive || settings_.failure_delay == Duration::forever());
}

const SimFlight* SimFabric::current(Way way) const {
  const LinkState& link = at(way);
  if (link.broken && !link.in_vain) return nullptr;
  for (std::size_t i = 0; i < link.count; ++i) {
    const SimFlight& flight = link.queue[(link.head + i) % link.queue.size()];
    if (flight.phase < SimFlight::Phase::settled) return &flight;
  }
  const auto ghost = std::find_if(link.ghosts.begin(), link.ghosts.end(), [&](const SimFlight& flight) {
    return flight.phase < SimFlight::Phase::settled;
  });
  return ghost == link.ghosts.end() ? nullptr : &*ghost;
}

SimFlight* SimFabric::current(Way way) { return const_cast<SimFlight*>(std::as_const(*this).current(way)); }

const SimFlight* SimFabric::unseen(const LinkState& link) {
  for (std::size_t i = 0; i < link.count; ++i) {
    const SimFlight& flight = link.queue[(link.head + i) % link.queue.size()];
    if (flight.phase == SimFlight::Phase::visible) continue;
    return flight.phase == SimFlight::Phase::settled ? &flight : nullptr;
  }
  return nullptr;
}

// Every step that could exist; is_enabled() decides.
template <class Visit>
void SimFabric::each_step(Visit visit) const {
  using What = FabricStep::What;
  for (std::uint16_t a = 0; a < settings_.processes; ++a) {
    for (std::uint16_t b = 0; b < settings_.processes; ++b) {
      for (const What what : {What::execute, What::show, What::reset}) {
        const FabricStep step{what, 0, ProcessIndex(a), ProcessIndex(b), RegionIndex(0)};
        if (is_enabled(step)) visit(step);
      }
    }
    for (std::uint16_t r = 0; r < settings_.layout.size(); ++r) {
      const FabricStep step{What::regrant, 0, ProcessIndex(0), ProcessIndex(a), RegionIndex(r)};
      if (is_enabled(step)) visit(step);
    }
  }
}

bool SimFabric::is_enabled(const FabricStep& step) const {
  const Way way{step.from.value, step.to.value};
  const LinkState& link = at(way);
  const ProcessState& poster = state_.processes[way.from];
  switch (step.what) {
    case FabricStep::What::execute:
      return current(way) != nullptr && !frozen(way);
    case FabricStep::What::show: {
      const SimFlight* flight = unseen(link);
      return flight != nullptr && poster.alive && !link.cut;
    }
    case FabricStep::What::reset:
      return link.condition == LinkState::Condition::resetting && poster.alive && !frozen(way) &&
             serves(way.to);
    case FabricStep::What::regrant: {
      const ProcessState& owner = state_.processes[way.to];
      return owner.alive && !owner.paused && owner.regions[step.region.value].pending.active;
    }
  }
  return false;
}

Instant SimFabric::due(const FabricStep& step) const {
  const Way way{step.from.value, step.to.value};
  const LinkState& link = at(way);
  Instant due = state_.now;
  switch (step.what) {
    case FabricStep::What::execute:
      due = link.execute_at;
      if (!state_.processes[way.to].memory_alive) {
        due = std::max(due, state_.processes[way.to].died_at + settings_.failure_delay);
      }
      break;
    case FabricStep::What::show:
      due = unseen(link)->visible_at;
      break;
    case FabricStep::What::reset:
      due = link.reset_at;
      break;
    case FabricStep::What::regrant:
      due = state_.processes[way.to].regions[step.region.value].pending.at;
      break;
  }
  return std::max(due, state_.now);
}

Instant SimFabric::next_event() const {
  Instant next = Instant::never();
  each_step([&](const FabricStep& step) { next = std::min(next, due(step)); });
  return next;
}

void SimFabric::advance(Instant now) {
  MALLARD_INVARIANT(now >= state_.now);
  while (true) {
    FabricStep chosen;
    Instant earliest = Instant::never();
    std::uint64_t equals = 0;
    each_step([&](const FabricStep& step) {
      const Instant when = due(step);
      if (when > now || when > earliest) return;
      equals = when < earliest ? 1 : equals + 1;
      earliest = when;
      if (equals == 1 || state_.prng.below(equals) == 0) chosen = step;
    });
    if (equals == 0) break;
    state_.now = earliest;
    take(chosen);
  }
  state_.now = now;
}

void SimFabric::enabled(std::vector<FabricStep>& steps) const {
  steps.clear();
  each_step([&](const FabricStep& step) {
    steps.push_back(step);
    if (step.what != FabricStep::What::execute || settings_.shuffle) return;
    const SimFlight* flight = current(Way{step.from.value, step.to.value});
    if (flight->phase == SimFlight::Phase::waiting && memory::bytes_of(flight->work) > memory::word_bytes) {
      FabricStep downwards = step;
      downwards.variant = 1;
      steps.push_back(downwards);
    }
  });
}

void SimFabric::take(const FabricStep& step) {
  MALLARD_INVARIANT(is_enabled(step));
  const Way way{step.from.value, step.to.value};
  switch (step.what) {
    case FabricStep::What::execute:
      return execute(way, step.variant);
    case FabricStep::What::show:
      return show(way);
    case FabricStep::What::reset:
      return finish_reset(way);
    case FabricStep::What::regrant:
      return finish_regrant(way.to, step.region.value);
  }
}

Duration SimFabric::delay(Way way) {
  const auto draw = [&](Duration low, Duration high) {
    return Duration::nanoseconds(static_cast<std::int64_t>(
        state_.prng.between(static_cast<std::uint64_t>(low.ns), static_cast<std::uint64_t>(high.ns))));
  };
  Duration sum = draw(settings_.step_min, settings_.step_max) + at(way).extra;
  if (settings_.late_per_million > 0 && state_.prng.one_in_million(settings_.late_per_million)) {
    sum = sum + draw(Duration{}, settings_.late_max);
  }
  return sum;
}

// ---- Regrants ----

void SimFabric::regrant(std::size_t owner, RegionIndex region, PendingGrant grant) {
  MALLARD_INVARIANT(settings_.capabilities.dynamic_grants && settings_.layout.at(region.value).granted);
  RegionState& state = state_.processes[owner].regions[region.value];
  const std::uint64_t size = settings_.layout[region.value].bytes;
  MALLARD_INVARIANT(!state.pending.active && grant.writer.value < settings_.processes);
  MALLARD_INVARIANT(grant.live.offset % memory::word_bytes == 0 && grant.live.offset <= size);
  MALLARD_INVARIANT(grant.live.bytes % memory::word_bytes == 0 && grant.live.bytes <= size);
  grant.active = true;
  grant.at = state_.now + Duration::nanoseconds(static_cast<std::int64_t>(
                              state_.prng.between(static_cast<std::uint64_t>(settings_.regrant_min.ns),
                                                  static_cast<std::uint64_t>(settings_.regrant_max.ns))));
  state.pending = grant;
}

void SimFabric::finish_regrant(std::size_t owner, std::size_t region) {
  ProcessState& process = state_.processes[owner];
  RegionState& state = process.regions[region];
  if (settings_.stale_beyond_live) {
    const std::vector<std::uint64_t> before = state.words;
    state.words.assign(state.stale.begin(), state.stale.end());
    const std::size_t first = state.pending.live.offset / memory::word_bytes;
    for (std::size_t i = 0; i < state.pending.live.bytes / memory::word_bytes; ++i) {
      const std::size_t word = (first + i) % before.size();
      state.words[word] = before[word];
    }
    state.stale.assign(before.begin(), before.end());
  }
  state.grant = ++process.grants;
  state.holder = state.pending.writer;
  state.pending = PendingGrant{};
}

// ---- Faults ----

void SimFabric::pause(ProcessIndex process, bool mid_work) {
  state_.processes.at(process.value).paused = true;
  state_.processes[process.value].stops_mid_work = mid_work;
}

void SimFabric::resume(ProcessIndex process) { state_.processes.at(process.value).paused = false; }

void SimFabric::hang_memory(ProcessIndex process, bool hangs) {
  state_.processes.at(process.value).hung = hangs;
}

void SimFabric::cut(ProcessIndex from, ProcessIndex to, bool is_cut) {
  at({from.value, to.value}).cut = is_cut;
}

void SimFabric::slow(ProcessIndex from, ProcessIndex to, Duration extra) {
  at({from.value, to.value}).extra = extra;
}

void SimFabric::fail_next(ProcessIndex from, ProcessIndex to, bool applied) {
  LinkState& link = at({from.value, to.value});
  link.fail_next = true;
  link.fail_applied = applied;
}

void SimFabric::crash(ProcessIndex process) {
  ProcessState& state = state_.processes.at(process.value);
  MALLARD_INVARIANT(state.alive);
  state.alive = false;
  state.paused = false;
  state.died_at = state_.now;
  for (std::size_t to = 0; to < settings_.processes; ++to) {
    const Way way{process.value, to};
    LinkState& link = at(way);
    abandon(way, !link.broken || link.in_vain);
    if (!link.ghosts.empty() && state_.prng.below(2) == 0) link.ghosts.clear();
    link.count = 0;
    link.condition = LinkState::Condition::dead;
  }
  for (RegionState& region : state.regions) region.pending = PendingGrant{};
  if (!settings_.capabilities.survives_process) lose_memory(process.value);
}

void SimFabric::lose_memory(std::size_t process) {
  state_.processes[process].memory_alive = false;
  for (std::size_t from = 0; from < settings_.processes; ++from) at({from, process}).ghosts.clear();
}

void SimFabric::restart(ProcessIndex process) {
  ProcessState& state = state_.processes.at(process.value);
  MALLARD_INVARIANT(!state.alive);
  state.alive = true;
  for (std::size_t to = 0; to < settings_.processes; ++to) {
    LinkState& link = at({process.value, to});
    link.condition = LinkState::Condition::resetting;
    link.reset_at = state_.now + delay({process.value, to});
  }
  if (state.memory_alive) return;
  state.memory_alive = true;
  for (RegionState& region : state.regions) {
    std::fill(region.words.begin(), region.words.end(), 0);
    std::fill(region.stale.begin(), region.stale.end(), 0);
    region.grant = 0;
  }
  for (std::size_t from = 0; from < settings_.processes; ++from) {
    LinkState& link = at({from, process.value});
    if (from == process.value || link.condition != LinkState::Condition::live) continue;
    abandon({from, process.value}, false);
    link.ghosts.clear();
    link.condition = LinkState::Condition::dead;
  }
}

}  // namespace mallard::sim
