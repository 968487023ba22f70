// What a peer with a good key can do wrong, and what a slow process does to its peers.
#include "transport/channel/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/alloc_guard.h"
#include "tests/transport/channel/channel_fixture.h"
#include "tests/transport/channel/raw_peer.h"
#include "transport/channel/frame_header.h"
#include "transport/channel/loop_clock.h"

namespace mallard::transport {
namespace {

using testing::HasSubstr;

class SessionTest : public ChannelTest {
 protected:
  // `listener_` has a channel to a RawPeer that plays `dialer_`.
  void meet_raw_peer() {
    listener_.settings.peers = {dialer_.identity()};
    listener_.open();
    Hello hello;
    hello.from = dialer_.settings.self;
    hello.incarnation = Incarnation(1);
    hello.configuration = listener_.settings.configuration;
    raw_ = std::make_unique<RawPeer>(listener_.port, dialer_.key, listener_.identity(), hello);
    ASSERT_TRUE(run_until([&] { return raw_->advance() && !listener_.observer.ups.empty(); }));
  }
  void expect_closed_for(CloseReason reason) {
    ASSERT_TRUE(run_until([&] { return !listener_.observer.downs.empty(); }));
    EXPECT_EQ(listener_.observer.downs[0], std::pair(dialer_.settings.self, reason));
    EXPECT_EQ(listener_.channels->counters(0).channels_closed[static_cast<std::size_t>(reason)], 1U);
    EXPECT_FALSE(listener_.channels->status(0).last_error.empty());
    EXPECT_EQ(listener_.pool.free_bytes(), listener_.pool.capacity());
    EXPECT_TRUE(run_until([&] { return raw_->look() != TlsStream::Progress::wants_read; }));
  }
  static std::vector<std::byte> raw_frame(std::uint32_t total, std::uint16_t head, std::size_t bytes_after) {
    std::vector<std::byte> bytes(frame_header_bytes + bytes_after);
    ByteWriter writer(bytes);
    writer.write(total);
    writer.write(head);
    return bytes;
  }

  std::unique_ptr<RawPeer> raw_;
};

TEST_F(SessionTest, takes_good_frames_from_any_writer) {
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  raw_->say(raw_frame(6 + 3 + 20, 3, 23));
  ASSERT_TRUE(run_until([&] { return listener_.observer.frames == 1; }));
  EXPECT_EQ(listener_.observer.received[0].body.size(), 20U);
}

TEST_F(SessionTest, closes_on_a_malformed_frame) {
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  raw_->say(raw_frame(5, 3, 10));
  expect_closed_for(CloseReason::malformed_frame);
}

TEST_F(SessionTest, closes_on_an_oversized_frame_without_a_slot_for_it) {
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  raw_->say(raw_frame(static_cast<std::uint32_t>(6 + 1 + frame_body_bytes_max + 1), 1, 10));
  expect_closed_for(CloseReason::oversized_frame);
}

TEST_F(SessionTest, frames_before_a_fault_still_count) {
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  auto bytes = raw_frame(6 + 3, 3, 3);
  const auto fault = raw_frame(0, 0, 0);
  bytes.insert(bytes.end(), fault.begin(), fault.end());
  raw_->say(bytes);
  expect_closed_for(CloseReason::malformed_frame);
  EXPECT_EQ(listener_.observer.order, "ufd");
}

TEST_F(SessionTest, closes_on_a_frame_that_does_not_go_on) {
  listener_.settings.limits.frame_deadline = Duration::milliseconds(200);
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  raw_->say(raw_frame(6 + 3 + 100'000, 3, 50'000));
  expect_closed_for(CloseReason::frame_deadline);
}

TEST_F(SessionTest, closes_on_a_frame_that_trickles) {
  listener_.settings.limits.frame_deadline = Duration::milliseconds(300);
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  raw_->say(raw_frame(6 + 3 + 100'000, 3, 0));
  Instant last = loop_now();
  ASSERT_TRUE(run_until([&] {
    if (loop_now() - last > Duration::milliseconds(20)) {
      last = loop_now();
      raw_->say(std::vector<std::byte>(1));
    }
    return !listener_.observer.downs.empty();
  }));
  expect_closed_for(CloseReason::frame_deadline);
}

TEST_F(SessionTest, an_idle_peer_is_left_alone) {
  listener_.settings.limits.frame_deadline = Duration::milliseconds(50);
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  raw_->say(raw_frame(6 + 3, 3, 3));
  run_for(std::chrono::milliseconds(400));
  EXPECT_EQ(listener_.observer.order, "uf");
}

TEST_F(SessionTest, closes_on_a_peer_that_does_not_read) {
  listener_.settings.limits.write_deadline = Duration::milliseconds(300);
  listener_.settings.limits.data.body_bytes = 64U << 20;
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  const PayloadRef body = listener_.body(1U << 20);
  std::size_t refused = 0;
  ASSERT_TRUE(run_until([&] {
    refused += listener_.channels->send(dialer_.settings.self, bytes_of(10, 1), body, Lane::data) ? 0U : 1U;
    return !listener_.observer.downs.empty();
  }));
  listener_.pool.release(body);
  expect_closed_for(CloseReason::write_deadline);
  EXPECT_GT(refused, 0U) << "the lane was full before the deadline came";
  EXPECT_GT(listener_.channels->counters(0).frames_dropped, 0U);
}

TEST_F(SessionTest, closes_on_too_many_key_updates) {
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  const auto frame = raw_frame(6 + 3, 3, 3);
  for (int i = 0; i < 8; ++i) {
    raw_->stream().update_key();
    raw_->say(frame);
  }
  ASSERT_TRUE(run_until([&] { return listener_.observer.frames == 8; }));
  EXPECT_TRUE(listener_.observer.downs.empty());
  raw_->stream().update_key();
  raw_->say(frame);
  expect_closed_for(CloseReason::too_many_key_updates);
}

TEST_F(SessionTest, closes_on_a_row_of_key_updates_without_data) {
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  ASSERT_TRUE(run_until([&] {
    raw_->stream().update_key();
    static_cast<void>(raw_->stream().handshake(SIZE_MAX));
    return !listener_.observer.downs.empty();
  }));
  EXPECT_EQ(listener_.observer.downs[0].second, CloseReason::too_many_key_updates);
}

TEST_F(SessionTest, tells_a_hang_up_from_a_broken_connection) {
  ASSERT_NO_FATAL_FAILURE(meet_raw_peer());
  raw_->say(raw_frame(6 + 3 + 100'000, 3, 5000));
  raw_->hang_up();
  ASSERT_TRUE(run_until([&] { return !listener_.observer.downs.empty(); }));
  EXPECT_EQ(listener_.observer.downs[0].second, CloseReason::lost);
  EXPECT_EQ(listener_.pool.free_bytes(), listener_.pool.capacity()) << "half a body is given back";
}

TEST_F(SessionTest, stops_reading_without_slots_and_loses_nothing) {
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  listener_.observer.keep_bodies = true;
  listener_.observer.record = false;
  std::size_t sent = 0;
  ASSERT_TRUE(run_until([&] {
    if (const auto body = dialer_.pool.allocate(900'000)) {
      sent += dialer_.send(listener_.settings.self, bytes_of(4, 1), *body) ? 1U : 0U;
    }
    return listener_.channels->counters(0).reads_held > 0 && sent >= 12;
  }));
  const std::size_t received_before = listener_.observer.frames;
  EXPECT_LT(received_before, sent);
  EXPECT_TRUE(listener_.observer.downs.empty());
  ASSERT_TRUE(run_until([&] {
    listener_.observer.release_kept();
    listener_.channels->resume_reads();
    return listener_.observer.frames == sent;
  }));
  EXPECT_EQ(listener_.observer.order, "u" + std::string(sent, 'f'));
  listener_.observer.release_kept();
}

TEST_F(SessionTest, tries_again_by_itself_when_nobody_says_that_there_are_slots) {
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  std::vector<PayloadRef> taken;
  while (const auto slot = listener_.pool.allocate(1U << 20)) {
    taken.push_back(*slot);
  }
  ASSERT_TRUE(dialer_.send(listener_.settings.self, bytes_of(4, 1), dialer_.body(500'000)));
  ASSERT_TRUE(run_until([&] { return listener_.channels->counters(0).reads_held > 0; }));
  for (const PayloadRef slot : taken) {
    listener_.pool.release(slot);
  }
  EXPECT_TRUE(run_until([&] { return listener_.observer.frames == 1; }));
}

TEST_F(SessionTest, control_overtakes_a_full_data_lane) {
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  listener_.observer.record = false;
  std::size_t data = 0;
  const PayloadRef body = dialer_.body(1U << 20);
  while (dialer_.channels->send(listener_.settings.self, bytes_of(4, 1), body, Lane::data)) {
    ++data;
  }
  EXPECT_GE(data, 15U);
  dialer_.pool.release(body);
  std::size_t data_before_control = SIZE_MAX;
  listener_.observer.record = true;
  listener_.observer.on_received = [&] {
    if (listener_.observer.received.back().body.empty()) {
      data_before_control = std::min(data_before_control, listener_.observer.frames - 1);
    }
  };
  // The first bytes are on their way when the control frame comes.
  dialer_.channels->flush();
  ASSERT_TRUE(dialer_.send(listener_.settings.self, bytes_of(8, 2), {}, Lane::control));
  ASSERT_TRUE(run_until([&] { return listener_.observer.frames == data + 1; }));
  EXPECT_LE(data_before_control, 2U) << "of " << data;
}

TEST_F(SessionTest, allocates_nothing_once_it_runs) {
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  dialer_.observer.record = listener_.observer.record = false;
  listener_.observer.order.reserve(10'000);
  dialer_.observer.order.reserve(10'000);
  const auto head = bytes_of(60, 1);
  const auto exchange = [&](std::size_t rounds) {
    const std::size_t goal = listener_.observer.frames + 2 * rounds;
    for (std::size_t i = 0; i < rounds; ++i) {
      for (const std::size_t size : {std::size_t{100}, std::size_t{150'000}}) {
        const PayloadRef body = dialer_.pool.allocate(size).value();
        ASSERT_TRUE(dialer_.send(listener_.settings.self, head, body));
      }
      ASSERT_TRUE(listener_.send(dialer_.settings.self, head, {}, Lane::control));
      ASSERT_TRUE(run_until([&] { return listener_.observer.frames >= goal - 2 * (rounds - i - 1); }));
    }
  };
  exchange(50);
  const support::AllocGuard guard;
  exchange(200);
  EXPECT_EQ(guard.allocations(), 0U);
}

}  // namespace
}  // namespace mallard::transport
