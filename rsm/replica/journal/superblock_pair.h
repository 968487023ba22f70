// The two files that hold a store's superblock, written in turn: generation g goes to slot g mod 2, so that
// the one before it stays whole while it is written (reliability.md I6). A slot holds its superblock twice,
// at 0 and at 4096: a write that a crash cuts short leaves old or new copies, which all verify, and one
// damaged sector forgets nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/bytes.h"
#include "rsm/replica/journal/disk.h"
#include "rsm/replica/journal/journal_problem.h"
#include "rsm/replica/journal/superblock.h"

namespace mallard::rsm::journal {

inline constexpr std::size_t superblock_slots = 2;
inline constexpr std::size_t superblock_copies = 2;
inline constexpr std::size_t superblock_copy_spacing = 4096;
inline constexpr std::size_t superblock_file_bytes = superblock_copies * superblock_copy_spacing;

// What one slot says: the newer of its copies that verify; nothing if none does. `bytes` are those of the
// file, as many as there are.
[[nodiscard]] std::optional<Superblock> read_slot(ByteView bytes, std::uint16_t slot);

enum class PairState : std::uint8_t {
  none,        // no store was ever finished here: nothing was ever promised
  whole,       // both slots, one generation apart and linked
  doubtful,    // the newest that can be read may not be the newest that was written: promises may be lost
  unreadable,  // nothing can be read, or the two are not of one store
};

class SuperblockPair {
 public:
  explicit SuperblockPair(Disk& disk);
  ~SuperblockPair();
  SuperblockPair(const SuperblockPair&) = delete;
  SuperblockPair& operator=(const SuperblockPair&) = delete;

  // Reads what is there, and makes sure that what was read is durable. Absent files are no error. Once.
  [[nodiscard]] JournalResult<void> load();

  [[nodiscard]] PairState state() const { return state_; }
  // The newest that can be read or was written; meaningless in the states none and unreadable.
  [[nodiscard]] const Superblock& newest() const { return newest_; }

  // True if a copy of what load() read is damaged, or a write of it was cut short: the two next writes make
  // all copies whole again.
  [[nodiscard]] bool is_ragged() const { return ragged_; }

  // Makes both files, durably, with generations 1 and 2 of `first`.
  [[nodiscard]] JournalResult<void> create(const Superblock& first);
  // Makes `next` durable as the next generation; its generation and link are set here. The state is `whole`
  // afterwards, or the error is final.
  [[nodiscard]] JournalResult<void> write(Superblock next);

 private:
  void judge(const std::array<std::optional<Superblock>, superblock_slots>& slots, bool something_there);

  Disk& disk_;
  PairState state_ = PairState::none;
  Superblock newest_;
  bool ragged_ = false;
  std::array<std::optional<FileHandle>, superblock_slots> files_;
  std::vector<std::byte> buffer_;  // one slot's file
};

}  // namespace mallard::rsm::journal
