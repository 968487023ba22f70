#include "transport/channel/redial_pause.h"

#include <gtest/gtest.h>

namespace mallard::transport {
namespace {

TEST(RedialPause, doubles_with_jitter_up_to_its_end_and_starts_again) {
  RedialPause pause({}, Prng(5));
  std::int64_t expected_ms = 50;
  for (int i = 0; i < 20; ++i) {
    const Duration drawn = pause.draw();
    EXPECT_LE(drawn, Duration::milliseconds(expected_ms));
    EXPECT_GE(drawn, Duration::microseconds(expected_ms * 500));
    expected_ms = std::min<std::int64_t>(2 * expected_ms, 2000);
  }
  pause.reset();
  EXPECT_LE(pause.draw(), Duration::milliseconds(50));
}

TEST(RedialPause, differs_between_peers_and_repeats_for_a_seed) {
  const auto fourth = [](std::uint64_t index) {
    RedialPause pause({}, Prng(5).child("redial", index));
    static_cast<void>(pause.draw());
    static_cast<void>(pause.draw());
    static_cast<void>(pause.draw());
    return pause.draw();
  };
  EXPECT_NE(fourth(1), fourth(2));
  EXPECT_EQ(fourth(1), fourth(1));
}

}  // namespace
}  // namespace mallard::transport
