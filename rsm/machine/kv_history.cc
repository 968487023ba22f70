#include "rsm/machine/kv_history.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "config/base/invariant.h"
#include "rsm/machine/kv_reply.h"

namespace mallard::rsm {
namespace {

// A mark for so many bytes: more than a change of a short key has.
constexpr std::uint64_t bytes_per_mark = 64;
// What one answer looks through at most, so that a watcher of a rare prefix holds nobody up.
constexpr std::uint64_t bytes_per_answer = 1U << 20;

bool starts_with(ByteView key, ByteView prefix) {
  return key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
}

}  // namespace

KvHistory::KvHistory(std::uint64_t bytes) : bytes_(bytes), marks_(bytes / bytes_per_mark) {
  MALLARD_INVARIANT(bytes >= history_bytes_min);
}

std::uint64_t KvHistory::memory_bytes(std::uint64_t bytes) {
  return bytes + bytes / bytes_per_mark * sizeof(Mark);
}

void KvHistory::add(CommitIndex index, KvOperation operation, ByteView key, ByteView value) {
  std::array<std::byte, change_head_bytes> head{};
  ByteWriter writer(head);
  writer.write(index.value);
  writer.write(static_cast<std::uint8_t>(operation));
  writer.write(static_cast<std::uint16_t>(key.size()));
  writer.write(static_cast<std::uint32_t>(value.size()));
  const bool is_first = last_ == first_ || mark(last_ - 1).index != index.value;
  make_room(head.size() + key.size() + value.size());
  MALLARD_INVARIANT(is_first || first_ < last_);
  if (is_first) {
    if (last_ - first_ == marks_.size()) {
      complete_from_ = mark(first_++).index + 1;
    }
    mark(last_++) = {index.value, end_};
  }
  append(head);
  append(key);
  append(value);
}

void KvHistory::begin(CommitIndex index) {
  first_ = last_;
  complete_from_ = index.value + 1;
}

// The entry that is being written stays: it is no larger than the ring.
void KvHistory::make_room(std::size_t bytes) {
  while (first_ < last_ && end_ + bytes - mark(first_).begin > bytes_.size()) {
    complete_from_ = mark(first_++).index + 1;
  }
}

void KvHistory::append(ByteView bytes) {
  const std::size_t at = end_ % bytes_.size();
  const std::size_t head = std::min(bytes.size(), bytes_.size() - at);
  if (head > 0) {
    std::memcpy(bytes_.data() + at, bytes.data(), head);
  }
  if (head < bytes.size()) {
    std::memcpy(bytes_.data(), bytes.data() + head, bytes.size() - head);
  }
  end_ += bytes.size();
}

void KvHistory::copy(std::uint64_t begin, ByteSpan out) const {
  const std::size_t at = begin % bytes_.size();
  const std::size_t head = std::min(out.size(), bytes_.size() - at);
  if (head > 0) {
    std::memcpy(out.data(), bytes_.data() + at, head);
  }
  if (head < out.size()) {
    std::memcpy(out.data() + head, bytes_.data(), out.size() - head);
  }
}

std::uint64_t KvHistory::end_of(std::uint64_t number) const {
  return number + 1 == last_ ? end_ : mark(number + 1).begin;
}

std::uint64_t KvHistory::first_from(std::uint64_t index) const {
  std::uint64_t low = first_;
  std::uint64_t high = last_;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (mark(middle).index < index) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::size_t KvHistory::copy_entry(std::uint64_t number, ByteView prefix, ByteSpan out,
                                  std::uint32_t& changes) const {
  std::size_t used = 0;
  const std::uint64_t end = end_of(number);
  for (std::uint64_t at = mark(number).begin; at < end;) {
    std::array<std::byte, change_head_bytes + key_bytes_max> bytes{};
    const ByteSpan head = ByteSpan(bytes).first(change_head_bytes);
    copy(at, head);
    ByteReader reader(ByteView(head).subspan(sizeof(std::uint64_t) + 1));
    const std::size_t key_bytes = reader.read<std::uint16_t>();
    const std::size_t whole = change_head_bytes + key_bytes + reader.read<std::uint32_t>();
    const ByteSpan key = ByteSpan(bytes).subspan(change_head_bytes, key_bytes);
    copy(at + change_head_bytes, key);
    if (starts_with(key, prefix)) {
      if (used + whole <= out.size()) {
        copy(at, out.subspan(used, whole));
      }
      used += whole;
      ++changes;
    }
    at += whole;
  }
  return used;
}

std::size_t KvHistory::answer(const KvChanges& changes, CommitIndex through, ByteSpan reply) const {
  if (changes.from != 0 && changes.from < complete_from_) {
    ReplyWriter gone(reply, through);
    gone.add(complete_from_);
    return gone.finish(KvStatus::history_gone);
  }
  const std::size_t head = ReplyWriter(reply, through).finish(KvStatus::ok);
  const std::size_t limit =
      head + changes_head_bytes + std::min<std::size_t>(changes.bytes_max, scan_bytes_max);
  std::size_t used = head + changes_head_bytes;
  std::uint32_t count = 0;
  std::uint64_t next = std::max(changes.from, through.value + 1);
  std::uint64_t looked_at = 0;
  const std::uint64_t begin = changes.from == 0 ? last_ : first_from(changes.from);
  for (std::uint64_t number = begin; number < last_ && mark(number).index <= through.value; ++number) {
    const std::uint64_t bytes = end_of(number) - mark(number).begin;
    std::uint32_t of_entry = 0;
    std::size_t copied = 0;
    bool fits = number == begin || looked_at + bytes <= bytes_per_answer;
    if (fits) {
      const std::size_t room = count == 0 ? reply.size() - used : std::max(limit, used) - used;
      copied = copy_entry(number, changes.prefix, reply.subspan(used, room), of_entry);
      fits = copied <= room;
    }
    if (!fits) {
      next = mark(number).index;
      break;
    }
    looked_at += bytes;
    used += copied;
    count += of_entry;
  }
  ByteWriter counts(reply.subspan(head));
  counts.write(next);
  counts.write(count);
  return used;
}

}  // namespace mallard::rsm
