#include "rsm/replica/work_outbox.h"

#include <gtest/gtest.h>

#include <vector>

namespace mallard::rsm {
namespace {

// Takes so many works.
class NarrowLink final : public memory::Link {
 public:
  bool post(std::span<const memory::Work> chain) override {
    if (chain.size() > room) {
      return false;
    }
    room -= chain.size();
    posted.insert(posted.end(), chain.begin(), chain.end());
    return true;
  }
  std::size_t poll(std::span<memory::WorkDone> /*reports*/) override { return 0; }
  [[nodiscard]] std::size_t queue_depth() const override { return 64; }
  [[nodiscard]] memory::Capabilities capabilities() const override { return {}; }
  [[nodiscard]] bool dead() const override { return false; }
  void reset() override {}

  std::size_t room = 0;
  std::vector<memory::Work> posted;
};

cft::Post words_order(std::uint64_t id) {
  return {.id = memory::WorkId(id), .bytes = 16, .source = cft::Post::Source::words, .words = {id, id + 1}};
}

TEST(WorkOutbox, KeepsOrderAndBytesUntilTheLinkHasRoom) {
  WorkOutbox outbox(4);
  NarrowLink link;
  for (std::uint64_t id = 1; id <= 4; ++id) {
    outbox.add(words_order(id), {}, {});
  }
  outbox.flush(link);
  EXPECT_TRUE(link.posted.empty());
  link.room = 3;
  outbox.flush(link);
  link.room = 3;
  outbox.flush(link);
  ASSERT_EQ(link.posted.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(link.posted[i].id.value, i + 1);
    EXPECT_EQ(memory::load_word(link.posted[i].source, 0), i + 1);
    EXPECT_EQ(memory::load_word(link.posted[i].source, 8), i + 2);
  }
  EXPECT_EQ(link.room, 2U) << "nothing is posted twice";
}

TEST(WorkOutbox, PointsIntoOwnRegions) {
  WorkOutbox outbox(4);
  NarrowLink link;
  link.room = 4;
  std::vector<std::byte> log(256);
  std::vector<std::byte> scratch(256);
  outbox.card()[5] = std::byte{7};
  outbox.add({.bytes = 64, .source = cft::Post::Source::log, .local_offset = 128}, log, scratch);
  outbox.add({.kind = memory::WorkKind::read, .bytes = 32, .local_offset = 64}, log, scratch);
  outbox.add({.bytes = cft::card_bytes, .source = cft::Post::Source::card}, log, scratch);
  outbox.flush(link);
  ASSERT_EQ(link.posted.size(), 3U);
  EXPECT_EQ(link.posted[0].source.data(), log.data() + 128);
  EXPECT_EQ(link.posted[1].destination.data(), scratch.data() + 64);
  EXPECT_EQ(link.posted[1].destination.size(), 32U);
  EXPECT_EQ(link.posted[2].source[5], std::byte{7});
}

TEST(WorkOutbox, AResetForgets) {
  WorkOutbox outbox(4);
  NarrowLink link;
  link.room = 4;
  outbox.add(words_order(1), {}, {});
  outbox.clear();
  outbox.flush(link);
  EXPECT_TRUE(link.posted.empty());
}

}  // namespace
}  // namespace mallard::rsm
