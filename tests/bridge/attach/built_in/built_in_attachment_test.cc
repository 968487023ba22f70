#include "bridge/attach/built_in/built_in_attachment.h"

#include <gmock/gmock.h>

#include "tests/bridge/attach/built_in/attachment_fixture.h"
#include "tests/support/alloc_guard.h"
#include "transport/door/apply_limits.h"

namespace mallard::bridge::built_in {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(BuiltInAttachmentTest, is_ready_when_it_knows_where_every_link_stands) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_FALSE(attachment->is_ready());
  stand(BatchNumber(7), BatchNumber(4));
  ASSERT_TRUE(run_until([&] { return attachment->is_ready(); }));
  EXPECT_EQ(attachment->cursor(incoming).batch, BatchNumber(7));
  EXPECT_EQ(attachment->cursor(incoming).message, MessageNumber(70));
  EXPECT_EQ(attachment->generation(outgoing), Generation(1));
  EXPECT_EQ(attachment->fence(), Fence(3));
  EXPECT_EQ(attachment->extent(outgoing).newest, BatchNumber(4));
  EXPECT_EQ(attachment->extent(outgoing).oldest_readable, BatchNumber(1));
  EXPECT_EQ(attachment->extent(outgoing).newest_message, MessageNumber(40));
  EXPECT_FALSE(attachment->poll().has_value()) << "cursor() has told";
  EXPECT_TRUE(attachment->status().attached);
  EXPECT_EQ(attachment->status().replica, settings.incarnation);
}

TEST_F(BuiltInAttachmentTest, waits_for_a_link_that_nobody_has_opened) {
  ASSERT_NO_FATAL_FAILURE(start());
  server->send(gateway, door::Attached{.standings = 0, .fence = Fence(3)});
  ASSERT_TRUE(run_until([&] { return attachment->status().attached; }));
  EXPECT_FALSE(attachment->is_ready());
  server->send(
      gateway,
      door::Standing{.link = incoming, .direction = LinkDirection::inbound, .generation = Generation(2)});
  server->send(gateway, door::Standing{.link = outgoing, .generation = Generation(2)});
  ASSERT_TRUE(run_until([&] { return attachment->is_ready(); }));
  EXPECT_EQ(attachment->generation(incoming), Generation(2));
}

TEST_F(BuiltInAttachmentTest, taps_within_its_credit) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  EXPECT_FALSE(attachment->tap_next(outgoing).has_value());
  attachment->tap_from(outgoing, BatchNumber(2));
  ASSERT_TRUE(run_until([&] { return heard<door::Credit>() == 1; }));
  const door::Tap tap = all<door::Tap>()[0];
  EXPECT_EQ(tap.after, BatchNumber(2));
  EXPECT_EQ(all<door::Credit>()[0].batches, 4U);
  EXPECT_EQ(all<door::Credit>()[0].serial, tap.serial);
  for (std::uint64_t batch = 3; batch <= 6; ++batch) {
    send_batch(tap.serial, batch);
  }
  EXPECT_EQ(tapped(), 3U);
  EXPECT_EQ(heard<door::Credit>(), 1U);
  EXPECT_EQ(tapped(), 4U);
  ASSERT_TRUE(run_until([&] { return heard<door::Credit>() == 2; })) << "half of it is given back at a time";
  EXPECT_EQ(all<door::Credit>()[1].batches, 2U);
  EXPECT_EQ(tapped(), 5U);
  EXPECT_EQ(tapped(), 6U);
  EXPECT_FALSE(attachment->tap_next(outgoing).has_value());
  EXPECT_EQ(client_pool.free_bytes(), client_pool.capacity());
}

TEST_F(BuiltInAttachmentTest, a_new_tap_drops_what_the_old_one_brought) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  attachment->tap_from(outgoing, BatchNumber(0));
  ASSERT_TRUE(run_until([&] { return heard<door::Tap>() == 1; }));
  const std::uint32_t old = all<door::Tap>()[0].serial;
  send_batch(old, 1);
  EXPECT_EQ(tapped(), 1U);
  send_batch(old, 2);
  send_batch(old, 3);
  server->flush();
  attachment->tap_from(outgoing, BatchNumber(1));
  ASSERT_TRUE(run_until([&] { return heard<door::Tap>() == 2; }));
  const std::uint32_t serial = all<door::Tap>()[1].serial;
  EXPECT_NE(serial, old);
  EXPECT_FALSE(attachment->tap_next(outgoing).has_value());
  send_batch(serial, 2);
  EXPECT_EQ(tapped(), 2U);
  EXPECT_EQ(client_pool.free_bytes(), client_pool.capacity());
  EXPECT_EQ(attachment->status().batches_unexpected, 0U);
}

TEST_F(BuiltInAttachmentTest, a_gap_in_a_tap_starts_it_again) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  attachment->tap_from(outgoing, BatchNumber(0));
  ASSERT_TRUE(run_until([&] { return heard<door::Tap>() == 1; }));
  send_batch(all<door::Tap>()[0].serial, 1);
  send_batch(all<door::Tap>()[0].serial, 3);
  ASSERT_TRUE(run_until([&] { return heard<door::Tap>() == 2; }));
  EXPECT_EQ(all<door::Tap>()[1].after, BatchNumber(1));
  EXPECT_EQ(all<door::Credit>().back().batches, 3U) << "one batch is still here";
  EXPECT_EQ(attachment->status().batches_unexpected, 1U);
  EXPECT_EQ(tapped(), 1U);
}

TEST_F(BuiltInAttachmentTest, orders_are_submitted_and_reported_when_applied) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  const Apply first = order(1);
  const Apply second = order(2);
  attachment->apply(first);
  attachment->apply(second);
  ASSERT_TRUE(run_until([&] { return heard<door::Apply>() == 2; }));
  const door::Apply said = all<door::Apply>()[0];
  EXPECT_EQ(said.link, incoming);
  EXPECT_EQ(said.generation, Generation(1));
  EXPECT_EQ(said.source_epoch, Epoch(1));
  EXPECT_EQ(said.destination_epoch, Epoch(2));
  EXPECT_EQ(said.fence, Fence(3));
  EXPECT_EQ(said.range, (door::BatchRange{BatchNumber(1), MessageNumber(10), 10}));
  EXPECT_EQ(door::text_of(server_pool, said.payload), "order 1");
  EXPECT_FALSE(attachment->poll().has_value());
  send_applied(1);
  const auto applied = polled();
  ASSERT_TRUE(applied.has_value());
  EXPECT_EQ(applied->link, incoming);
  EXPECT_EQ(applied->cursor, BatchNumber(1));
  EXPECT_EQ(applied->cursor_message, MessageNumber(19));
  send_applied(1);
  send_applied(2);
  EXPECT_EQ(polled()->cursor, BatchNumber(2));
  EXPECT_FALSE(attachment->poll().has_value());
  client_pool.release(first.payload);
  client_pool.release(second.payload);
  EXPECT_EQ(client_pool.free_bytes(), client_pool.capacity());
  replica.forget();
}

// The replica holds what it was told until it is applied: there must be room for others.
TEST_F(BuiltInAttachmentTest, orders_keep_to_what_a_replica_holds) {
  constexpr std::uint64_t orders = door::applies_ahead_max + 10;
  built_in.inbound = {{incoming, orders}};
  ASSERT_NO_FATAL_FAILURE(start_ready());
  std::vector<PayloadRef> payloads;
  for (std::uint64_t batch = 1; batch <= orders; ++batch) {
    const Apply made = order(batch);
    payloads.push_back(made.payload);
    attachment->apply(made);
  }
  ASSERT_TRUE(run_until([&] { return heard<door::Apply>() == door::applies_ahead_max; }));
  send_applied(4);
  ASSERT_TRUE(run_until([&] { return heard<door::Apply>() == door::applies_ahead_max + 4; }));
  EXPECT_EQ(applies().back(), door::applies_ahead_max + 4);
  for (const PayloadRef payload : payloads) {
    client_pool.release(payload);
  }
  replica.forget();
}

TEST_F(BuiltInAttachmentTest, another_gateway_may_be_faster) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  send_applied(5);
  EXPECT_EQ(polled()->cursor, BatchNumber(5));
  const Apply late = order(5);
  const Apply next = order(6);
  attachment->apply(late);
  attachment->apply(next);
  ASSERT_TRUE(run_until([&] { return heard<door::Apply>() == 1; }));
  EXPECT_THAT(applies(), ElementsAre(6U));
  client_pool.release(late.payload);
  client_pool.release(next.payload);
  replica.forget();
}

TEST_F(BuiltInAttachmentTest, goes_on_with_a_replica_that_was_restarted) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  attachment->tap_from(outgoing, BatchNumber(0));
  attachment->quacked({.link = outgoing, .through = BatchNumber(1)});
  ASSERT_TRUE(run_until([&] { return heard<door::Tap>() == 1; }));
  const std::uint32_t serial = all<door::Tap>()[0].serial;
  send_batch(serial, 1);
  send_batch(serial, 2);
  EXPECT_EQ(tapped(), 1U);
  std::vector<PayloadRef> payloads;
  for (std::uint64_t batch = 1; batch <= 4; ++batch) {
    const Apply submitted = order(batch);
    payloads.push_back(submitted.payload);
    attachment->apply(submitted);
  }
  ASSERT_TRUE(run_until([&] { return heard<door::Apply>() == 4; }));

  ASSERT_NO_FATAL_FAILURE(restart_replica());
  const Apply meanwhile = order(5);
  payloads.push_back(meanwhile.payload);
  attachment->apply(meanwhile);
  EXPECT_EQ(heard<door::Apply>(), 0U) << "nothing before the replica has said where it stands";
  stand(BatchNumber(2), BatchNumber(9));
  ASSERT_TRUE(run_until([&] { return heard<door::Apply>() == 3 && heard<door::Quacked>() == 1; }));
  EXPECT_THAT(applies(), ElementsAre(3U, 4U, 5U)) << "in order, without what the replica has";
  EXPECT_EQ(attachment->status().applies_repeated, 2U);
  EXPECT_EQ(attachment->status().attaches, 2U);
  EXPECT_EQ(polled()->cursor, BatchNumber(2));
  EXPECT_EQ(all<door::Tap>()[0].after, BatchNumber(2)) << "behind the last batch that came";
  EXPECT_EQ(all<door::Credit>()[0].batches, 3U) << "batch 2 waits here";
  EXPECT_EQ(all<door::Quacked>()[0].through, BatchNumber(1));
  send_batch(all<door::Tap>()[0].serial, 3);
  EXPECT_EQ(tapped(), 2U);
  EXPECT_EQ(tapped(), 3U);
  for (const PayloadRef payload : payloads) {
    client_pool.release(payload);
  }
  replica.forget();
  EXPECT_EQ(client_pool.free_bytes(), client_pool.capacity());
}

TEST_F(BuiltInAttachmentTest, a_replica_that_is_behind_takes_nothing_back) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  send_applied(5);
  EXPECT_EQ(polled()->cursor, BatchNumber(5));
  server->send(gateway, door::Extent{.link = outgoing,
                                     .generation = Generation(1),
                                     .oldest_readable = BatchNumber(3),
                                     .newest = BatchNumber(8),
                                     .newest_message = MessageNumber(80)});
  ASSERT_TRUE(run_until([&] { return attachment->extent(outgoing).newest == BatchNumber(8); }));
  ASSERT_NO_FATAL_FAILURE(restart_replica());
  stand(BatchNumber(2), BatchNumber(4));
  ASSERT_TRUE(run_until([&] { return attachment->status().attached; }));
  EXPECT_FALSE(attachment->poll().has_value());
  EXPECT_EQ(attachment->extent(outgoing).newest, BatchNumber(8));
  EXPECT_EQ(attachment->extent(outgoing).oldest_readable, BatchNumber(3));
  EXPECT_TRUE(failures.empty());
}

TEST_F(BuiltInAttachmentTest, loads_are_answered_by_the_replica_a_few_at_a_time) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  for (std::uint64_t batch = 1; batch <= 3; ++batch) {
    attachment->load({.link = incoming, .batch = BatchNumber(batch), .for_peer = ReplicaIndex(2)});
  }
  ASSERT_TRUE(run_until([&] { return heard<door::Load>() == 2; }));
  EXPECT_FALSE(attachment->poll_loaded().has_value());
  const auto loads = all<door::Load>();
  const PayloadRef payload = door::stored(server_pool, "from storage");
  server->send(gateway, door::Loaded{.request = loads[1].request,
                                     .link = incoming,
                                     .found = true,
                                     .range = {BatchNumber(2), MessageNumber(20), 10},
                                     .proof_bytes = 3,
                                     .payload = payload});
  server_pool.release(payload);
  std::optional<BatchLoaded> loaded;
  ASSERT_TRUE(run_until([&] { return (loaded = attachment->poll_loaded()).has_value(); }));
  EXPECT_TRUE(loaded->found);
  EXPECT_EQ(loaded->for_peer, ReplicaIndex(2));
  EXPECT_EQ(loaded->header.batch, BatchNumber(2));
  EXPECT_EQ(loaded->proof_bytes, 3);
  EXPECT_EQ(door::text_of(client_pool, loaded->payload), "from storage");
  client_pool.release(loaded->payload);
  ASSERT_TRUE(run_until([&] { return heard<door::Load>() == 3; }));
  server->send(gateway, door::Loaded{.request = loads[0].request, .link = incoming});
  ASSERT_TRUE(run_until([&] { return (loaded = attachment->poll_loaded()).has_value(); }));
  EXPECT_FALSE(loaded->found);
  EXPECT_EQ(loaded->header.batch, BatchNumber(1));
}

TEST_F(BuiltInAttachmentTest, loads_find_nothing_where_the_replica_is_gone) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  for (std::uint64_t batch = 1; batch <= 3; ++batch) {
    attachment->load({.link = incoming, .batch = BatchNumber(batch), .for_peer = ReplicaIndex(2)});
  }
  server.reset();
  ASSERT_TRUE(run_until([&] { return !attachment->status().attached; }));
  attachment->load({.link = incoming, .batch = BatchNumber(4), .for_peer = ReplicaIndex(2)});
  for (std::uint64_t batch = 1; batch <= 4; ++batch) {
    const auto loaded = attachment->poll_loaded();
    ASSERT_TRUE(loaded.has_value());
    EXPECT_FALSE(loaded->found);
    EXPECT_EQ(loaded->header.batch, BatchNumber(batch));
  }
  EXPECT_FALSE(attachment->poll_loaded().has_value());
}

TEST_F(BuiltInAttachmentTest, will_not_work_beside_another_replica) {
  built_in.self.replica = ReplicaIndex(0);
  open_server();
  attachment = std::make_unique<BuiltInAttachment>(
      built_in, io, client_pool,
      BuiltInCallbacks{.on_failure = [this](const std::string& what) { failures.push_back(what); }});
  ASSERT_TRUE(run_until([&] { return !failures.empty(); }));
  EXPECT_THAT(failures[0], HasSubstr("another replica answers"));
  EXPECT_EQ(heard<door::Attach>(), 0U);
}

TEST_F(BuiltInAttachmentTest, will_not_mix_two_numberings) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  send_applied(1, Generation(2));
  ASSERT_TRUE(run_until([&] { return !failures.empty(); }));
  EXPECT_THAT(failures[0], HasSubstr("generation 2, and this gateway works on 1"));
  EXPECT_FALSE(attachment->poll().has_value());
  send_applied(2, Generation(1));
  io.run_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(attachment->poll().has_value());
  EXPECT_EQ(failures.size(), 1U);
}

TEST_F(BuiltInAttachmentTest, looks_for_a_slot_only_when_the_pool_has_changed) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  attachment->tap_from(outgoing, BatchNumber(0));
  ASSERT_TRUE(run_until([&] { return heard<door::Tap>() == 1; }));
  std::vector<PayloadRef> taken;
  while (const auto slot = client_pool.allocate(1U << 20)) {
    taken.push_back(*slot);
  }
  send_batch(all<door::Tap>()[0].serial, 1);
  io.run_for(std::chrono::milliseconds(50));
  ASSERT_FALSE(attachment->tap_next(outgoing).has_value()) << "there is no slot for it";
  // As a gateway's turns do; each call that the loop runs is the end of a wait.
  constexpr int turns = 1000;
  std::size_t calls = 0;
  for (int i = 0; i < turns; ++i) {
    static_cast<void>(attachment->extent(outgoing));
    static_cast<void>(attachment->poll());
    calls += io.poll();
  }
  EXPECT_LT(calls, turns / 2) << "the loop would never sleep";
  for (const PayloadRef slot : taken) {
    client_pool.release(slot);
  }
  static_cast<void>(attachment->extent(outgoing));
  io.poll();
  const std::optional<StoredBatch> batch = attachment->tap_next(outgoing);
  ASSERT_TRUE(batch.has_value()) << "at once, without waiting for a timer";
  client_pool.release(batch->payload);
}

TEST_F(BuiltInAttachmentTest, gives_its_slots_back) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  attachment->tap_from(outgoing, BatchNumber(0));
  ASSERT_TRUE(run_until([&] { return heard<door::Tap>() == 1; }));
  send_batch(all<door::Tap>()[0].serial, 1);
  ASSERT_TRUE(run_until([&] { return client_pool.free_bytes() < client_pool.capacity(); }));
  io.run_for(std::chrono::milliseconds(5));
  attachment.reset();
  EXPECT_EQ(client_pool.free_bytes(), client_pool.capacity());
}

TEST_F(BuiltInAttachmentTest, nothing_is_allocated_per_batch) {
  ASSERT_NO_FATAL_FAILURE(start_ready());
  attachment->tap_from(outgoing, BatchNumber(0));
  ASSERT_TRUE(run_until([&] { return heard<door::Credit>() == 1; }));
  const std::uint32_t serial = all<door::Tap>()[0].serial;
  replica.record = false;
  std::uint64_t granted = 4;
  std::uint64_t applied_there = 0;
  replica.answer = [&](door::DoorConnection, const door::DoorMessage& message) {
    if (const auto* const credit = std::get_if<door::Credit>(&message)) {
      granted += credit->batches;
    } else if (const auto* const apply = std::get_if<door::Apply>(&message)) {
      applied_there = apply->range.batch.value;
      server_pool.release(apply->payload);
      send_applied(applied_there);
    }
  };
  const PayloadRef payload = door::stored(server_pool, std::string(12'800, 'b'));
  std::uint64_t sent = 0;
  std::uint64_t applied = 0;
  const auto exchange = [&](std::uint64_t until) {
    while (applied < until) {
      while (sent < granted) {
        ++sent;
        server->send(gateway, door::Batch{.link = outgoing,
                                          .serial = serial,
                                          .generation = Generation(1),
                                          .range = {BatchNumber(sent), MessageNumber(sent), 1},
                                          .payload = payload});
      }
      while (const auto batch = attachment->tap_next(outgoing)) {
        Apply submitted{};
        submitted.context = {incoming, Generation(1), Epoch(1), Epoch(1)};
        submitted.header = batch->header;
        submitted.payload = batch->payload;
        attachment->apply(submitted);
        client_pool.release(batch->payload);  // the door keeps its own reference
      }
      while (const auto moved = attachment->poll()) {
        applied = moved->cursor.value;
      }
      io.poll();
    }
  };
  exchange(200);
  const support::AllocGuard guard;
  exchange(1000);
  EXPECT_EQ(guard.allocations(), 0U);
  server_pool.release(payload);
}

}  // namespace
}  // namespace mallard::bridge::built_in
