#include "bridge/gateway/load_queue.h"

#include <gtest/gtest.h>

namespace mallard::bridge {
namespace {

LoadBatch order(std::uint64_t batch) {
  return {.link = LinkIndex(3), .batch = BatchNumber(batch), .for_peer = ReplicaIndex(2)};
}

TEST(LoadQueue, first_come_first_served_up_to_its_end) {
  LoadQueue queue;
  EXPECT_FALSE(queue.pop().has_value());
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  for (int round = 0; round < 5; ++round) {
    while (!queue.full()) {
      queue.push(order(++in));
    }
    for (std::size_t i = 0; i < LoadQueue::loads_max / 3; ++i) {
      EXPECT_EQ(queue.pop()->batch, BatchNumber(++out));
    }
  }
  EXPECT_EQ(in, out + LoadQueue::loads_max - LoadQueue::loads_max / 3);
}

TEST(LoadQueue, an_answer_names_what_was_asked) {
  const BatchLoaded missing = answer_to(order(7), std::nullopt);
  EXPECT_FALSE(missing.found);
  EXPECT_EQ(missing.link, LinkIndex(3));
  EXPECT_EQ(missing.for_peer, ReplicaIndex(2));
  EXPECT_EQ(missing.header.batch, BatchNumber(7));
  const StoredBatch stored{.header = {.batch = BatchNumber(7), .first = MessageNumber(70), .count = 10},
                           .payload = {.slot = 1, .bytes = 100},
                           .proof_bytes = 4};
  const BatchLoaded found = answer_to(order(7), stored);
  EXPECT_TRUE(found.found);
  EXPECT_EQ(found.header, stored.header);
  EXPECT_EQ(found.payload, stored.payload);
  EXPECT_EQ(found.proof_bytes, 4);
}

}  // namespace
}  // namespace mallard::bridge
