#include "rsm/replica/engine.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "config/base/invariant.h"

namespace mallard::rsm {

// ---- What the core orders.

Engine::Shell::Shell(const EngineSettings& settings, Ports its_ports)
    : ports(std::move(its_ports)),
      layout(settings.core.layout),
      up(settings.core.layout.processes, false),
      index(settings.core.layout.ring_bytes / cft::entry_alignment + 1, settings.applied),
      durable(settings.applied.end.lsn),
      decided_members(settings.core.start.members),
      applied_members(settings.core.start.members),
      may_vote(settings.may_vote) {
  MALLARD_INVARIANT(ports.links.size() == layout.processes);
  outboxes.reserve(layout.processes);
  for (std::size_t i = 0; i < layout.processes; ++i) {
    outboxes.emplace_back(settings.core.link_depth);
  }
  for (const LogPlace& place : settings.undecided) {
    index.push(place.end);
  }
}

void Engine::Shell::carry_out(const cft::Effect& effect, Instant /*now*/) {
  std::visit([this](const auto& order) { carry_out(order); }, effect);
}

void Engine::Shell::carry_out(const cft::Post& order) {
  WorkOutbox& outbox = outboxes[order.to.value];
  if (order.source == cft::Post::Source::card) {
    core->write_card(outbox.card());
  }
  outbox.add(order, ports.domain.bytes(cft::log_region), ports.domain.bytes(cft::scratch_region));
}

void Engine::Shell::carry_out(const cft::ResetLink& order) {
  outboxes[order.to.value].clear();
  up[order.to.value] = false;
  ports.links[order.to.value]->reset();
}

void Engine::Shell::carry_out(const cft::Regrant& order) {
  ports.domain.regrant(cft::log_region, order.writer, order.live);
  regranting = true;
}

void Engine::Shell::carry_out(const cft::PersistEntries& order) {
  index.cut(order.from);
  while (!corrupt && index.last().end.lsn < order.to) {
    const auto entry = entry_after(index.last().end);
    corrupt = !entry;
    if (!entry) {
      return;  // no ticket: nothing of it counts
    }
    index.push(entry->end());
    const std::uint64_t covered = cft::entry_header_bytes + entry->payload.size();
    const ByteView log = ports.domain.bytes(cft::log_region);
    ports.journal.append({index.last().index, journal::Term(entry->ballot.value), decided_members.epoch,
                          log.subspan(layout.log_offset(entry->lsn), covered)});
  }
  highest_ticket = order.ticket;
  ports.journal.seal(order.ticket);
}

void Engine::Shell::carry_out(const cft::PersistPromise& order) {
  highest_ticket = order.ticket;
  ports.journal.promise(order.ticket, promises(may_vote));
}

void Engine::Shell::carry_out(const cft::Advanced& news) { durable = news.durable; }

void Engine::Shell::carry_out(const cft::RoleChanged& news) {
  ports.observer.on_leader(news.ballot.value == 0 || news.role == cft::Role::candidate
                               ? std::nullopt
                               : std::optional(news.leader));
}

void Engine::Shell::carry_out(const cft::Placed& placed) { answer = commit_index(placed.end); }

void Engine::Shell::carry_out(const cft::Refused& refused) { answer = Failure<cft::Refusal>(refused.why); }

void Engine::Shell::carry_out(const cft::Deposed& news) {
  ports.observer.on_deposed(commit_index(news.after));
}

void Engine::Shell::carry_out(const cft::MembersChanged& news) {
  if (news.decided) {
    decided_members = news.members;
  }
}

std::optional<cft::Entry> Engine::Shell::entry_after(const cft::LogMark& previous) {
  const ByteView log = ports.domain.bytes(cft::log_region);
  const auto entry = cft::decode_entry(
      log.subspan(layout.log_offset(previous.lsn), layout.until_wrap(previous.lsn)), previous);
  return entry ? std::optional(*entry) : std::nullopt;
}

journal::Promises Engine::Shell::promises(bool vote) const {
  const cft::Ballot promise = core->promise();
  const bool any = promise.value != 0;
  return {.epoch = decided_members.epoch,
          .term = journal::Term(promise.value),
          .voted_for = static_cast<std::uint16_t>(any ? cft::leader_of(promise).value + 1 : 0),
          .may_vote = vote};
}

void Engine::Shell::flush() {
  for (std::size_t i = 0; i < outboxes.size(); ++i) {
    outboxes[i].flush(*ports.links[i]);
  }
}

// ---- The loop.

Engine::Engine(const EngineSettings& settings, Ports ports)
    : settings_(settings), shell_(settings, std::move(ports)), driver_(shell_, settings.core) {
  MALLARD_INVARIANT(settings.applied.end == settings.core.start.stable);
  shell_.core = &driver_.core();
}

bool Engine::turn(Instant now) {
  bool busy = poll_regrant(now);
  for (std::size_t i = 0; i < shell_.ports.links.size(); ++i) {
    busy = poll_link(memory::ProcessIndex(static_cast<std::uint16_t>(i)), now) || busy;
  }
  busy = poll_journal(now) || busy;
  step(cft::Polled{}, now);
  driver_.run_deadline(now);
  shell_.flush();
  return apply(now) || busy;
}

Result<CommitIndex, cft::Refusal> Engine::propose(ByteView command, Instant now) {
  shell_.answer.reset();
  step(cft::Propose{0, command}, now);
  MALLARD_INVARIANT(shell_.answer.has_value());
  return *shell_.answer;
}

void Engine::demand(std::uint64_t requests, Instant now) { step(cft::Demand{requests}, now); }

void Engine::step(const cft::Fact& fact, Instant now) {
  memory::Domain& domain = shell_.ports.domain;
  driver_.step(
      {{domain.bytes(cft::log_region), domain.bytes(cft::mail_region), domain.bytes(cft::scratch_region)},
       fact},
      now);
  shell_.flush();
}

bool Engine::poll_link(memory::ProcessIndex to, Instant now) {
  memory::Link& link = *shell_.ports.links[to.value];
  bool busy = false;
  std::array<memory::WorkDone, reports_per_poll> reports{};
  for (;;) {
    const std::size_t count = link.poll(reports);
    for (std::size_t i = 0; i < count; ++i) {
      step(cft::Completed{to, reports[i]}, now);
    }
    busy = busy || count > 0;
    if (count < reports.size()) {
      break;
    }
  }
  if (!shell_.up[to.value] && !link.dead()) {
    shell_.up[to.value] = true;
    busy = true;
    step(cft::LinkUp{to}, now);
  }
  return busy;
}

bool Engine::poll_regrant(Instant now) {
  if (!shell_.regranting) {
    return false;
  }
  const memory::GrantNumber grant = shell_.ports.domain.granted(cft::log_region);
  if (grant.value == 0) {
    return false;
  }
  shell_.regranting = false;
  step(cft::Regranted{grant}, now);
  return true;
}

bool Engine::poll_journal(Instant now) {
  // A replica that had lost its log votes again from now on, and so does its next life.
  if (!shell_.may_vote && !core().recovering()) {
    shell_.may_vote = true;
    shell_.ports.journal.promise(shell_.highest_ticket, shell_.promises(true));
  }
  const cft::JournalTicket ticket = shell_.ports.journal.persisted();
  if (ticket <= persisted_ || failed()) {
    return false;
  }
  persisted_ = ticket;
  step(cft::Persisted{ticket}, now);
  return true;
}

void Engine::installed(const LogStart& state, Instant now) {
  MALLARD_INVARIANT(state.place.end.lsn > applied().end.lsn);
  shell_.index.install(state.place);
  shell_.applied_members = state.members;
  shell_.durable = std::max(shell_.durable, state.place.end.lsn);
  step(cft::SnapshotInstalled{state.place.end, state.members}, now);
  step(cft::Applied{state.place.end.lsn}, now);
}

bool Engine::apply(Instant now) {
  LogIndex& index = shell_.index;
  const cft::Lsn before = index.base().end.lsn;
  for (std::uint32_t done = 0; done < settings_.entries_per_turn; ++done) {
    if (shell_.corrupt || index.empty() || index.front().end.lsn > shell_.durable) {
      break;
    }
    const auto entry = shell_.entry_after(index.base().end);
    shell_.corrupt = !entry || entry->end() != index.front().end;
    if (shell_.corrupt) {
      return false;
    }
    if (entry->kind == cft::EntryKind::command) {
      shell_.ports.observer.on_decided(commit_index(entry->end().lsn), entry->payload);
    } else if (entry->kind == cft::EntryKind::members) {
      shell_.applied_members = cft::decode_members(entry->payload).value_or(shell_.applied_members);
    }
    index.pop();
    if (index.base().end.lsn - before > settings_.bytes_per_turn) {
      break;
    }
  }
  const cft::Lsn after = index.base().end.lsn;
  if (after == before) {
    return false;
  }
  shell_.ports.journal.commit(index.base().index);
  step(cft::Applied{after}, now);
  return true;
}

}  // namespace mallard::rsm
