#include "transport/channel/channel_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/transport/channel/channel_fixture.h"

namespace mallard::transport {
namespace {

using testing::HasSubstr;

class ChannelSetTest : public ChannelTest {
 protected:
  [[nodiscard]] std::string error_of(const Node& node) const {
    return std::string(node.channels->status(0).last_error);
  }
};

TEST_F(ChannelSetTest, carries_frames_both_ways) {
  connect_pair();
  EXPECT_EQ(dialer_.observer.ups[0], std::pair(listener_.settings.self, Incarnation(1)));
  const auto head = bytes_of(60, 3);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{8192}, std::size_t{8193},
        body_piece_bytes, body_piece_bytes + 1, frame_body_bytes_max}) {
    ASSERT_TRUE(dialer_.send(listener_.settings.self, head, dialer_.body(size, 9)));
    ASSERT_TRUE(listener_.send(dialer_.settings.self, head, listener_.body(size, 11), Lane::control));
  }
  ASSERT_TRUE(run_until([&] { return dialer_.observer.frames == 8 && listener_.observer.frames == 8; }));
  for (Node* const node : {&dialer_, &listener_}) {
    std::vector<std::size_t> sizes;
    for (const auto& frame : node->observer.received) {
      EXPECT_EQ(frame.head, head);
      EXPECT_EQ(frame.body, bytes_of(frame.body.size(), node == &dialer_ ? 11 : 9));
      sizes.push_back(frame.body.size());
    }
    std::sort(sizes.begin(), sizes.end());
    EXPECT_EQ(sizes.back(), frame_body_bytes_max);
    EXPECT_EQ(node->pool.free_bytes(), node->pool.capacity());
  }
}

}  // namespace
}  // namespace mallard::transport
