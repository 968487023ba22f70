// A segment and a superblock of a journal, damaged as the input says: whatever is still read is what was
// written, in its place, and what was durable is missing only with a word about it. Four bytes are one
// damage: where (24 bits) and what (an XOR; 0 clears the sector of 512 bytes there).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "rsm/replica/journal/log_replay.h"
#include "rsm/replica/journal/segment_scan.h"
#include "rsm/replica/journal/superblock_pair.h"

namespace {

using mallard::ByteSpan;
using mallard::ByteView;
namespace journal = mallard::rsm::journal;

constexpr std::size_t segment_bytes = 32768;
constexpr std::uint64_t entries = 9;
constexpr std::uint64_t entries_per_group = 3;
const journal::StoreId store{.bytes = {std::byte{7}}};

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

std::byte byte_of(std::uint64_t index) { return static_cast<std::byte>(index); }

journal::Record record_of(std::uint64_t index, std::uint64_t synced) {
  return {.kind = journal::RecordKind::entry,
          .lsn = index,
          .previous = index - 1,
          .index = journal::EntryIndex(index),
          .commit = journal::EntryIndex(synced),
          .last = journal::EntryIndex(index),
          .synced = synced};
}

std::vector<std::byte> make_segment() {
  std::vector<std::byte> segment(segment_bytes);
  std::size_t at = 0;
  for (std::uint64_t index = 1; index <= entries; ++index) {
    const std::uint64_t synced = (index - 1) / entries_per_group * entries_per_group;
    const std::vector<std::byte> body(index * 300, byte_of(index));
    journal::write_record(record_of(index, synced),
                          {.store = store, .segment = 1, .offset = static_cast<std::uint32_t>(at)}, body,
                          ByteSpan(segment).subspan(at));
    at += journal::record_bytes(body.size());
    while (index % entries_per_group == 0 && at % journal::group_alignment != 0) {
      segment[at++] = journal::filler;
    }
  }
  return segment;
}

std::vector<std::byte> make_slot() {
  std::vector<std::byte> slot(journal::superblock_file_bytes);
  journal::Superblock superblock;
  superblock.generation = 8;
  superblock.promises.term = journal::Term(5);
  for (std::uint16_t copy = 0; copy < journal::superblock_copies; ++copy) {
    journal::write_superblock(superblock, {.slot = 0, .copy = copy},
                              ByteSpan(slot).subspan(copy * journal::superblock_copy_spacing));
  }
  return slot;
}

void damage(std::vector<std::byte>& bytes, const std::uint8_t* input, std::size_t size) {
  for (; size >= 4; input += 4, size -= 4) {
    const std::size_t where =
        (input[0] | std::size_t{input[1]} << 8 | std::size_t{input[2]} << 16) % bytes.size();
    if (input[3] == 0) {
      const auto sector = bytes.begin() + static_cast<std::ptrdiff_t>(where / 512 * 512);
      std::fill(sector, sector + 512, std::byte{0});
    } else {
      bytes[where] ^= static_cast<std::byte>(input[3]);
    }
  }
}

void check_segment(const std::vector<std::byte>& segment) {
  static journal::EntryTable table(16);
  std::vector<journal::SegmentItem> items;
  journal::SegmentScan scan(segment, store, 1);
  std::size_t end = 0;
  for (auto item = scan.next(); item; item = scan.next()) {
    require(item->offset >= end && item->offset + item->bytes <= segment.size());
    end = item->offset + item->bytes;
    items.push_back({.segment = 1, .item = *item});
  }
  journal::Superblock superblock;
  superblock.synced_lsn = entries;
  const journal::ReplayOutcome outcome = journal::LogReplay(superblock, table).run(items);
  require(!outcome.too_many && table.last().value <= entries);
  require(outcome.tail_lost || table.last().value == entries);
  for (std::uint64_t index = 1; index <= table.last().value; ++index) {
    const journal::EntryLocation& location = table.at(journal::EntryIndex(index));
    if (location.lsn != 0) {
      require(location.body_bytes == index * 300);
      for (std::size_t i = 0; i < location.body_bytes; ++i) {
        require(segment[location.offset + journal::record_head_bytes + i] == byte_of(index));
      }
    }
  }
}

void check_slot(const std::vector<std::byte>& slot) {
  const auto found = journal::read_slot(slot, 0);
  require(!found || (found->generation == 8 && found->promises.term == journal::Term(5)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const std::vector<std::byte> good_segment = make_segment();
  static const std::vector<std::byte> good_slot = make_slot();
  std::vector<std::byte> segment = good_segment;
  damage(segment, bytes, size);
  check_segment(segment);
  std::vector<std::byte> slot = good_slot;
  damage(slot, bytes, size);
  check_slot(slot);
  // Arbitrary bytes are nothing at all.
  const ByteView raw = std::as_bytes(std::span(bytes, size));
  require(!journal::SegmentScan(raw, store, 1).next() || size >= journal::record_head_bytes);
  require(!journal::read_slot(raw, 1));
  return 0;
}
