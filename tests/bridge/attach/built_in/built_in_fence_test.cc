// What a raised fence does to inbound links.
#include <gmock/gmock.h>

#include "tests/bridge/attach/built_in/attachment_fixture.h"

namespace mallard::bridge::built_in {
namespace {

using testing::ElementsAre;

class BuiltInFenceTest : public BuiltInAttachmentTest {};

// What was ordered before a promotion must not be applied after it, not even under the new fence: that would
// be no fence at all.
TEST_F(BuiltInFenceTest, a_raised_fence_stops_its_orders_by_name) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  const Apply first = order(1);
  const Apply second = order(2);
  attachment->apply(first);
  ASSERT_TRUE(run_until([&] { return heard<door::Apply>() == 1; }));
  server->send(gateway, door::Fenced{.fence = Fence(4)});
  ASSERT_TRUE(run_until([&] { return attachment->is_fenced(incoming); }));
  EXPECT_EQ(attachment->status().fence, Fence(4));
  EXPECT_EQ(attachment->ordering_fence(incoming), Fence(3));
  EXPECT_FALSE(attachment->is_fenced(outgoing));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_TRUE(news[0].fenced);
  EXPECT_EQ(news[0].link, incoming);
  EXPECT_EQ(news[0].ordered, Fence(3));
  EXPECT_EQ(news[0].raised, Fence(4));
  attachment->apply(second);
  attachment->tap_from(outgoing, BatchNumber(0));
  ASSERT_TRUE(run_until([&] { return heard<door::Tap>() == 1; })) << "the other direction goes on";
  server->send(gateway, door::Fenced{.fence = Fence(5)});
  ASSERT_TRUE(run_until([&] { return attachment->status().fence == Fence(5); }));
  EXPECT_EQ(heard<door::Apply>(), 1U);
  EXPECT_EQ(news.size(), 1U) << "it is fenced once";
  ASSERT_NO_FATAL_FAILURE(restart_replica());
  stand(BatchNumber(0), BatchNumber(0), Generation(1), Fence(5));
  ASSERT_TRUE(run_until([&] { return attachment->status().attached; }));
  EXPECT_TRUE(attachment->is_fenced(incoming)) << "a new connection changes nothing";
  EXPECT_EQ(heard<door::Apply>(), 0U);
  EXPECT_TRUE(failures.empty());
  client_pool.release(first.payload);
  client_pool.release(second.payload);
}

// Somebody was started under the new fence and orders: the link was let in again.
TEST_F(BuiltInFenceTest, it_takes_the_new_fence_when_the_cursor_moves_under_it) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  std::vector<PayloadRef> payloads;
  for (std::uint64_t batch = 1; batch <= 3; ++batch) {
    const Apply one = order(batch);
    payloads.push_back(one.payload);
    attachment->apply(one);
  }
  ASSERT_TRUE(run_until([&] { return heard<door::Apply>() == 3; }));
  replica.forget();
  server->send(gateway, door::Fenced{.fence = Fence(4)});
  ASSERT_TRUE(run_until([&] { return attachment->is_fenced(incoming); }));
  send_applied(1);
  ASSERT_TRUE(run_until([&] { return heard<door::Apply>() == 2; })) << "what is left is ordered again";
  EXPECT_FALSE(attachment->is_fenced(incoming));
  for (const door::Apply& apply : all<door::Apply>()) {
    EXPECT_EQ(apply.fence, Fence(4));
  }
  EXPECT_THAT(applies(), ElementsAre(2, 3));
  ASSERT_EQ(news.size(), 2U);
  EXPECT_FALSE(news[1].fenced);
  EXPECT_EQ(news[1].ordered, Fence(3));
  EXPECT_EQ(news[1].raised, Fence(4));
  EXPECT_EQ(attachment->status().applies_repeated, 2U);
  for (const PayloadRef payload : payloads) {
    client_pool.release(payload);
  }
  replica.forget();
}

// The cursor that a new connection tells first may have moved before the fence was raised.
TEST_F(BuiltInFenceTest, a_fence_that_was_raised_while_it_was_away_stops_it_too) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  ASSERT_NO_FATAL_FAILURE(restart_replica());
  stand(BatchNumber(6), BatchNumber(0), Generation(1), Fence(4));
  ASSERT_TRUE(run_until([&] { return attachment->status().attached; }));
  EXPECT_TRUE(attachment->is_fenced(incoming));
  EXPECT_EQ(attachment->fence(), Fence(3)) << "what the core was started with";
  ASSERT_NO_FATAL_FAILURE(restart_replica());
  stand(BatchNumber(7), BatchNumber(0), Generation(1), Fence(4));
  ASSERT_TRUE(run_until([&] { return attachment->status().attached; }));
  EXPECT_FALSE(attachment->is_fenced(incoming)) << "meanwhile it moved under the new one";
}

}  // namespace
}  // namespace mallard::bridge::built_in
