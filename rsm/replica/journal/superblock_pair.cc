#include "rsm/replica/journal/superblock_pair.h"

#include <algorithm>

namespace mallard::rsm::journal {

namespace {

// Reads both copies; a copy whose sector cannot be read counts as damaged.
void read_copies(Disk& disk, FileHandle file, ByteSpan into) {
  std::fill(into.begin(), into.end(), std::byte{0});
  for (std::size_t copy = 0; copy < superblock_copies; ++copy) {
    const ByteSpan place = into.subspan(copy * superblock_copy_spacing, superblock_bytes);
    const auto got = disk.read(file, copy * superblock_copy_spacing, place);
    if (!got) {
      std::fill(place.begin(), place.end(), std::byte{0xFF});
    }
  }
}

// True if every copy says what the slot says.
bool is_whole(ByteView bytes, std::uint16_t slot, const std::optional<Superblock>& said) {
  for (std::uint16_t copy = 0; copy < superblock_copies; ++copy) {
    const ByteView place = bytes.subspan(copy * superblock_copy_spacing, superblock_bytes);
    if (read_superblock(place, {.slot = slot, .copy = copy}) != said) {
      return false;
    }
  }
  return true;
}

bool is_blank(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

std::optional<Superblock> read_slot(ByteView bytes, std::uint16_t slot) {
  std::optional<Superblock> newest;
  for (std::uint16_t copy = 0; copy < superblock_copies; ++copy) {
    const std::size_t offset = copy * superblock_copy_spacing;
    if (bytes.size() < offset + superblock_bytes) {
      break;
    }
    const auto found = read_superblock(bytes.subspan(offset, superblock_bytes), {.slot = slot, .copy = copy});
    if (found && (!newest || newest->generation < found->generation)) {
      newest = found;
    }
  }
  return newest;
}

SuperblockPair::SuperblockPair(Disk& disk) : disk_(disk), buffer_(superblock_file_bytes) {}

SuperblockPair::~SuperblockPair() {
  for (const std::optional<FileHandle>& file : files_) {
    if (file) {
      disk_.close(*file);
    }
  }
}

JournalResult<void> SuperblockPair::load() {
  std::array<std::optional<Superblock>, superblock_slots> slots;
  bool something_there = false;
  for (std::uint16_t slot = 0; slot < superblock_slots; ++slot) {
    const FileName name = superblock_name(slot);
    const auto file = disk_.open(name);
    if (!file) {
      if (file.error().fault == DiskFault::absent) {
        continue;
      }
      return Failure<JournalError>(machine_error(file.error(), name));
    }
    files_[slot] = *file;
    if (const auto synced = disk_.sync_and_forget(*file); !synced) {
      return Failure<JournalError>(machine_error(synced.error(), name));
    }
    read_copies(disk_, *file, buffer_);
    slots[slot] = read_slot(buffer_, slot);
    ragged_ = ragged_ || !is_whole(buffer_, slot, slots[slot]);
    something_there = something_there || !is_blank(buffer_);
  }
  judge(slots, something_there);
  return {};
}

void SuperblockPair::judge(const std::array<std::optional<Superblock>, superblock_slots>& slots,
                           bool something_there) {
  if (!slots[0] && !slots[1]) {
    state_ = something_there ? PairState::unreadable : PairState::none;
    return;
  }
  if (!slots[0] || !slots[1]) {
    newest_ = slots[0] ? *slots[0] : *slots[1];
    // The first generation alone: the making of the store was cut short.
    state_ = newest_.generation == 1 ? PairState::none : PairState::doubtful;
    return;
  }
  const bool zero_is_newer = slots[0]->generation > slots[1]->generation;
  newest_ = zero_is_newer ? *slots[0] : *slots[1];
  const Superblock& older = zero_is_newer ? *slots[1] : *slots[0];
  if (newest_.store != older.store) {
    state_ = PairState::unreadable;
  } else if (newest_.generation == older.generation + 1 && newest_.previous == link_of(older)) {
    state_ = PairState::whole;
  } else {
    state_ = PairState::doubtful;
  }
}

JournalResult<void> SuperblockPair::create(const Superblock& first) {
  newest_ = {};
  for (std::size_t i = 0; i < superblock_slots; ++i) {
    if (auto written = write(first); !written) {
      return written;
    }
  }
  return {};
}

JournalResult<void> SuperblockPair::write(Superblock next) {
  next.generation = newest_.generation + 1;
  next.previous = newest_.generation == 0 ? crypto::Digest{} : link_of(newest_);
  const auto slot = static_cast<std::uint16_t>(next.generation % superblock_slots);
  const FileName name = superblock_name(slot);
  bool made = false;
  if (!files_[slot]) {
    const auto file = explained(disk_.create(name), name);
    if (!file) {
      return Failure<JournalError>(file.error());
    }
    files_[slot] = *file;
    made = true;
  }
  std::fill(buffer_.begin(), buffer_.end(), std::byte{0});
  for (std::uint16_t copy = 0; copy < superblock_copies; ++copy) {
    write_superblock(next, {.slot = slot, .copy = copy},
                     ByteSpan(buffer_).subspan(copy * superblock_copy_spacing, superblock_bytes));
  }
  if (auto written = explained(disk_.write(*files_[slot], 0, buffer_), name); !written) {
    return written;
  }
  if (auto synced = explained(disk_.sync(*files_[slot]), name); !synced) {
    return synced;
  }
  if (made) {
    if (auto synced = explained(disk_.sync_directory(), FileName(".")); !synced) {
      return synced;
    }
  }
  newest_ = next;
  state_ = PairState::whole;
  return {};
}

}  // namespace mallard::rsm::journal
