#include "rsm/replica/egress_log.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "tests/rsm/replica/commands.h"

namespace mallard::rsm {
namespace {

constexpr LinkIndex link{0};

LinkMessage message(std::uint64_t number, std::uint64_t batch, const std::string& body,
                    std::uint32_t generation = 1) {
  return {.link = link,
          .generation = Generation(generation),
          .number = MessageNumber(number),
          .batch = BatchNumber(batch),
          .index = CommitIndex(batch),
          .message = text_bytes(body)};
}

// The bodies of a batch, taken apart.
std::vector<std::string> bodies(const EgressLog& log, std::uint64_t batch) {
  std::vector<std::string> out;
  const auto found = log.find(link, BatchNumber(batch));
  if (!found) {
    return out;
  }
  std::vector<std::byte> bytes(found->bytes);
  log.copy(link, BatchNumber(batch), bytes);
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    const ByteView body = reader.take(reader.read<std::uint32_t>());
    out.emplace_back(reinterpret_cast<const char*>(body.data()), body.size());
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(out.size(), found->count);
  return out;
}

TEST(EgressLog, KeepsBatchesUntilTheyAreForgotten) {
  EgressLog log({.links = 1, .bytes = egress_bytes_min, .batches = 8});
  EXPECT_EQ(log.extent(link), (EgressExtent{.oldest_readable = BatchNumber(1)}));
  log.emit(message(1, 1, "one"));
  log.emit(message(2, 1, "two"));
  log.emit(message(3, 2, "three"));
  EXPECT_EQ(bodies(log, 1), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(bodies(log, 2), (std::vector<std::string>{"three"}));
  EXPECT_EQ(log.find(link, BatchNumber(2))->first, MessageNumber(3));
  EXPECT_EQ(log.extent(link),
            (EgressExtent{Generation(1), BatchNumber(1), BatchNumber(2), MessageNumber(3)}));
  log.forget(link, Generation(2), BatchNumber(2));
  EXPECT_TRUE(log.find(link, BatchNumber(1))) << "of another generation";
  log.forget(link, Generation(1), BatchNumber(1));
  EXPECT_FALSE(log.find(link, BatchNumber(1)));
  EXPECT_TRUE(log.find(link, BatchNumber(2)));
  log.forget(link, Generation(1), BatchNumber(99));
  EXPECT_EQ(log.extent(link).oldest_readable, BatchNumber(3));
  EXPECT_EQ(log.evicted(), 0U);
}

TEST(EgressLog, AGenerationBeginsAnew) {
  EgressLog log({.links = 1, .bytes = egress_bytes_min, .batches = 8});
  log.emit(message(1, 1, "old"));
  log.emit(message(1, 1, "new", 2));
  EXPECT_EQ(bodies(log, 1), (std::vector<std::string>{"new"}));
  EXPECT_EQ(log.extent(link).generation, Generation(2));
}

// After a snapshot a link goes on in the middle.
TEST(EgressLog, WhatWasBeforeTheFirstBatchIsNotReadable) {
  EgressLog log({.links = 1, .bytes = egress_bytes_min, .batches = 8});
  log.emit(message(500, 70, "seventy"));
  EXPECT_EQ(log.extent(link).oldest_readable, BatchNumber(70));
  EXPECT_FALSE(log.find(link, BatchNumber(69)));
  EXPECT_EQ(bodies(log, 70), (std::vector<std::string>{"seventy"}));
}

TEST(EgressLog, LinksItDoesNotKnowAreIgnored) {
  EgressLog log({.links = 1, .bytes = egress_bytes_min, .batches = 8});
  LinkMessage strange = message(1, 1, "x");
  strange.link = LinkIndex(7);
  log.emit(strange);
  EXPECT_FALSE(log.find(LinkIndex(7), BatchNumber(1)));
  EXPECT_EQ(log.extent(LinkIndex(7)), EgressExtent{});
}

EgressBatch restored(EgressLog& log, std::uint64_t batch, std::string_view text) {
  std::vector<std::byte> body(4 + text.size());
  ByteWriter writer(body);
  writer.write(static_cast<std::uint32_t>(text.size()));
  writer.write_bytes(text_bytes(text));
  const EgressBatch record{BatchNumber(batch), MessageNumber(batch * 10), 1, body.size()};
  log.restore(link, record, body);
  return record;
}

TEST(EgressLog, GoesOnBehindWhatASnapshotBrings) {
  EgressLog log({.links = 1, .bytes = egress_bytes_min, .batches = 8});
  log.emit(message(1, 1, "of before"));
  log.clear();
  EXPECT_EQ(log.extent(link), (EgressExtent{.oldest_readable = BatchNumber(1)}));
  log.restore(link, Generation(2), BatchNumber(9), MessageNumber(90));
  EXPECT_EQ(log.extent(link),
            (EgressExtent{Generation(2), BatchNumber(10), BatchNumber(9), MessageNumber(90)}));
  restored(log, 4, "QUACKed while the snapshot was written");
  restored(log, 8, "eight");
  EXPECT_FALSE(log.find(link, BatchNumber(8))) << "nothing before the newest alone";
  restored(log, 9, "nine");
  EXPECT_EQ(log.extent(link).oldest_readable, BatchNumber(8));
  EXPECT_FALSE(log.find(link, BatchNumber(4)));
  log.emit(message(91, 10, "ten", 2));
  EXPECT_EQ(bodies(log, 8), (std::vector<std::string>{"eight"}));
  EXPECT_EQ(bodies(log, 9), (std::vector<std::string>{"nine"}));
  EXPECT_EQ(bodies(log, 10), (std::vector<std::string>{"ten"}));
  EXPECT_EQ(log.find(link, BatchNumber(9))->first, MessageNumber(90));
}

TEST(EgressLog, RestoresTheNewestWhereNotAllHasRoom) {
  EgressLog log({.links = 1, .bytes = egress_bytes_min, .batches = 8});
  log.restore(link, Generation(1), BatchNumber(20), MessageNumber(200));
  for (std::uint64_t batch = 1; batch <= 20; ++batch) {
    restored(log, batch, std::string(batch > 16 ? 300'000 : 10, 'v'));
  }
  EXPECT_EQ(log.extent(link).oldest_readable, BatchNumber(18));
  for (std::uint64_t batch = 18; batch <= 20; ++batch) {
    EXPECT_EQ(bodies(log, batch), (std::vector<std::string>{std::string(300'000, 'v')}));
  }
  EXPECT_EQ(log.evicted(), 17U);
}

// Against a map: whatever is readable is what was emitted, and the newest always is.
TEST(EgressLog, NeverGivesAnotherBody) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Prng prng(seed);
    EgressLog log({.links = 1, .bytes = egress_bytes_min, .batches = 32});
    std::map<std::uint64_t, std::vector<std::string>> twin;
    std::uint64_t number = 0;
    for (std::uint64_t batch = 1; batch <= 200; ++batch) {
      for (std::uint64_t count = 1 + prng.below(4); count > 0; --count) {
        const std::string body(1 + prng.below(100'000), static_cast<char>('a' + prng.below(26)));
        log.emit(message(++number, batch, body));
        twin[batch].push_back(body);
      }
      EXPECT_EQ(bodies(log, batch), twin[batch]);
      const std::uint64_t oldest = log.extent(link).oldest_readable.value;
      EXPECT_EQ(bodies(log, oldest), twin[oldest]);
    }
    EXPECT_GT(log.evicted(), 100U);
  }
}

}  // namespace
}  // namespace mallard::rsm
