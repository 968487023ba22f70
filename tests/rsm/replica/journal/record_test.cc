#include "rsm/replica/journal/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "config/base/prng.h"

namespace mallard::rsm::journal {
namespace {

StoreId store_of(int number) {
  StoreId store;
  store.bytes[3] = static_cast<std::byte>(number);
  return store;
}

const Record sample{.kind = RecordKind::entry,
                    .body_bytes = 21,
                    .epoch = Epoch(2),
                    .lsn = 77,
                    .previous = 76,
                    .index = EntryIndex(12),
                    .term = Term(4),
                    .commit = EntryIndex(11),
                    .last = EntryIndex(12),
                    .cut = 70,
                    .synced = 75,
                    .generation = 9};
const RecordPlace place{.store = store_of(1), .segment = 3, .offset = 4096};

std::vector<std::byte> written() {
  std::vector<std::byte> bytes(record_bytes(21));
  const std::vector<std::byte> body(21, std::byte{7});
  write_record(sample, place, body, bytes);
  return bytes;
}

TEST(Record, comes_back_as_it_was_written) {
  const std::vector<std::byte> bytes = written();
  const auto head = read_record_head(bytes, place);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->record, sample);
  EXPECT_TRUE(body_matches(*head, ByteView(bytes).subspan(record_head_bytes, 21)));
  EXPECT_EQ(bytes.size() % record_alignment, 0U);
  EXPECT_EQ(bytes.back(), filler);
}

TEST(Record, verifies_nowhere_else) {
  const std::vector<std::byte> bytes = written();
  EXPECT_FALSE(read_record_head(bytes, {.store = store_of(2), .segment = 3, .offset = 4096}));
  EXPECT_FALSE(read_record_head(bytes, {.store = store_of(1), .segment = 4, .offset = 4096}));
  EXPECT_FALSE(read_record_head(bytes, {.store = store_of(1), .segment = 3, .offset = 8192}));
}

TEST(Record, every_flipped_bit_is_noticed) {
  const std::vector<std::byte> good = written();
  for (std::size_t bit = 0; bit < (record_head_bytes + 21) * 8; ++bit) {
    std::vector<std::byte> bytes = good;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto head = read_record_head(bytes, place);
    const bool whole = head && body_matches(*head, ByteView(bytes).subspan(record_head_bytes, 21));
    ASSERT_FALSE(whole) << bit;
  }
}

TEST(Record, arbitrary_bytes_are_no_record) {
  Prng prng(5);
  for (int round = 0; round < 1000; ++round) {
    std::vector<std::byte> bytes(prng.below(300));
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::byte>(prng.below(256)); });
    EXPECT_FALSE(read_record_head(bytes, place));
  }
  const std::vector<std::byte> good = written();
  EXPECT_FALSE(read_record_head(ByteView(good).first(record_head_bytes - 1), place));
}

}  // namespace
}  // namespace mallard::rsm::journal
