// What changed, key by key, in the entries that were executed last: for clients who watch a prefix. It
// follows from the log and is no part of the state: how far back it goes is each replica's own affair, and
// after an import it begins anew.
//
// It is a ring that the newest entry always fits: who reads too slowly finds that the index at which he wants
// to go on is gone, and nobody waits for him.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/bytes.h"
#include "config/base/zeroed_array.h"
#include "config/contract/machine.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_limits.h"

namespace mallard::rsm {

class KvHistory {
 public:
  // `bytes`: of changes, at least history_bytes_min. All memory is allocated here.
  explicit KvHistory(std::uint64_t bytes);

  // The entry at `index`, not below the last one's, has done this to the key: put (also by an increment, with
  // the sum as its value) or erase (without a value).
  void add(CommitIndex index, KvOperation operation, ByteView key, ByteView value);
  // The state is now that at `index`, from elsewhere: nothing is known of how it came about.
  void begin(CommitIndex index);

  // Writes the reply to `changes` to `reply`, which has room for reply_bytes_max, as of a state at `through`;
  // returns its length.
  [[nodiscard]] std::size_t answer(const KvChanges& changes, CommitIndex through, ByteSpan reply) const;

  // What a history of so many bytes takes.
  [[nodiscard]] static std::uint64_t memory_bytes(std::uint64_t bytes);

 private:
  // Of the changes of one entry.
  struct Mark {
    std::uint64_t index;
    std::uint64_t begin;  // its place in the bytes, counted without end
  };

  [[nodiscard]] Mark& mark(std::uint64_t number) { return marks_[number % marks_.size()]; }
  [[nodiscard]] const Mark& mark(std::uint64_t number) const { return marks_[number % marks_.size()]; }
  // The end of the changes of the entry with this mark.
  [[nodiscard]] std::uint64_t end_of(std::uint64_t number) const;
  // The first mark, by number, at `index` or behind it.
  [[nodiscard]] std::uint64_t first_from(std::uint64_t index) const;
  void make_room(std::size_t bytes);
  void append(ByteView bytes);
  void copy(std::uint64_t begin, ByteSpan out) const;
  // Copies what one entry did to keys under the prefix, as far as `out` reaches. Returns the bytes, counts
  // the changes; the bytes exceed `out` where it has no room for all of them.
  [[nodiscard]] std::size_t copy_entry(std::uint64_t number, ByteView prefix, ByteSpan out,
                                       std::uint32_t& changes) const;

  ZeroedArray<std::byte> bytes_;     // a ring
  ZeroedArray<Mark> marks_;          // a ring
  std::uint64_t end_ = 0;            // of the bytes, counted without end
  std::uint64_t first_ = 0;          // mark that is there, by number
  std::uint64_t last_ = 0;           // one more than the newest mark's number
  std::uint64_t complete_from_ = 1;  // all changes from this index on are here
};

}  // namespace mallard::rsm
