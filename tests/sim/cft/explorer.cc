#include "tests/sim/cft/explorer.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/base/invariant.h"

namespace mallard::sim::cft {

using memory::ProcessIndex;

namespace {

constexpr std::size_t processes = 3;
constexpr std::size_t command_bytes = 8;
constexpr Duration warm_step = Duration::microseconds(5);

ProcessIndex index(std::size_t i) { return ProcessIndex(static_cast<std::uint16_t>(i)); }

HostShape shape_of_explored() {
  HostShape shape;
  shape.core.layout = {processes, 512, 256};
  shape.core.durability = rsm::cft::Durability::replicated;
  shape.core.start.members = {(1ULL << processes) - 1, Epoch(1)};
  shape.core.window_entries = 16;
  shape.core.payload_bytes_max = 64;
  shape.core.credit_bytes = 256;
  shape.core.keep_bytes = 128;
  shape.core.link_depth = 8;
  shape.core.stable_word_delay = Duration::seconds(1);
  shape.snapshot_every = UINT32_MAX;
  return shape;
}

FabricSettings fabric_of(const HostShape& shape, const ExplorerBounds& bounds) {
  FabricSettings settings;
  settings.processes = processes;
  for (const memory::RegionLayout& region : shape.core.layout.regions()) settings.layout.push_back(region);
  settings.queue_depth = shape.core.link_depth;
  settings.pieces_max = bounds.halves == Halves::whole ? 1 : 2;
  settings.shuffle = settings.stale_beyond_live = settings.replay_old_works = false;
  settings.grants_enforced = bounds.grants_enforced;
  return settings;
}

bool writes_log(const SimFlight* flight) {
  return flight != nullptr && flight->work.kind == memory::WorkKind::write &&
         flight->work.region == rsm::cft::log_region;
}

}  // namespace

Explorer::Explorer(const ExplorerBounds& bounds, CftMarks& marks)
    : bounds_(bounds),
      marks_(&marks),
      shape_(shape_of_explored()),
      fabric_(fabric_of(shape_, bounds)),
      journals_(processes, SimJournal(shape_.core.start.members)),
      judge_(processes, shape_.core.durability, journals_, marks),
      clocks_(processes),
      idle_(processes),
      known_(processes) {
  std::vector<SimHost*> hosts;
  for (std::size_t i = 0; i < processes; ++i) {
    HostShape shape = shape_;
    shape.core.self = index(i);
    hosts_.push_back(std::make_unique<SimHost>(fabric_, shape, journals_[i], judge_, Prng(i)));
    hosts.push_back(hosts_.back().get());
    judge_.restarted(i);
  }
  judge_.set_hosts(hosts);
}

// Replica 0 leads and stands still until the others would believe it dead at the next missed beat.
void Explorer::make_beginning() {
  Instant now;
  const auto pass = [&](auto&& takes_part) {
    now = now + warm_step;
    judge_.set_now(now);
    for (std::size_t i = 0; i < processes; ++i) {
      fabric_.advance(now);
      if (!takes_part(i)) continue;
      hosts_[i]->turn(now);
      clocks_[i] = now;
    }
  };
  const auto score = [&](std::size_t of, std::size_t by) {
    return hosts_[by]->core().peer(index(of)).score.score();
  };
  const auto all = [](std::size_t) { return true; };
  for (int i = 0; i < 400; ++i) pass(all);
  MALLARD_INVARIANT(hosts_[0]->core().role() == rsm::cft::Role::leader);
  judge_.issued(1, command_bytes);
  hosts_[0]->request(1, command_bytes);
  for (int i = 0; i < 40; ++i) pass(all);
  MALLARD_INVARIANT(judge_.answers() == 1);
  const auto trusts = [&](std::size_t i) { return i != 0 && score(0, i) > rsm::cft::PullScore::dead_below; };
  while (trusts(1) || trusts(2)) pass(trusts);
  // What is on its way arrives; no clock moves from here on.
  for (std::vector<Action> actions; list(actions), !actions.empty();) {
    const auto next = std::find_if(actions.begin(), actions.end(),
                                   [](const Action& action) { return action.what < Action::What::suspect; });
    if (next == actions.end()) break;
    take(*next);
  }
  MALLARD_INVARIANT(score(0, 1) == rsm::cft::PullScore::dead_below && score(2, 1) > 8);
  MALLARD_INVARIANT(score(0, 2) == rsm::cft::PullScore::dead_below && score(1, 2) > 8);
  for (std::uint32_t k = 0; k < bounds_.commands; ++k) {
    judge_.issued(2 + k, command_bytes);
    hosts_[0]->request(2 + k, command_bytes);
  }
  turn(0);
}

void Explorer::capture(Whole& whole) const {
  whole.fabric = fabric_.state();
  if (whole.hosts.empty()) {
    for (const auto& host : hosts_) whole.hosts.push_back(host->state());
    whole.judge.push_back(judge_);
  } else {
    for (std::size_t i = 0; i < processes; ++i) whole.hosts[i] = hosts_[i]->state();
    whole.judge.front() = judge_;
  }
  whole.journals = journals_;
  whole.failed_works = failed_works_;
  whole.suspected = suspected_;
  whole.clocks = clocks_;
  whole.idle = idle_;
  whole.known = known_;
}

void Explorer::restore(const Whole& whole) {
  fabric_.restore(whole.fabric);
  for (std::size_t i = 0; i < processes; ++i) hosts_[i]->restore(whole.hosts[i]);
  journals_ = whole.journals;
  judge_ = whole.judge.front();
  failed_works_ = whole.failed_works;
  suspected_ = whole.suspected;
  clocks_ = whole.clocks;
  idle_ = whole.idle;
  known_ = whole.known;
}

bool Explorer::links_idle(std::size_t from) const {
  for (std::size_t to = 0; to < processes; ++to) {
    const LinkState& link = fabric_.state().links[from * processes + to];
    if (link.count > 0 || link.condition != LinkState::Condition::live) return false;
  }
  return true;
}

void Explorer::list(std::vector<Action>& actions) const {
  using What = Action::What;
  actions.clear();
  for (std::size_t i = 0; i < processes; ++i) {
    for (std::size_t to = 0; to < processes; ++to) list_link(i, to, actions);
    if (fabric_.can({FabricStep::What::regrant, 0, index(0), index(i), rsm::cft::log_region})) {
      actions.push_back({What::regrant, i, i, 0});
    }
    const rsm::cft::CftCore& core = hosts_[i]->core();
    if (!idle_[i]) actions.push_back({What::turn, i, 0, 0});
    if (i != 0 && (suspected_ >> i & 1U) == 0 && core.role() == rsm::cft::Role::follower && links_idle(i)) {
      actions.push_back({What::suspect, i, 0, 0});
    }
  }
}

void Explorer::list_link(std::size_t from, std::size_t to, std::vector<Action>& actions) const {
  using What = Action::What;
  const SimFlight* flight = fabric_.at_work(index(from), index(to));
  if (fabric_.can({FabricStep::What::execute, 0, index(from), index(to), {}})) {
    if (!in_steps(from, to, flight)) {
      actions.push_back({What::whole, from, to, 0});
    } else {
      actions.push_back({What::half, from, to, 0});
      if (flight->phase == SimFlight::Phase::waiting && bounds_.halves == Halves::both_ways)
        actions.push_back({What::half, from, to, 1});
      if (flight->phase == SimFlight::Phase::waiting) {
        if (failed_works_ < bounds_.failed_works && from == 0) {
          actions.push_back({What::fail, from, to, 0});
          actions.push_back({What::fail, from, to, 1});
        }
      }
    }
  }
  if (fabric_.can({FabricStep::What::show, 0, index(from), index(to), {}})) {
    actions.push_back({What::report, from, to, 0});
  }
  if (fabric_.can({FabricStep::What::reset, 0, index(from), index(to), {}})) {
    actions.push_back({What::reset, from, to, 0});
  }
}

// Writes of replica 0 to a log are carried out half by half and reported apart; everything else is one step.
bool Explorer::in_steps(std::size_t from, std::size_t to, const SimFlight* flight) const {
  return from == 0 && (bounds_.stepwise >> to & 1U) != 0 && writes_log(flight);
}

// To its end, and the poster hears of it.
void Explorer::carry_out_whole(std::size_t from, std::size_t to) {
  const SimFlight* flight = fabric_.at_work(index(from), index(to));
  const FabricStep step{FabricStep::What::execute, 0, index(from), index(to), {}};
  do {
    fabric_.take(step);
  } while (flight->phase == SimFlight::Phase::running);
  hear(from, to);
}

// What is settled at the head of a link becomes known to its poster.
void Explorer::hear(std::size_t from, std::size_t to) {
  const FabricStep show{FabricStep::What::show, 0, index(from), index(to), {}};
  while (fabric_.can(show)) fabric_.take(show);
  hosts_[from]->hear_reports(clocks_[from]);
  finish_quiet_works(from);
}

// A replica's writes to itself, and links on which nothing is left of what was before their reset.
void Explorer::finish_quiet_works(std::size_t i) {
  while (fabric_.at_work(index(i), index(i)) != nullptr) carry_out_whole(i, i);
  for (std::size_t to = 0; to < processes; ++to) {
    const FabricStep reset{FabricStep::What::reset, 0, index(i), index(to), {}};
    if (!fabric_.can(reset) || fabric_.at_work(index(i), index(to)) != nullptr) continue;
    fabric_.take(reset);
    hosts_[i]->hear_reports(clocks_[i]);
  }
}

void Explorer::turn(std::size_t i) {
  const std::uint64_t before = known_[i];
  hosts_[i]->turn(clocks_[i]);
  finish_quiet_works(i);
  known_[i] = hosts_[i]->fingerprint();
  idle_[i] = known_[i] == before;
}

// One look at everybody, which finds replica 0 where it was.
void Explorer::suspect(std::size_t i) {
  suspected_ |= 1U << i;
  // Late enough that a look which finds nothing new counts, whatever the pace of replica 0 was.
  constexpr std::int64_t beats_missed = 16;
  clocks_[i] =
      std::max(clocks_[i], hosts_[i]->core().next_deadline() + shape_.core.poll_interval * beats_missed);
  hosts_[i]->turn(clocks_[i]);
  finish_quiet_works(i);
  for (std::size_t to = 0; to < processes; ++to) {
    while (fabric_.at_work(index(i), index(to)) != nullptr) carry_out_whole(i, to);
  }
  turn(i);
}

void Explorer::take(const Action& action) {
  using What = Action::What;
  const std::size_t i = action.who;
  const FabricStep step{FabricStep::What::execute, action.variant, index(i), index(action.to), {}};
  idle_[action.to] = false;
  switch (action.what) {
    case What::half:
      return fabric_.take(step);
    case What::whole:
      carry_out_whole(i, action.to);
      turn(i);
      return turn(action.to);
    case What::report:
      hear(i, action.to);
      return turn(i);
    case What::reset:
      fabric_.take({FabricStep::What::reset, 0, index(i), index(action.to), {}});
      return turn(i);
    case What::regrant:
      fabric_.take({FabricStep::What::regrant, 0, index(0), index(i), rsm::cft::log_region});
      return turn(i);
    case What::turn:
      return turn(i);
    case What::suspect:
      return suspect(i);
    case What::fail:
      ++failed_works_;
      fabric_.fail_next(index(i), index(action.to), action.variant != 0);
      return fabric_.take({FabricStep::What::execute, 0, index(i), index(action.to), {}});
  }
}

// The old leader has stepped down for the new one, and nothing of its own is on its way. What the others do
// from here on they also do in states where it has not yet heard of them; so one way to the end is enough.
bool Explorer::story_is_over() const {
  if (hosts_[1]->core().role() != rsm::cft::Role::leader) return false;
  if (hosts_[0]->core().role() == rsm::cft::Role::leader) return false;
  for (std::size_t to = 1; to < processes; ++to) {
    if (writes_log(fabric_.at_work(index(0), index(to)))) return false;
  }
  return true;
}

// Time passes and nothing more goes wrong: all must get the same log.
void Explorer::finish() {
  const auto level = [&] {
    return std::all_of(hosts_.begin(), hosts_.end(), [&](const auto& host) {
      return host->core().log().end() == hosts_[1]->core().log().end();
    });
  };
  for (int round = 0; round < 40 && !level() && !judge_.failed(); ++round) {
    for (std::size_t i = 0; i < processes; ++i) {
      clocks_[i] = clocks_[i] + shape_.core.poll_interval;
      turn(i);
      for (std::size_t to = 0; to < processes; ++to) {
        while (fabric_.can({FabricStep::What::execute, 0, index(i), index(to), {}})) carry_out_whole(i, to);
        hear(i, to);
        const FabricStep reset{FabricStep::What::reset, 0, index(i), index(to), {}};
        if (fabric_.can(reset)) fabric_.take(reset);
      }
      const FabricStep regrant{FabricStep::What::regrant, 0, index(0), index(i), rsm::cft::log_region};
      if (fabric_.can(regrant)) fabric_.take(regrant);
    }
  }
  if (!level()) judge_.fail("leader_progress", "somebody never gets the log of the new leader");
}

std::string Explorer::describe(const Action& action) const {
  using What = Action::What;
  const std::size_t i = action.who;
  const auto work = [&] {
    const SimFlight* flight = fabric_.at_work(index(i), index(action.to));
    const std::uint64_t tag = flight->work.id.value >> 60;
    constexpr std::array<const char*, 7> names = {"?",    "entries", "control", "card",
                                                  "look", "fetch",   "status"};
    return fmt::format("{} of {} to {} at {}", names[std::min<std::size_t>(tag, names.size() - 1)], i,
                       action.to, flight->work.offset);
  };
  switch (action.what) {
    case What::half:
      return fmt::format("half of {}{}", work(), action.variant != 0 ? ", from its end" : "");
    case What::whole:
      return work();
    case What::report:
      return fmt::format("report to {} of {}", i, action.to);
    case What::reset:
      return fmt::format("link of {} to {} lives", i, action.to);
    case What::regrant:
      return fmt::format("regrant at {}", i);
    case What::turn:
      return fmt::format("turn of {}", i);
    case What::suspect:
      return fmt::format("{} looks at a silent 0", i);
    case What::fail:
      return fmt::format("{} fails{}", work(), action.variant != 0 ? " after it took effect" : "");
  }
  return {};
}

// Takes one step of the top frame, and pushes where it leads to if that is new. False: a promise is broken.
bool Explorer::go_on(Exploration& result) {
  Frame& frame = *frames_[depth_ - 1];
  if (!at_top_) restore(frame.whole);
  at_top_ = false;
  const FabricCounters before = fabric_.counters();
  take(frame.actions[frame.next++]);
  ++result.steps;
  const FabricCounters& after = fabric_.counters();
  marks_->hit(CftMark::write_fenced, after.fenced - before.fenced);
  marks_->hit(CftMark::write_cut_by_regrant, after.cut_by_regrant - before.cut_by_regrant);
  marks_->hit(CftMark::ambiguous_and_applied, after.unknown_applied - before.unknown_applied);
  if (judge_.failed()) return false;
  const std::uint64_t reached = digest();
  frame.moved = frame.moved || reached != frame.digest;
  if (!seen_.insert(reached)) return true;
  if (story_is_over()) {
    ++result.ends;
    finish();
    return !judge_.failed();
  }
  push(reached);
  return true;
}

void Explorer::push(std::uint64_t reached) {
  if (frames_.size() == depth_) frames_.push_back(std::make_unique<Frame>());
  Frame& frame = *frames_[depth_++];
  list(frame.actions);
  capture(frame.whole);
  frame.next = 0;
  frame.digest = reached;
  frame.moved = false;
  at_top_ = true;
}

Exploration Explorer::run() {
  make_beginning();
  Exploration result;
  seen_.insert(digest());
  push(digest());
  while (depth_ > 0 && seen_.size() <= bounds_.states_max) {
    result.depth = std::max(result.depth, depth_);
    const Frame& frame = *frames_[depth_ - 1];
    if (frame.next < frame.actions.size()) {
      if (!go_on(result)) break;
      continue;
    }
    result.ends += frame.moved ? 0U : 1U;
    --depth_;
    at_top_ = false;
  }
  result.states = seen_.size();
  result.failure = judge_.failure();
  result.complete = depth_ == 0;
  const bool failed = judge_.failed();
  for (std::size_t i = 0; failed && i < depth_; ++i) {
    restore(frames_[i]->whole);
    result.path.push_back(describe(frames_[i]->actions[frames_[i]->next - 1]));
  }
  return result;
}

}  // namespace mallard::sim::cft
