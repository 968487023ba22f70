#include "tests/sim/cft/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <variant>

namespace mallard::sim::cft {

using memory::ProcessIndex;
using rsm::cft::Ballot;
using rsm::cft::Entry;
using rsm::cft::EntryKind;
using rsm::cft::LogMark;
using rsm::cft::Lsn;

Judge::Judge(std::size_t processes, rsm::cft::Durability durability, const std::vector<SimJournal>& journals,
             CftMarks& marks)
    : durability_(durability),
      journals_(&journals),
      marks_(&marks),
      members_(journals.front().members()),
      grants_(processes),
      accepted_(processes),
      roles_(processes),
      open_reads_(processes),
      journaled_to_(processes),
      lost_to_(processes) {}

void Judge::restarted(std::size_t process) {
  roles_[process] = rsm::cft::Role::follower;
  open_reads_[process].clear();
  grants_[process] = {};
  journaled_to_[process] = 0;
  accepted_[process].clear();
}

void Judge::lost_disk(std::size_t process) {
  const SimJournal& journal = (*journals_)[process];
  lost_to_[process] = std::max(lost_to_[process], journal.base().lsn + journal.bytes().size());
}

void Judge::fail(const char* checker, std::string detail) {
  if (!failed()) failure_ = {checker, std::move(detail), now_.ns};
}

void Judge::executed(SimHost& host, const Entry& entry) {
  digest_ = Prng(digest_ ^ (entry.lsn + (std::uint64_t{entry.checksum} << 16) + host.self().value)).next();
  if (entry.lsn == end()) return append(host, entry);
  const auto known = std::lower_bound(truth_.begin(), truth_.end(), entry.lsn,
                                      [](const Decided& decided, Lsn lsn) { return decided.begin < lsn; });
  if (known == truth_.end()) {
    return fail("prefix", fmt::format("replica {} executes {} beyond the log's end {}", host.self().value,
                                      entry.lsn, end()));
  }
  if (known->begin != entry.lsn || known->end != entry.end()) {
    fail("agreement", fmt::format("replica {} executes another entry at {} (ballot {:x}, decided {:x})",
                                  host.self().value, entry.lsn, entry.ballot.value, known->end.ballot.value));
  }
}

void Judge::append(SimHost& host, const Entry& entry) {
  truth_.push_back({entry.lsn, entry.end(), host.core().promise()});
  if (entry.kind == EntryKind::command) check_command(entry);
  if (entry.kind == EntryKind::members) {
    const auto members = rsm::cft::decode_members(entry.payload);
    if (!members || members->epoch != members_.epoch.next()) return fail("validity", "an epoch was left out");
    marks_->hit(members->count() > members_.count() ? CftMark::member_added : CftMark::member_removed);
    const auto changed = static_cast<std::uint64_t>(std::countr_zero(members->set ^ members_.set));
    commands_[entry.end().lsn] = member_proposals | changed;
    members_ = *members;
  }
  for (auto it = confirmed_.upper_bound(entry.lsn); it != confirmed_.end() && it->first <= end(); ++it) {
    check_answer(it->first);
  }
}

void Judge::check_command(const Entry& entry) {
  rsm::cft::ProposalId id = 0;
  if (entry.payload.size() >= sizeof id) std::memcpy(&id, entry.payload.data(), sizeof id);
  const auto issued = issued_.find(id);
  if (issued == issued_.end() || issued->second != entry.payload.size()) {
    return fail("validity", fmt::format("nobody proposed what was decided at {}", entry.lsn));
  }
  Prng bytes(id);
  for (std::size_t i = 0; i < entry.payload.size(); ++i) {
    const auto expected = static_cast<std::byte>(bytes.next());
    if (i >= sizeof id && entry.payload[i] != expected) {
      return fail("validity", fmt::format("command {} was changed on its way", id));
    }
  }
  if (!in_log_.insert(id).second) fail("validity", fmt::format("command {} is in the log twice", id));
  commands_[entry.end().lsn] = id;
}

void Judge::check_answer(Lsn at) {
  const auto command = commands_.find(at);
  const rsm::cft::ProposalId answered = confirmed_.at(at);
  if (at > end() || (command != commands_.end() && command->second == answered)) return;
  fail("validity", fmt::format("the client of {} was told that it ends at {}, where {} does", answered, at,
                               command == commands_.end() ? 0 : command->second));
}

void Judge::lost_entry(SimHost& host, Lsn at) {
  fail("bounded_log",
       fmt::format("replica {}: the entry at {} was overwritten before it was executed (log {} to {})",
                   host.self().value, at, host.core().tail(), host.core().log().end().lsn));
}

void Judge::answered(SimHost& host, rsm::cft::ProposalId proposal, Lsn end) {
  ++answers_;
  confirmed_[end] = proposal;
  check_answer(end);
  answered_to_ = std::max(answered_to_, end);
  seen_to_ = std::max(seen_to_, end);
  marks_->hit(CftMark::proposal_answered);
  if (durability_ != rsm::cft::Durability::disk) return;
  const auto last = last_entry(host, end);
  if (!last)
    return fail("durable_recovered", fmt::format("the log of who answered up to {} is not there", end));
  const rsm::cft::Members members = host.core().members();
  memory::ProcessSet have = 0;
  for (std::size_t i = 0; i < journals_->size(); ++i) {
    if (lost_to_[i] >= end || on_disk((*journals_)[i], *last)) have |= 1ULL << i;
  }
  if (!members.is_majority(have)) {
    fail("durable_recovered",
         fmt::format("answered up to {} with the disks {:b} of {:b} only", end, have, members.set));
  }
}

// The entry that ends there in the log of who answered: others may have executed it already, or nobody has.
std::optional<Judge::Span> Judge::last_entry(SimHost& host, Lsn end) const {
  const auto next = std::lower_bound(truth_.begin(), truth_.end(), end,
                                     [](const Decided& decided, Lsn lsn) { return decided.end.lsn < lsn; });
  Span span;
  if (next != truth_.begin()) span.to = std::prev(next)->end;
  if (next != truth_.end()) return Span{span.to, next->end};
  const ByteView log = host.log_memory();
  const rsm::cft::MemoryLayout& layout = host.shape().core.layout;
  while (span.to.lsn < end) {
    span.from = span.to;
    const auto entry = rsm::cft::decode_entry(
        log.subspan(layout.log_offset(span.from.lsn), layout.until_wrap(span.from.lsn)), span.from);
    if (!entry) return {};
    span.to = entry->end();
  }
  return span;
}

// The chain makes everything before an entry the same where the entry is.
bool Judge::on_disk(const SimJournal& journal, const Span& entry) {
  if (journal.base().lsn >= entry.to.lsn) return true;
  const Lsn at = entry.from.lsn - std::min(entry.from.lsn, journal.base().lsn);
  if (at >= journal.bytes().size()) return false;
  const auto found = rsm::cft::decode_entry(journal.bytes().subspan(at), entry.from);
  return found && found->end() == entry.to;
}

void Judge::role_changed(SimHost& host, const rsm::cft::RoleChanged& change) {
  const auto before = std::exchange(roles_[host.self().value], change.role);
  if (before == rsm::cft::Role::leader && change.role == rsm::cft::Role::candidate) {
    marks_->hit(CftMark::lead_renewed);
    if (host.has_unanswered()) marks_->hit(CftMark::lead_renewed_with_open_proposals);
  }
  if (change.role != rsm::cft::Role::candidate) check_open(host, change.role);
  if (change.role != rsm::cft::Role::leader) return;
  if (highest_reign_.value != 0) marks_->hit(CftMark::leader_change);
  if (host.core().accused() == highest_reign_ && highest_reign_.value != 0)
    marks_->hit(CftMark::leader_accused);
  highest_reign_ = std::max(highest_reign_, change.ballot);
  const auto last = std::find_if(truth_.rbegin(), truth_.rend(),
                                 [&](const Decided& decided) { return decided.known_at < change.ballot; });
  if (last == truth_.rend() || host.core().log().stable().lsn >= last->end.lsn) return;
  const auto mark = mark_of(host, last->end.lsn);
  if (!mark || *mark != last->end) {
    fail("commit_kept", fmt::format("replica {} leads {:x} without the entry decided at {}",
                                    host.self().value, change.ballot.value, last->begin));
  }
}

// A leader answers for what it placed where it placed it, whatever reign of its own that was; who follows
// answers for nothing.
void Judge::check_open(SimHost& host, rsm::cft::Role role) {
  const rsm::cft::MemoryLayout& layout = host.shape().core.layout;
  const ByteView log = host.log_memory();
  LogMark mark = host.core().log().stable();
  for (const HostState::Unanswered& open : host.state().unanswered) {
    bool is_there = role != rsm::cft::Role::follower && open.end <= mark.lsn;
    while (role != rsm::cft::Role::follower && mark.lsn < open.end) {
      const auto entry =
          rsm::cft::decode_entry(log.subspan(layout.log_offset(mark.lsn), layout.until_wrap(mark.lsn)), mark);
      if (!entry) break;
      mark = entry->end();
      rsm::cft::ProposalId id = 0;
      if (entry->kind == EntryKind::command) std::memcpy(&id, entry->payload.data(), sizeof id);
      is_there = mark.lsn == open.end && (id == open.id || entry->kind == EntryKind::members);
    }
    if (is_there) continue;
    return fail("outcomes_told",
                fmt::format("replica {} does not say that it no longer knows what becomes of {}",
                            host.self().value, open.id));
  }
}

// The end of the entry of its log that ends there, as it lies in its memory.
std::optional<LogMark> Judge::mark_of(SimHost& host, Lsn end) const {
  const rsm::cft::EntryLog& log = host.core().log();
  const LogMark mark = log.walk(host.log_memory(), log.stable(), Ballot(UINT64_MAX), end);
  return mark.lsn == end ? std::optional(mark) : std::nullopt;
}

void Judge::granted(SimHost& host, Ballot promise) {
  const std::size_t process = host.self().value;
  Grant grant{promise, grants_[process].promise, host.core().log().stable().lsn, {}};
  LogMark mark = host.core().log().stable();
  const ByteView log = host.log_memory();
  const rsm::cft::MemoryLayout& layout = host.shape().core.layout;
  for (;;) {
    const auto entry =
        rsm::cft::decode_entry(log.subspan(layout.log_offset(mark.lsn), layout.until_wrap(mark.lsn)), mark);
    if (!entry) break;
    mark = entry->end();
    grant.chain[mark.lsn] = mark.chain;
  }
  for (const Accepted& accepted : accepted_[process]) check_seen(process, grant, accepted);
  grants_[process] = std::move(grant);
}

void Judge::accepted(SimHost& leader, ProcessIndex follower, Lsn end) {
  SimHost* host = hosts_[follower.value];
  const Ballot ballot = leader.core().promise();
  // A report of a write into an earlier life says nothing about this one.
  const Incarnation life = leader.core().peer(follower).card.incarnation;
  if (host == nullptr || host->shape().core.start.incarnation != life) return;
  if (end <= leader.core().log().stable().lsn) return;
  const auto mark = mark_of(leader, end);
  if (!mark || mark->ballot != ballot) return;  // not the end of an entry of this reign
  std::vector<Accepted>& all = accepted_[follower.value];
  const auto same =
      std::find_if(all.begin(), all.end(), [&](const Accepted& a) { return a.ballot == ballot; });
  if (same == all.end()) {
    all.push_back({ballot, *mark});
  } else {
    same->mark = *mark;
  }
  check_seen(follower.value, grants_[follower.value], {ballot, *mark});
}

void Judge::check_seen(std::size_t process, const Grant& grant, const Accepted& accepted) {
  // Later holders may see what the next one made of it.
  if (grant.before != accepted.ballot || grant.promise == grant.before) return;
  if (accepted.mark.lsn <= grant.stable) return;
  const auto seen = grant.chain.find(accepted.mark.lsn);
  if (seen == grant.chain.end() || seen->second != accepted.mark.chain) {
    fail("single_writer", fmt::format("replica {} granted {:x} and has not what {:x} wrote up to {}", process,
                                      grant.promise.value, accepted.ballot.value, accepted.mark.lsn));
  }
}

void Judge::snapshot_needed(SimHost& host, const rsm::cft::NeedSnapshot& need) {
  snapshot_needs_.emplace_back(host.self().value, need.at_least);
}

std::vector<std::pair<std::size_t, Lsn>> Judge::take_snapshot_needs() {
  return std::exchange(snapshot_needs_, {});
}

void Judge::ordered(SimHost& host, const rsm::cft::Effect& effect) {
  if (const auto* post = std::get_if<rsm::cft::Post>(&effect)) {
    const bool fetches = post->kind == memory::WorkKind::read && post->region == rsm::cft::log_region;
    if (fetches) marks_->hit(CftMark::log_fetched);
  } else if (const auto* persist = std::get_if<rsm::cft::PersistEntries>(&effect)) {
    Lsn& journaled = journaled_to_[host.self().value];
    if (persist->from < journaled) marks_->hit(CftMark::journal_replaced_in_part);
    journaled = persist->to;
  } else if (const auto* refused = std::get_if<rsm::cft::Refused>(&effect)) {
    if (refused->why == rsm::cft::Refusal::no_room) marks_->hit(CftMark::ring_full);
  }
}

void Judge::read_asked(SimHost& host, std::uint64_t read) {
  open_reads_[host.self().value].push_back({read, seen_to_});
}

void Judge::reads_answered(SimHost& host, std::uint64_t through, Lsn at) {
  auto& open = open_reads_[host.self().value];
  for (; !open.empty() && open.front().read <= through; open.pop_front()) {
    marks_->hit(CftMark::read_answered);
    if (at >= open.front().at_least) continue;
    fail("linearizable_reads",
         fmt::format("replica {} answers a read with the log up to {}, {} was known before",
                     host.self().value, at, open.front().at_least));
  }
  seen_to_ = std::max(seen_to_, at);
}

void Judge::reads_refused(SimHost& host, std::uint64_t through) {
  auto& open = open_reads_[host.self().value];
  for (; !open.empty() && open.front().read <= through; open.pop_front()) marks_->hit(CftMark::read_refused);
}

void Judge::gave_up(SimHost& host, std::size_t proposals) {
  marks_->hit(CftMark::deposed_with_open_proposals, proposals);
  if (roles_[host.self().value] == rsm::cft::Role::candidate) {
    marks_->hit(CftMark::renewal_failed_with_open_proposals, proposals);
  }
  roles_[host.self().value] = rsm::cft::Role::follower;
}

void Judge::stepped(SimHost& host, bool had_effects) {
  if (!had_effects) return;
  const rsm::cft::EntryLog& log = host.core().log();
  const rsm::cft::CftSettings& settings = host.shape().core;
  if (log.undecided() > settings.window_entries) {
    fail("bounded_log",
         fmt::format("replica {} has {} undecided entries", host.self().value, log.undecided()));
  }
  if (log.end().lsn > host.executed().lsn + settings.layout.ring_bytes) {
    fail("bounded_log", fmt::format("replica {} has {} bytes of log that it has not executed",
                                    host.self().value, log.end().lsn - host.executed().lsn));
  }
}

std::uint64_t Judge::fingerprint() const {
  std::uint64_t hash = 0;
  const auto mix = [&](std::uint64_t value) { hash = Prng(hash ^ value).next(); };
  const auto mix_mark = [&](const LogMark& mark) {
    mix(mark.lsn);
    mix(std::uint64_t{mark.chain} << 32 ^ mark.ballot.value);
  };
  for (const Decided& decided : truth_) {
    mix_mark(decided.end);
    mix(decided.known_at.value);
  }
  for (const Grant& grant : grants_) {
    mix(grant.promise.value);
    mix(grant.before.value);
    mix(grant.stable);
    for (const auto& [end, chain] : grant.chain) mix(end << 32 ^ chain);
  }
  for (const auto& accepted : accepted_) {
    mix(accepted.size());
    for (const Accepted& one : accepted) {
      mix(one.ballot.value);
      mix_mark(one.mark);
    }
  }
  mix(answered_to_);
  mix(highest_reign_.value);
  return hash;
}

}  // namespace mallard::sim::cft
