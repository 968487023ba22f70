#include "config/contract/protocol_core.h"

#include <gtest/gtest.h>

#include "config/base/fixed_vector.h"

namespace mallard {
namespace {

// Rings once, `delay` after it was wound.
class AlarmClock {
 public:
  struct Wound {
    Duration delay;
  };
  struct Ring {};
  using Event = Wound;
  using Effects = FixedVector<Ring, 1>;
  static constexpr std::size_t effects_per_step_max = 1;

  void step(const Event& event, Instant now, Effects& /*effects*/) noexcept { rings_at_ = now + event.delay; }
  void on_deadline(Instant now, Effects& effects) noexcept {
    if (now >= rings_at_) {
      effects.push_back(Ring{});
      rings_at_ = Instant::never();
    }
  }
  [[nodiscard]] Instant next_deadline() const noexcept { return rings_at_; }

 private:
  Instant rings_at_ = Instant::never();
};

class ThrowingClock : public AlarmClock {
 public:
  void step(const Event& event, Instant now, Effects& effects) { AlarmClock::step(event, now, effects); }
};

struct ClockThatForgetsDeadlines {
  using Event = int;
  using Effects = FixedVector<int, 1>;
  [[maybe_unused]] static constexpr std::size_t effects_per_step_max = 1;
  [[maybe_unused]] void step(const Event& /*event*/, Instant /*now*/, Effects& /*effects*/) noexcept {}
};

static_assert(ProtocolCore<AlarmClock>);
static_assert(!ProtocolCore<ThrowingClock>, "a core never throws");
static_assert(!ProtocolCore<ClockThatForgetsDeadlines>);
static_assert(!ProtocolCore<int>);

TEST(ProtocolCore, a_core_is_driven_by_events_and_deadlines) {
  AlarmClock clock;
  AlarmClock::Effects effects;
  EXPECT_EQ(clock.next_deadline(), Instant::never());
  clock.step({Duration::seconds(1)}, Instant{5}, effects);
  EXPECT_EQ(clock.next_deadline(), Instant{5} + Duration::seconds(1));
  clock.on_deadline(Instant{6}, effects);
  EXPECT_TRUE(effects.empty());
  clock.on_deadline(clock.next_deadline(), effects);
  EXPECT_EQ(effects.size(), 1U);
  EXPECT_EQ(clock.next_deadline(), Instant::never());
}

}  // namespace
}  // namespace mallard
