#include "tests/sim/cft/sim_host.h"

#include <algorithm>
#include <cstring>
#include <variant>

#include "config/base/invariant.h"

namespace mallard::sim::cft {

using memory::ProcessIndex;
using rsm::cft::Entry;
using rsm::cft::EntryKind;
using rsm::cft::Lsn;
using rsm::cft::Post;

namespace {

// Calls visit(entry) for each entry of a journal, in order.
template <class Visit>
void each_entry(const SimJournal& journal, Visit visit) {
  rsm::cft::LogMark mark = journal.base();
  while (mark.lsn - journal.base().lsn < journal.bytes().size()) {
    const auto entry = rsm::cft::decode_entry(journal.bytes().subspan(mark.lsn - journal.base().lsn), mark);
    if (!entry) return;
    mark = entry->end();
    visit(*entry);
  }
}

}  // namespace

rsm::cft::CftSettings SimHost::started(const rsm::cft::CftSettings& settings, const SimJournal& journal) {
  rsm::cft::CftSettings start = settings;
  start.start.promise = journal.promise();
  start.start.stable = journal.base();
  start.start.members = journal.members();
  Lsn decided = 0;
  Lsn end = journal.base().lsn;
  each_entry(journal, [&](const Entry& entry) {
    decided = std::max(decided, entry.commit);
    end = entry.end().lsn;
  });
  each_entry(journal, [&](const Entry& entry) {
    if (entry.end().lsn > decided) return;
    start.start.stable = entry.end();
    if (entry.kind != EntryKind::members) return;
    if (const auto members = rsm::cft::decode_members(entry.payload)) start.start.members = *members;
  });
  const Lsn ring = settings.layout.ring_bytes;
  start.start.tail = std::max(journal.base().lsn, end > ring ? end - ring : 0);
  start.start.tail = std::min(start.start.tail, start.start.stable.lsn);
  return start;
}

SimHost::SimHost(SimFabric& fabric, const HostShape& shape, SimJournal& journal, Watcher& watcher, Prng prng)
    : fabric_(&fabric),
      shape_(shape),
      journal_(&journal),
      watcher_(&watcher),
      prng_(prng),
      start_(started(shape.core, journal)),
      payload_(shape.core.payload_bytes_max),
      state_{.core = rsm::cft::CftCore(start_)} {
  state_.live.resize(shape.core.layout.processes);
  state_.cards.resize(shape.core.layout.processes);
  state_.executed = journal.base();
  state_.executed_members = journal.members();
  state_.durable = journal.base().lsn;
  replay();
  fill_ring();
}

void SimHost::replay() {
  each_entry(*journal_, [&](const Entry& entry) {
    if (entry.end().lsn > start_.start.stable.lsn) return;
    watcher_->executed(*this, entry);
    state_.executed = entry.end();
  });
  state_.executed_members = start_.start.members;
  state_.durable = state_.executed.lsn;
}

void SimHost::fill_ring() {
  const rsm::cft::MemoryLayout& layout = shape_.core.layout;
  const ByteSpan log = fabric_->domain(self()).bytes(rsm::cft::log_region);
  const Lsn base = journal_->base().lsn;
  const Lsn end = std::min(base + journal_->bytes().size(), start_.start.tail + layout.ring_bytes);
  for (Lsn at = start_.start.tail; at < end;) {
    const std::uint64_t part = std::min(end - at, layout.until_wrap(at));
    std::memcpy(log.data() + layout.log_offset(at), journal_->bytes().data() + (at - base), part);
    at += part;
  }
}

Instant SimHost::next_deadline() const {
  return std::min(state_.core.next_deadline(), journal_->next_done());
}

void SimHost::tell(const rsm::cft::Fact& fact, Instant now) {
  memory::Domain& domain = fabric_->domain(self());
  const rsm::cft::OwnMemory memory{domain.bytes(rsm::cft::log_region), domain.bytes(rsm::cft::mail_region),
                                   domain.bytes(rsm::cft::scratch_region)};
  effects_.clear();
  state_.core.step({memory, fact}, now, effects_);
  watcher_->stepped(*this, !effects_.empty());
  carry_out(now);
}

void SimHost::turn(Instant now) {
  ++state_.turns;
  hear_reports(now);
  if (state_.regranting) {
    const memory::GrantNumber grant = fabric_->domain(self()).granted(rsm::cft::log_region);
    if (grant.value != 0) {
      state_.regranting = false;
      tell(rsm::cft::Regranted{grant}, now);
      watcher_->granted(*this, state_.core.promise());
    }
  }
  tell(rsm::cft::Polled{}, now);
  if (const rsm::cft::JournalTicket ticket = journal_->advance(now); ticket != 0) {
    tell(rsm::cft::Persisted{ticket}, now);
  }
  execute(now);
  propose(now);
  if (state_.core.next_deadline() <= now) {
    effects_.clear();
    state_.core.on_deadline(now, effects_);
    watcher_->stepped(*this, !effects_.empty());
    carry_out(now);
  }
}

void SimHost::hear_reports(Instant now) {
  std::array<memory::WorkDone, 16> reports;
  for (std::size_t i = 0; i < state_.live.size(); ++i) {
    const ProcessIndex to(static_cast<std::uint16_t>(i));
    memory::Link& link = fabric_->link(self(), to);
    if (!state_.live[i] && !link.dead()) {
      state_.live[i] = true;
      tell(rsm::cft::LinkUp{to}, now);
    }
    for (std::size_t count = link.poll(reports); count > 0; count = link.poll(reports)) {
      for (std::size_t k = 0; k < count; ++k) {
        if (!state_.live[i]) continue;
        const std::uint64_t id = reports[k].id.value;
        if (id >> 60 == 1 && reports[k].status == memory::WorkStatus::ok &&
            state_.core.role() == rsm::cft::Role::leader && state_.core.peer(to).admitted) {
          watcher_->accepted(*this, to, (id & 0xffff'ffff'ffffULL) * rsm::cft::entry_alignment);
        }
        tell(rsm::cft::Completed{to, reports[k]}, now);
      }
    }
  }
}

void SimHost::carry_out(Instant now) {
  const rsm::cft::Effects& effects = effects_;  // nothing below steps the core
  std::size_t i = 0;
  for (const rsm::cft::Effect& effect : effects) watcher_->ordered(*this, effect);
  while (i < effects.size()) {
    const auto* post = std::get_if<Post>(&effects[i]);
    if (post == nullptr) {
      std::visit([&](const auto& effect) { carry_out(effect, now); }, effects[i++]);
      continue;
    }
    std::size_t end = i + 1;
    while (end < effects.size() && std::holds_alternative<Post>(effects[end]) &&
           std::get<Post>(effects[end]).to == post->to) {
      ++end;
    }
    post_chain(i, end - i);
    i = end;
  }
}

void SimHost::post_chain(std::size_t first, std::size_t count) {
  memory::Domain& domain = fabric_->domain(self());
  std::vector<memory::Work> chain;
  std::vector<std::array<std::uint64_t, 2>> words;
  words.reserve(count);
  for (std::size_t i = first; i < first + count; ++i) {
    const Post& post = std::get<Post>(effects_[i]);
    memory::Work work;
    work.id = post.id;
    work.kind = post.kind;
    work.region = post.region;
    work.grant = post.grant;
    work.offset = post.offset;
    switch (post.source) {
      case Post::Source::log:
        work.source = domain.bytes(rsm::cft::log_region).subspan(post.local_offset, post.bytes);
        break;
      case Post::Source::words:
        words.push_back(post.words);
        work.source = std::as_bytes(std::span(words.back())).first(post.bytes);
        break;
      case Post::Source::card:
        state_.core.write_card(state_.cards[post.to.value]);
        work.source = state_.cards[post.to.value];
        break;
      case Post::Source::none:
        work.destination = domain.bytes(rsm::cft::scratch_region).subspan(post.local_offset, post.bytes);
        break;
    }
    chain.push_back(work);
  }
  const bool posted = fabric_->link(self(), std::get<Post>(effects_[first]).to).post(chain);
  MALLARD_INVARIANT(posted);
}

void SimHost::drain(ProcessIndex to) {
  std::array<memory::WorkDone, 16> reports;
  while (fabric_->link(self(), to).poll(reports) > 0) {
  }
}

void SimHost::carry_out(const rsm::cft::ResetLink& effect, Instant /*now*/) {
  fabric_->link(self(), effect.to).reset();
  drain(effect.to);
  state_.live[effect.to.value] = false;
}

void SimHost::carry_out(const rsm::cft::Regrant& effect, Instant /*now*/) {
  fabric_->domain(self()).regrant(rsm::cft::log_region, effect.writer, effect.live);
  state_.regranting = true;
}

Instant SimHost::synced_at(Instant now) {
  const auto took = static_cast<std::int64_t>(prng_.between(static_cast<std::uint64_t>(shape_.sync_min.ns),
                                                            static_cast<std::uint64_t>(shape_.sync_max.ns)));
  state_.last_sync = std::max(state_.last_sync, now + Duration::nanoseconds(took));
  return state_.last_sync;
}

void SimHost::carry_out(const rsm::cft::PersistEntries& effect, Instant now) {
  const rsm::cft::MemoryLayout& layout = shape_.core.layout;
  const ByteView log = log_memory();
  std::vector<std::byte> bytes;
  bytes.reserve(effect.to - effect.from);
  for (Lsn at = effect.from; at < effect.to;) {
    const std::uint64_t part = std::min(effect.to - at, layout.until_wrap(at));
    const ByteView view = log.subspan(layout.log_offset(at), part);
    bytes.insert(bytes.end(), view.begin(), view.end());
    at += part;
  }
  journal_->order_entries(effect.ticket, effect.from, std::move(bytes), synced_at(now));
}

void SimHost::carry_out(const rsm::cft::PersistPromise& effect, Instant now) {
  journal_->order_promise(effect.ticket, effect.promise, synced_at(now));
}

void SimHost::carry_out(const rsm::cft::Advanced& effect, Instant /*now*/) {
  state_.durable = std::max(state_.durable, effect.durable);
  while (!state_.unanswered.empty() && state_.unanswered.front().end <= state_.durable) {
    watcher_->answered(*this, state_.unanswered.front().id, state_.unanswered.front().end);
    state_.unanswered.pop_front();
  }
}

void SimHost::carry_out(const rsm::cft::RoleChanged& effect, Instant /*now*/) {
  watcher_->role_changed(*this, effect);
}

void SimHost::carry_out(const rsm::cft::Placed& effect, Instant /*now*/) {
  state_.unanswered.push_back({effect.proposal, effect.end});
}

void SimHost::carry_out(const rsm::cft::Refused& /*effect*/, Instant /*now*/) { state_.refused = true; }

void SimHost::carry_out(const rsm::cft::ReadAt& effect, Instant /*now*/) {
  watcher_->reads_answered(*this, effect.read, effect.at);
}

void SimHost::carry_out(const rsm::cft::ReadsRefused& effect, Instant /*now*/) {
  watcher_->reads_refused(*this, effect.read);
}

void SimHost::carry_out(const rsm::cft::Deposed& /*effect*/, Instant /*now*/) {
  watcher_->gave_up(*this, state_.unanswered.size());
  state_.unanswered.clear();
  state_.requests.clear();
}

void SimHost::carry_out(const rsm::cft::NeedSnapshot& effect, Instant /*now*/) {
  watcher_->snapshot_needed(*this, effect);
}

void SimHost::execute(Instant now) {
  const rsm::cft::MemoryLayout& layout = shape_.core.layout;
  const ByteView log = log_memory();
  std::uint32_t left = shape_.apply_per_turn;
  const Lsn before = state_.executed.lsn;
  while (state_.executed.lsn < state_.durable && left-- > 0) {
    const auto entry = rsm::cft::decode_entry(
        log.subspan(layout.log_offset(state_.executed.lsn), layout.until_wrap(state_.executed.lsn)),
        state_.executed);
    if (!entry) {
      watcher_->lost_entry(*this, state_.executed.lsn);
      return;
    }
    if (entry->kind == EntryKind::members) {
      if (const auto members = rsm::cft::decode_members(entry->payload)) state_.executed_members = *members;
    }
    watcher_->executed(*this, *entry);
    state_.executed = entry->end();
    ++state_.since_snapshot;
  }
  if (state_.executed.lsn == before) return;
  if (state_.since_snapshot >= shape_.snapshot_every) {
    state_.since_snapshot = 0;
    journal_->snapshot(state_.executed, state_.executed_members);
  }
  tell(rsm::cft::Applied{state_.executed.lsn}, now);
}

void SimHost::request_member(ProcessIndex replica, bool add) {
  state_.requests.push_back({member_proposals | replica.value, 0, true, add});
}

bool SimHost::asks_for_member() const {
  return std::any_of(state_.requests.begin(), state_.requests.end(),
                     [](const HostState::Request& request) { return request.member; });
}

void SimHost::ask_read(Instant now) {
  watcher_->read_asked(*this, ++state_.reads);
  tell(rsm::cft::AskRead{state_.reads}, now);
}

void SimHost::demand(std::uint64_t requests, Instant now) { tell(rsm::cft::Demand{requests}, now); }

void SimHost::install(const rsm::cft::LogMark& stable, const rsm::cft::Members& members, Instant now) {
  if (stable.lsn > state_.executed.lsn) {
    journal_->snapshot(stable, members);
    state_.executed = stable;
    state_.executed_members = members;
    state_.durable = std::max(state_.durable, stable.lsn);
  }
  tell(rsm::cft::SnapshotInstalled{state_.executed, state_.executed_members}, now);
}

void SimHost::propose(Instant now) {
  if (state_.core.role() != rsm::cft::Role::leader) return;
  std::uint32_t left = shape_.proposals_per_turn;
  while (!state_.requests.empty() && left-- > 0 && now >= state_.next_proposal) {
    const HostState::Request request = state_.requests.front();
    state_.refused = false;
    if (request.member) {
      const ProcessIndex replica(static_cast<std::uint16_t>(request.id & ~member_proposals));
      tell(rsm::cft::ProposeMember{request.id, replica, request.add}, now);
    } else {
      // The payload follows from the number.
      Prng bytes(request.id);
      for (std::size_t i = 0; i < request.bytes; ++i) payload_[i] = static_cast<std::byte>(bytes.next());
      std::memcpy(payload_.data(), &request.id, sizeof request.id);
      tell(rsm::cft::Propose{request.id, ByteView(payload_).first(request.bytes)}, now);
    }
    if (state_.refused && !request.member) break;
    if (!state_.requests.empty()) state_.requests.pop_front();
    state_.next_proposal = now + shape_.propose_every;
  }
}

std::uint64_t SimHost::fingerprint() const {
  std::uint64_t hash = state_.core.digest();
  const auto mix = [&](std::uint64_t value) { hash = Prng(hash ^ value).next(); };
  for (const bool live : state_.live) mix(live ? 1 : 0);
  mix(state_.regranting ? 1 : 0);
  mix(state_.executed.lsn);
  mix(state_.durable);
  for (const HostState::Request& request : state_.requests) mix(request.id);
  mix(state_.requests.size());
  for (const HostState::Unanswered& open : state_.unanswered) mix(open.id ^ open.end << 20);
  return hash;
}

}  // namespace mallard::sim::cft
