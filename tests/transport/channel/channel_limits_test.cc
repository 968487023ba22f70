#include "transport/channel/channel_limits.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include "tests/transport/channel/channel_fixture.h"

namespace mallard::transport {
namespace {

class ChannelMemory : public ChannelTest {};

TEST_F(ChannelMemory, follows_the_limits) {
  ChannelLimits limits;
  const std::uint64_t none = channel_memory_bytes(limits, 0);
  const std::uint64_t one = channel_memory_bytes(limits, 1) - none;
  EXPECT_EQ(channel_memory_bytes(limits, 7), none + 7 * one);
  limits.data.head_bytes += 1'000'000;
  EXPECT_EQ(channel_memory_bytes(limits, 1), none + one + 1'000'000);
  limits.pending_handshakes = 0;
  EXPECT_LT(channel_memory_bytes(limits, 0), 100'000U);
}

// Under the address sanitizer mallinfo2() says 0, and this test nothing.
TEST_F(ChannelMemory, is_not_less_than_what_a_channel_takes) {
  {
    Node first(address_of(3, 0), io_);
    first.open();  // whatever OpenSSL and Asio allocate once per process
  }
  dialer_.settings.limits.pending_handshakes = listener_.settings.limits.pending_handshakes = 4;
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  dialer_.observer.record = listener_.observer.record = false;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(dialer_.send(listener_.settings.self, bytes_of(50, 1), dialer_.body(20'000)));
    ASSERT_TRUE(listener_.send(dialer_.settings.self, bytes_of(50, 1), listener_.body(20'000)));
    const std::size_t goal = static_cast<std::size_t>(i) + 1;
    ASSERT_TRUE(
        run_until([&] { return dialer_.observer.frames == goal && listener_.observer.frames == goal; }));
  }
  const std::size_t taken = mallinfo2().uordblks + mallinfo2().hblkhd - before;
  const std::uint64_t formula = 2 * channel_memory_bytes(dialer_.settings.limits, 1);
  EXPECT_LE(taken, formula);
  RecordProperty("taken", static_cast<int>(taken));
  RecordProperty("formula", static_cast<int>(formula));
}

}  // namespace
}  // namespace mallard::transport
