#include "rsm/core/cft/entry_log.h"

#include <algorithm>

#include "config/base/invariant.h"
#include "config/base/prng.h"

namespace mallard::rsm::cft {

EntryLog::EntryLog(const MemoryLayout& layout, std::size_t window, const LogMark& stable)
    : layout_(layout), stable_(stable), marks_(window), journal_(window) {
  MALLARD_INVARIANT(window >= 1);
  MALLARD_INVARIANT(layout.ring_bytes % entry_alignment == 0 && stable.lsn % entry_alignment == 0);
}

void EntryLog::restart(const LogMark& stable) {
  stable_ = stable;
  first_ = count_ = journal_first_ = journal_count_ = agreed_ = 0;
}

void EntryLog::push(const LogMark& end) {
  if (full()) {
    agreed_ = std::min(agreed_, count_ - 1);
  } else {
    ++count_;
  }
  mark(count_ - 1) = end;
}

std::optional<Entry> EntryLog::read_next(ByteView log, Ballot newest, Lsn limit, WhenFull when_full) {
  if (full() && when_full == WhenFull::stop) return {};
  const LogMark at = end();
  const auto entry = decode_entry(log.subspan(layout_.log_offset(at.lsn), layout_.until_wrap(at.lsn)), at);
  if (!entry || entry->ballot > newest || entry->ballot < at.ballot || entry->lsn + entry->bytes > limit) {
    return {};
  }
  push(entry->end());
  return *entry;
}

std::uint64_t EntryLog::cost(std::uint64_t payload) const {
  const std::uint64_t bytes = entry_bytes(payload);
  const std::uint64_t rest = layout_.until_wrap(end().lsn);
  return bytes <= rest ? bytes : rest + bytes;
}

LogMark EntryLog::append(ByteSpan log, EntryKind kind, Ballot ballot, ByteView payload) {
  const std::uint64_t bytes = entry_bytes(payload.size());
  const auto place = [&](EntryKind what, std::uint64_t size, ByteView body) {
    const LogMark at = end();
    const ByteSpan room = log.subspan(layout_.log_offset(at.lsn), size);
    push(encode_entry(room, at, {what, ballot, stable_.lsn, body}).end());
  };
  const std::uint64_t rest = layout_.until_wrap(end().lsn);
  if (bytes > rest) place(EntryKind::filler, rest, {});
  place(kind, bytes, payload);
  return end();
}

LogMark EntryLog::walk(ByteView log, LogMark from, Ballot newest, Lsn limit) const {
  for (;;) {
    const auto entry =
        decode_entry(log.subspan(layout_.log_offset(from.lsn), layout_.until_wrap(from.lsn)), from);
    if (!entry || entry->ballot > newest || entry->ballot < from.ballot ||
        entry->lsn + entry->bytes > limit) {
      return from;
    }
    from = entry->end();
  }
}

std::size_t EntryLog::decide(Lsn lsn) {
  std::size_t decided = 0;
  while (count_ > 0 && mark(0).lsn <= lsn) {
    stable_ = mark(0);
    // What is decided without the journal having it is told to it by take_unjournaled() before.
    if (journal_count_ > 0) {
      journal_first_ = (journal_first_ + 1) % journal_.size();
      --journal_count_;
    }
    first_ = (first_ + 1) % marks_.size();
    --count_;
    agreed_ = agreed_ > 0 ? agreed_ - 1 : 0;
    ++decided;
  }
  return decided;
}

std::size_t EntryLog::agreed() const {
  const std::size_t both = std::min(count_, journal_count_);
  agreed_ = std::min(agreed_, both);
  while (agreed_ < both && mark(agreed_) == journal_mark(agreed_)) ++agreed_;
  return agreed_;
}

Lsn EntryLog::journaled() const {
  const std::size_t same = agreed();
  return same == 0 ? stable_.lsn : mark(same - 1).lsn;
}

EntryLog::Range EntryLog::take_unjournaled() {
  const Lsn from = journaled();
  const Range range{from, end().lsn};
  if (range.from != range.to) trust_journal();
  return range;
}

void EntryLog::trust_journal() {
  for (std::size_t i = agreed(); i < count_; ++i) journal_[(journal_first_ + i) % journal_.size()] = mark(i);
  journal_count_ = agreed_ = count_;
}

std::uint64_t EntryLog::digest() const {
  std::uint64_t hash = 0;
  const auto mix = [&](const LogMark& m) {
    hash = Prng(hash ^ m.lsn).next();
    hash = Prng(hash ^ m.chain).next();
    hash = Prng(hash ^ m.ballot.value).next();
  };
  mix(stable_);
  for (std::size_t i = 0; i < count_; ++i) mix(mark(i));
  hash = Prng(hash ^ count_).next();
  for (std::size_t i = 0; i < journal_count_; ++i) mix(journal_mark(i));
  return hash;
}

}  // namespace mallard::rsm::cft
