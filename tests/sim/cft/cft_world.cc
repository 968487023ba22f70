#include "tests/sim/cft/cft_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mallard::sim::cft {

using memory::ProcessIndex;
using rsm::cft::Durability;

namespace {

ProcessIndex index(std::size_t i) { return ProcessIndex(static_cast<std::uint16_t>(i)); }
Duration us(std::uint64_t v) { return Duration::microseconds(static_cast<std::int64_t>(v)); }

}  // namespace

CftWorld::CftWorld(std::uint64_t seed, const WorldShape& shape, CftMarks& marks, std::FILE* story)
    : shape_(shape),
      marks_(&marks),
      story_(story),
      prng_(Prng(seed).child("world")),
      fabric_(fabric_of(seed, shape)),
      journals_(shape.processes, SimJournal(shape.host.core.start.members)),
      judge_(shape.processes, shape.durability, journals_, marks),
      machines_(shape.processes),
      hosts_(shape.processes, nullptr) {
  next_fault_ = shape.faults == 0 ? Instant::never() : Instant{} + draw(us(50), shape.fault_every);
  next_member_ = shape.membership ? Instant{} + us(1500) : Instant::never();
  for (std::size_t i = 0; i < shape.processes; ++i) start(i);
}

Duration CftWorld::draw(Duration low, Duration high) {
  return Duration::nanoseconds(static_cast<std::int64_t>(
      prng_.between(static_cast<std::uint64_t>(low.ns), static_cast<std::uint64_t>(std::max(low, high).ns))));
}

void CftWorld::tell(const std::string& what) {
  if (story_ != nullptr) fmt::print(story_, "{:>10.1f} us  {}\n", static_cast<double>(now_.ns) / 1000, what);
}

void CftWorld::start(std::size_t i) {
  Machine& machine = machines_[i];
  HostShape shape = shape_.host;
  shape.core.self = index(i);
  shape.core.start.incarnation = Incarnation(++machine.lives);
  shape.core.start.lost = machine.lives > 1 && (machine.lost || shape_.durability == Durability::replicated);
  machine.host = std::make_unique<SimHost>(fabric_, shape, journals_[i], judge_,
                                           prng_.child("host", i * 1000 + machine.lives));
  machine.paused = false;
  machine.back_at = Instant::never();
  machine.next_turn = now_ + draw(us(0), shape_.turn_max);
  hosts_[i] = machine.host.get();
  judge_.set_hosts(hosts_);
  judge_.restarted(i);
  if (machine.lives > 1 && !shape.core.start.lost && !journals_[i].bytes().empty()) {
    marks_->hit(CftMark::journal_replayed);
  }
  tell(fmt::format("replica {} starts its life {}{}", i, machine.lives,
                   shape.core.start.lost ? " without its log" : ""));
}

void CftWorld::crash(std::size_t i, bool with_disk) {
  Machine& machine = machines_[i];
  tell(fmt::format("replica {} dies{}", i, with_disk ? "" : " with its disk"));
  fabric_.crash(index(i));
  journals_[i].crash(prng_);
  if (!with_disk) {
    judge_.lost_disk(i);
    journals_[i] = SimJournal(shape_.host.core.start.members);
    machine.lost = true;
    marks_->hit(CftMark::fault_crash_without_disk);
  } else {
    marks_->hit(CftMark::fault_crash);
  }
  machine.host.reset();
  machine.paused = false;
  hosts_[i] = nullptr;
  judge_.set_hosts(hosts_);
}

// Replicas that are down, or back without their log and not yet recovered.
std::size_t CftWorld::faulty() const {
  std::size_t count = 0;
  for (const Machine& machine : machines_) {
    count += machine.host == nullptr || machine.host->core().recovering() ? 1U : 0U;
  }
  return count;
}

// How many may die as far as anybody who is up knows the members.
std::size_t CftWorld::budget() const {
  std::size_t members = std::min(shape_.members, judge_.members().count());
  for (const Machine& machine : machines_) {
    if (machine.host) members = std::min(members, machine.host->core().members().count());
  }
  return (members - 1) / 2;
}

// A change of members may leave two, and memory is what was promised.
bool CftWorld::needs_each_log() const {
  return shape_.shrinks && shape_.durability == Durability::replicated;
}

bool CftWorld::change_is_asked_for() const {
  return std::any_of(machines_.begin(), machines_.end(),
                     [](const Machine& machine) { return machine.host && machine.host->asks_for_member(); });
}

bool CftWorld::knows_who_is_down(const SimHost& leader) const {
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    const bool down = !machines_[i].host || machines_[i].host->core().recovering();
    const rsm::cft::Peer& peer = leader.core().peer(index(i));
    if (down && peer.admitted && !peer.card.is(rsm::cft::Card::recovering)) return false;
  }
  return true;
}

void CftWorld::strike() {
  next_fault_ = now_ + draw(us(20), shape_.fault_every);
  const auto fault = static_cast<Fault>(prng_.below(static_cast<std::uint64_t>(Fault::end)));
  if (((shape_.faults >> static_cast<unsigned>(fault)) & 1U) == 0) return;
  const std::size_t i = prng_.below(machines_.size());
  const Duration lasts = prng_.below(4) == 0 ? draw(us(1000), us(6000)) : draw(us(10), us(800));
  strike(fault, i, lasts);
}

void CftWorld::strike(Fault fault, std::size_t i, Duration lasts) {
  Machine& machine = machines_[i];
  const std::size_t j = prng_.below(machines_.size());
  switch (fault) {
    case Fault::crash: {
      if (machine.host == nullptr || (needs_each_log() && change_is_asked_for())) return;
      const bool counted = machine.host->core().recovering();
      if (!shape_.beyond_budget && faulty() + (counted ? 0 : 1) > budget()) return;
      crash(i, prng_.below(3) != 0 || shape_.shrinks);
      // Long enough for a change of members, and for a leader that cannot decide it to rest.
      machine.back_at = now_ + (shape_.membership ? lasts * 4 : lasts);
      return;
    }
    case Fault::pause: {
      if (machine.host == nullptr || machine.paused) return;
      const bool mid_work = prng_.below(2) == 0;
      tell(fmt::format("replica {} pauses", i));
      marks_->hit(mid_work ? CftMark::fault_pause_mid_work : CftMark::fault_pause);
      fabric_.pause(index(i), mid_work);
      machine.paused = true;
      machine.back_at = now_ + lasts;
      return;
    }
    case Fault::cut:
      if (i == j) return;
      tell(fmt::format("nothing passes from {} to {}", i, j));
      marks_->hit(CftMark::fault_cut_link);
      fabric_.cut(index(i), index(j), true);
      break;
    case Fault::hang:
      tell(fmt::format("the memory of {} hangs", i));
      marks_->hit(CftMark::fault_hung_memory);
      fabric_.hang_memory(index(i), true);
      break;
    case Fault::slow_link:
      marks_->hit(CftMark::fault_slow_link);
      fabric_.slow(index(i), index(j), draw(us(1), us(100)));
      break;
    case Fault::slow_disk:
      if (machine.host == nullptr) return;
      marks_->hit(CftMark::fault_slow_disk);
      machine.host->set_sync(us(100), us(1000));
      break;
    case Fault::failed_work:
      marks_->hit(CftMark::fault_failed_work);
      fabric_.fail_next(index(i), index(j), prng_.below(2) == 0);
      return;
    case Fault::slow_machine:
      if (machine.host == nullptr) return;
      marks_->hit(CftMark::fault_slow_machine);
      machine.host->set_apply_per_turn(0);
      break;
    default:
      return;
  }
  repairs_.push_back({now_ + lasts, fault, i, j});
}

void CftWorld::repair(const Repair& repair) {
  Machine& machine = machines_[repair.a];
  switch (repair.fault) {
    case Fault::cut:
      fabric_.cut(index(repair.a), index(repair.b), false);
      break;
    case Fault::hang:
      fabric_.hang_memory(index(repair.a), false);
      break;
    case Fault::slow_link:
      fabric_.slow(index(repair.a), index(repair.b), Duration{});
      break;
    case Fault::slow_disk:
      if (machine.host) machine.host->set_sync(shape_.host.sync_min, shape_.host.sync_max);
      break;
    case Fault::slow_machine:
      if (machine.host) machine.host->set_apply_per_turn(shape_.host.apply_per_turn);
      break;
    default:
      break;
  }
}

void CftWorld::bring_back(std::size_t i) {
  Machine& machine = machines_[i];
  machine.back_at = Instant::never();
  if (machine.paused) {
    tell(fmt::format("replica {} resumes", i));
    fabric_.resume(index(i));
    machine.paused = false;
    machine.next_turn = now_;
  } else if (machine.host == nullptr) {
    fabric_.restart(index(i));
    start(i);
  }
}

void CftWorld::mend() {
  tell("everything is mended");
  for (const Repair& r : repairs_) repair(r);
  repairs_.clear();
  next_fault_ = Instant::never();
  fabric_.set_error_rate(0);
  fabric_.set_late_rate(0);
  for (std::size_t i = 0; i < machines_.size(); ++i) bring_back(i);
  mended_ = true;
  answers_when_mended_ = judge_.answers();
}

void CftWorld::cut_power() {
  tell("the power fails");
  marks_->hit(CftMark::fault_power_cut);
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    if (machines_[i].host) crash(i, true);
  }
  for (std::size_t i = 0; i < machines_.size(); ++i) machines_[i].back_at = now_ + draw(us(10), us(500));
}

void CftWorld::request() {
  next_request_ = now_ + draw(us(1), shape_.request_every);
  if (!requests_on_) return;
  const std::size_t bytes = prng_.between(8, shape_.request_bytes_max);
  judge_.issued(next_id_, bytes);
  pool_.emplace_back(next_id_++, bytes);
  if (pool_.size() > 500) pool_.erase(pool_.begin());
  for (const Machine& machine : machines_) {
    if (!machine.host || machine.paused) continue;
    machine.host->demand(1, now_);
    // Readers too ask whoever says that it leads, as soon as it says so.
    if (machine.host->core().role() == rsm::cft::Role::leader && prng_.below(2) == 0)
      machine.host->ask_read(now_);
  }
}

// Clients ask whoever says that it leads.
void CftWorld::hand_out() {
  std::vector<SimHost*> leaders;
  for (const Machine& machine : machines_) {
    if (machine.host && !machine.paused && machine.host->core().role() == rsm::cft::Role::leader &&
        machine.host->waiting() < 20) {
      leaders.push_back(machine.host.get());
    }
  }
  if (leaders.empty() || !requests_on_) return;
  SimHost& leader = *leaders[prng_.below(leaders.size())];
  if (now_ >= next_member_ && (!needs_each_log() || knows_who_is_down(leader))) {
    // Removals that would leave no majority must be refused, so they come when somebody is down.
    const bool add = prng_.below(faulty() > 0 ? 4 : 2) == 0;
    const auto who = prng_.below(shape_.processes);
    const bool fits = add ? !judge_.members().has(index(who))
                          : judge_.members().has(index(who)) &&
                                judge_.members().count() > (shape_.shrinks ? 2 : shape_.members);
    if (fits && (!mended_ || add)) leader.request_member(index(who), add);
    next_member_ = now_ + us(400);
  }
  for (int i = 0; i < 8 && !pool_.empty(); ++i) {
    leader.request(pool_.front().first, pool_.front().second);
    pool_.erase(pool_.begin());
  }
}

void CftWorld::install_snapshots() {
  for (const auto& need : judge_.take_snapshot_needs()) snapshot_needs_.push_back(need);
  for (std::size_t k = 0; k < snapshot_needs_.size();) {
    const auto [who, at_least] = snapshot_needs_[k];
    Machine& machine = machines_[who];
    const bool over = machine.host == nullptr || !machine.host->core().needs_snapshot();
    const auto source = std::find_if(
        machines_.begin(), machines_.end(), [&, asks = who, least = at_least](const Machine& other) {
          return other.host && &other != &machines_[asks] && other.host->executed().lsn >= least;
        });
    if (!over && (machine.paused || source == machines_.end() || prng_.below(8) != 0)) {
      ++k;
      continue;
    }
    if (!over) {
      marks_->hit(CftMark::snapshot_installed);
      tell(fmt::format("replica {} takes a snapshot at {}", who, source->host->executed().lsn));
      machine.host->install(source->host->executed(), source->host->members(), now_);
    }
    snapshot_needs_.erase(snapshot_needs_.begin() + static_cast<std::ptrdiff_t>(k));
  }
}

// Requests were answered again, and then everybody has executed everything.
bool CftWorld::settled() {
  if (!mended_ || judge_.answers() < answers_when_mended_ + 20) return false;
  requests_on_ = false;
  if (judge_.end() < judge_.answered_to()) return false;
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    if (!judge_.members().has(index(i))) continue;
    if (!machines_[i].host || machines_[i].host->executed().lsn < judge_.end()) return false;
  }
  return true;
}

std::string CftWorld::describe() const {
  std::string text;
  for (const Machine& machine : machines_) {
    if (!machine.host) {
      text += " down";
      continue;
    }
    const rsm::cft::CftCore& core = machine.host->core();
    text +=
        fmt::format(" [{}{}{}{} {:x} executed {} of {} to {}]",
                    core.role() == rsm::cft::Role::leader      ? "leader"
                    : core.role() == rsm::cft::Role::candidate ? "candidate"
                                                               : "follower",
                    core.recovering() ? " recovering" : "", core.needs_snapshot() ? " needs snapshot" : "",
                    core.caught_up() ? "" : " behind", core.promise().value, machine.host->executed().lsn,
                    core.log().stable().lsn, core.log().end().lsn);
  }
  return text;
}

void CftWorld::next_turn(std::size_t i) {
  Machine& machine = machines_[i];
  fabric_.advance(now_);
  if (machine.host && !machine.paused) {
    const rsm::cft::Role before = machine.host->core().role();
    const bool was_recovering = machine.host->core().recovering();
    machine.host->turn(now_);
    ++events_;
    const rsm::cft::CftCore& core = machine.host->core();
    if (core.role() != before) {
      tell(fmt::format("replica {} is {} at {:x}", i,
                       core.role() == rsm::cft::Role::leader      ? "leader"
                       : core.role() == rsm::cft::Role::candidate ? "candidate"
                                                                  : "follower",
                       core.promise().value));
      if (shape_.stop_leaders && core.role() == rsm::cft::Role::leader) {
        machine.stop_at = now_ + draw(us(0), us(prng_.below(2) == 0 ? 2 : 15));
      }
    }
    if (was_recovering && !core.recovering()) {
      marks_->hit(CftMark::recovered_without_log);
      machine.lost = false;
      tell(fmt::format("replica {} has recovered", i));
    }
  }
  machine.next_turn = now_ + draw(us(1), shape_.turn_max);
}

// In the middle of whatever it does: of the first entry of its reign, often.
void CftWorld::stop(std::size_t i) {
  Machine& machine = machines_[i];
  machine.stop_at = Instant::never();
  if (!machine.host || machine.paused || mended_) return;
  tell(fmt::format("replica {} stands still", i));
  marks_->hit(CftMark::fault_stopped_leader);
  fabric_.pause(index(i), true);
  machine.paused = true;
  machine.back_at = now_ + draw(us(300), us(3000));
}

void CftWorld::run_until(Instant end, bool until_settled) {
  while (!judge_.failed()) {
    Instant next = std::min({end, next_fault_, next_request_});
    for (const Machine& machine : machines_) {
      if (machine.host && !machine.paused) next = std::min(next, machine.next_turn);
      next = std::min({next, machine.back_at, machine.stop_at});
    }
    for (const Repair& repair : repairs_) next = std::min(next, repair.at);
    now_ = std::max(now_, next);
    judge_.set_now(now_);
    if (now_ >= end) return;
    fabric_.advance(now_);
    if (now_ >= next_fault_) strike();
    if (now_ >= next_request_) {
      request();
      hand_out();
      install_snapshots();
      // Within the budget no change of members may cost the cluster its majority.
      if (faulty() > budget() && (shape_.beyond_budget || !shape_.membership)) quorum_lost_ = true;
      if (until_settled && settled()) return;
    }
    for (std::size_t k = 0; k < repairs_.size();) {
      if (repairs_[k].at > now_) {
        ++k;
        continue;
      }
      repair(repairs_[k]);
      repairs_.erase(repairs_.begin() + static_cast<std::ptrdiff_t>(k));
    }
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      if (machines_[i].stop_at <= now_) stop(i);
      if (machines_[i].back_at <= now_) bring_back(i);
      if (machines_[i].host && !machines_[i].paused && machines_[i].next_turn <= now_) next_turn(i);
    }
  }
}

CftOutcome CftWorld::run() {
  marks_->hit(shape_.durability == Durability::disk ? CftMark::world_disk : CftMark::world_replicated);
  if (shape_.members == 3) marks_->hit(CftMark::world_three);
  if (shape_.members == 5) marks_->hit(CftMark::world_five);
  if (shape_.members % 2 == 0) marks_->hit(CftMark::world_even);
  if (shape_.membership) marks_->hit(CftMark::world_members);
  if (shape_.drip) marks_->hit(CftMark::world_drip);
  if (shape_.beyond_budget) marks_->hit(CftMark::world_beyond_budget);
  if (shape_.drip) machines_[0].host->set_drip(Duration::milliseconds(6));
  run_until(Instant{} + shape_.faults_end, false);
  if (!judge_.failed() && shape_.power_cut) {
    cut_power();
    run_until(now_ + us(600), false);
  }
  mend();
  // In a world with more faults than promised enough memory may be gone for good.
  const bool must_settle = !quorum_lost_ || (shape_.durability == Durability::disk && !shape_.beyond_budget);
  run_until(now_ + Duration::milliseconds(must_settle ? 80 : 10), true);
  if (!judge_.failed() && must_settle && !settled()) {
    judge_.fail("leader_progress",
                fmt::format("{} answers and a log of {} bytes, 80 ms after the last fault:{}",
                            judge_.answers() - answers_when_mended_, judge_.end(), describe()));
  }
  const FabricCounters& counters = fabric_.counters();
  marks_->hit(CftMark::write_fenced, counters.fenced);
  marks_->hit(CftMark::write_cut_by_regrant, counters.cut_by_regrant);
  marks_->hit(CftMark::ambiguous_and_applied, counters.unknown_applied);
  if (judge_.end() > 10 * shape_.host.core.layout.ring_bytes) marks_->hit(CftMark::ring_wrapped_ten_times);
  const std::uint64_t digest = Prng(judge_.digest() ^ events_ ^ static_cast<std::uint64_t>(now_.ns)).next();
  return {judge_.failure(), events_, digest, judge_.entries(), now_.ns};
}

CftOutcome run_cft_world(std::uint64_t seed, CftMarks& marks, std::FILE* story) {
  return CftWorld(seed, draw_shape(seed), marks, story).run();
}

}  // namespace mallard::sim::cft
