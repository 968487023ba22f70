// The attachment at a real door, behind which a replica says what the test tells it to say.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bridge/attach/built_in/built_in_attachment.h"
#include "tests/transport/door/door_world.h"

namespace mallard::bridge::built_in {

namespace door = transport::door;

class BuiltInAttachmentTest : public door::DoorTest {
 protected:
  static constexpr LinkIndex outgoing{0};
  static constexpr LinkIndex incoming{1};

  BuiltInAttachmentTest() {
    built_in.directory = directory.path();
    built_in.self = settings.replica;
    built_in.incarnation = Incarnation(5);
    built_in.epoch = Epoch(1);
    built_in.outbound = {outgoing};
    built_in.inbound = {{incoming, 64}};
    built_in.read_ahead = 4;
    built_in.loads_max = 2;
    built_in.door.redial_last = Duration::milliseconds(30);
  }
  void start() {
    open_server();
    attachment = std::make_unique<BuiltInAttachment>(
        built_in, io, client_pool,
        BuiltInCallbacks{.on_failure = [this](const std::string& what) { failures.push_back(what); },
                         .on_fence = [this](const FenceNews& one) { news.push_back(one); }});
    wait_for_attach();
  }
  // A gateway has come and asked to attach; what it says next is in replica.received.
  void wait_for_attach() {
    ASSERT_TRUE(run_until([&] { return heard<door::Attach>() > 0; }));
    gateway = replica.received.back().first;
    EXPECT_EQ(all<door::Attach>().back().incarnation, Incarnation(5));
    replica.forget();
  }
  void stand(BatchNumber cursor, BatchNumber newest = BatchNumber(0), Generation generation = Generation(1),
             Fence fence = Fence(3)) {
    server->send(gateway, door::Standing{.link = outgoing,
                                         .direction = LinkDirection::outbound,
                                         .generation = generation,
                                         .oldest_readable = BatchNumber(1),
                                         .batch = newest,
                                         .message = MessageNumber(newest.value * 10)});
    server->send(gateway, door::Standing{.link = incoming,
                                         .direction = LinkDirection::inbound,
                                         .generation = generation,
                                         .batch = cursor,
                                         .message = MessageNumber(cursor.value * 10)});
    server->send(gateway, door::Attached{.standings = 2, .fence = fence});
  }
  void start_ready() {
    ASSERT_NO_FATAL_FAILURE(start());
    stand(BatchNumber(0));
    ASSERT_TRUE(run_until([&] { return attachment->is_ready(); }));
  }
  void restart_replica() {
    server.reset();
    ASSERT_TRUE(run_until([&] { return !attachment->status().attached; }));
    replica.forget();
    open_server();
    wait_for_attach();
  }
  template <class M>
  std::vector<M> all() const {
    std::vector<M> found;
    for (const auto& [from, message] : replica.received) {
      if (const auto* const one = std::get_if<M>(&message)) {
        found.push_back(*one);
      }
    }
    return found;
  }
  template <class M>
  std::size_t heard() const {
    return all<M>().size();
  }
  void send_batch(std::uint32_t serial, std::uint64_t batch) {
    const PayloadRef payload = door::stored(server_pool, "batch " + std::to_string(batch));
    ASSERT_TRUE(server->send(gateway, door::Batch{.link = outgoing,
                                                  .serial = serial,
                                                  .generation = Generation(1),
                                                  .range = {BatchNumber(batch), MessageNumber(batch), 1},
                                                  .payload = payload}));
    server_pool.release(payload);
  }
  // The number of the next batch that the tap yields; its slot is given back.
  std::uint64_t tapped() {
    std::optional<StoredBatch> batch;
    if (!run_until([&] { return (batch = attachment->tap_next(outgoing)).has_value(); })) {
      return 0;
    }
    EXPECT_EQ(door::text_of(client_pool, batch->payload),
              "batch " + std::to_string(batch->header.batch.value));
    client_pool.release(batch->payload);
    return batch->header.batch.value;
  }
  // The payload is the test's, as it is the core's.
  Apply order(std::uint64_t batch) {
    Apply order{};
    order.context = {incoming, Generation(1), Epoch(1), Epoch(2)};
    order.fence = Fence(3);
    order.header = {BatchNumber(batch), MessageNumber(batch * 10), 10};
    order.payload = door::stored(client_pool, "order " + std::to_string(batch));
    return order;
  }
  std::vector<std::uint64_t> applies() const {
    std::vector<std::uint64_t> batches;
    for (const door::Apply& apply : all<door::Apply>()) {
      batches.push_back(apply.range.batch.value);
    }
    return batches;
  }
  void send_applied(std::uint64_t cursor, Generation generation = Generation(1)) {
    server->send(gateway, door::Applied{.link = incoming,
                                        .generation = generation,
                                        .cursor = BatchNumber(cursor),
                                        .cursor_message = MessageNumber(cursor * 10 + 9)});
  }
  std::optional<Applied> polled() {
    std::optional<Applied> applied;
    EXPECT_TRUE(run_until([&] { return (applied = attachment->poll()).has_value(); }));
    return applied;
  }

  BuiltInSettings built_in;
  std::unique_ptr<BuiltInAttachment> attachment;
  door::DoorConnection gateway;
  std::vector<std::string> failures;
  std::vector<FenceNews> news;
};

}  // namespace mallard::bridge::built_in
