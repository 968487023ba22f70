#include "rsm/replica/witness_desk.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace mallard::rsm {
namespace {

using journal::Witness;

constexpr memory::ProcessIndex self(0);
constexpr memory::ProcessIndex first(1);
constexpr memory::ProcessIndex second(2);
constexpr Witness own{.incarnation = Incarnation(5), .generation = 3, .records = 10};

struct Post final : PeerPort {
  bool send(memory::ProcessIndex to, const PeerMessage& message) override {
    if (is_open) {
      sent.emplace_back(to, std::get<StoreSeen>(message));
    }
    return is_open;
  }
  bool is_open = true;
  std::vector<std::pair<memory::ProcessIndex, StoreSeen>> sent;
};

Instant at(std::int64_t ms) { return Instant{} + Duration::milliseconds(ms); }

TEST(WitnessDesk, TellsWhoComesWhatItSawOfHim) {
  WitnessDesk desk(self, 3);
  Post post;
  desk.tell(own, post, at(0));
  post.sent.clear();
  const Witness his{.incarnation = Incarnation(2), .generation = 7, .records = 70};
  desk.on_message(first, {.own = his, .yours = {}});
  desk.on_peer_up(first);
  desk.tell(own, post, at(1));
  ASSERT_EQ(post.sent.size(), 1U);
  EXPECT_EQ(post.sent[0].first, first);
  EXPECT_EQ(post.sent[0].second, (StoreSeen{own, his}));
  desk.tell(own, post, at(2));
  EXPECT_EQ(post.sent.size(), 1U) << "he knows";
}

TEST(WitnessDesk, TellsAllNowAndThenHowFarItIs) {
  WitnessDesk desk(self, 3);
  Post post;
  desk.tell(own, post, at(0));
  EXPECT_EQ(post.sent.size(), 2U);
  Witness later = own;
  later.records = 11;
  desk.tell(later, post, at(500));
  EXPECT_EQ(post.sent.size(), 2U) << "not with every record";
  desk.tell(later, post, at(1000));
  EXPECT_EQ(post.sent.size(), 4U);
  desk.tell(later, post, at(5000));
  EXPECT_EQ(post.sent.size(), 4U) << "nothing is new";
}

TEST(WitnessDesk, TellsAgainWhatWasLost) {
  WitnessDesk desk(self, 3);
  Post post;
  post.is_open = false;
  desk.on_peer_up(second);
  desk.tell(own, post, at(0));
  post.is_open = true;
  desk.tell(own, post, at(1));
  ASSERT_EQ(post.sent.size(), 1U);
  EXPECT_EQ(post.sent[0].first, second);
}

// Two that come back together ask each other, and the first to hear answers last.
TEST(WitnessDesk, WhoIsStillAskingIsNotToldItsOwnWord) {
  WitnessDesk asking(self, 3);
  WitnessDesk other(first, 3);
  Post post;
  asking.on_peer_up(first);
  asking.tell(Witness{}, post, at(0));
  ASSERT_EQ(post.sent.size(), 1U);
  other.on_message(self, post.sent[0].second);
  other.on_peer_up(self);
  other.tell(Witness{}, post, at(1));
  ASSERT_EQ(post.sent.size(), 2U);
  asking.on_message(first, post.sent[1].second);
  EXPECT_TRUE(asking.has_heard_enough());
  EXPECT_EQ(asking.seen(), Witness{}) << "nobody has seen it before";
}

TEST(WitnessDesk, RemembersTheFurthest) {
  WitnessDesk desk(self, 3);
  desk.on_message(first,
                  {.own = {}, .yours = {.incarnation = Incarnation(5), .generation = 9, .records = 20}});
  desk.on_message(second,
                  {.own = {}, .yours = {.incarnation = Incarnation(5), .generation = 8, .records = 30}});
  EXPECT_EQ(desk.seen(), (Witness{.incarnation = Incarnation(5), .generation = 9, .records = 30}));
  desk.on_message(first,
                  {.own = {}, .yours = {.incarnation = Incarnation(4), .generation = 99, .records = 99}});
  EXPECT_EQ(desk.seen().generation, 9U) << "of an older incarnation";
  desk.on_message(first,
                  {.own = {}, .yours = {.incarnation = Incarnation(6), .generation = 1, .records = 1}});
  EXPECT_EQ(desk.seen(), (Witness{.incarnation = Incarnation(6), .generation = 1, .records = 1}));
}

TEST(WitnessDesk, HasHeardEnoughWithAMajority) {
  WitnessDesk three(self, 3);
  EXPECT_FALSE(three.has_heard_enough());
  three.on_message(self, {});
  three.on_message(memory::ProcessIndex(3), {});
  EXPECT_FALSE(three.has_heard_enough()) << "neither itself nor strangers count";
  three.on_message(first, {});
  EXPECT_TRUE(three.has_heard_enough());
  WitnessDesk five(self, 5);
  five.on_message(first, {});
  five.on_message(first, {});
  EXPECT_FALSE(five.has_heard_enough());
  five.on_message(second, {});
  EXPECT_TRUE(five.has_heard_enough());
  EXPECT_TRUE(WitnessDesk(self, 1).has_heard_enough());
}

}  // namespace
}  // namespace mallard::rsm
