#include "transport/driver/core_driver.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>

#include "config/base/fixed_vector.h"

namespace mallard::transport {
namespace {

// A core that says what it was told: event n orders n effects, each of which says n.
class EchoCore {
 public:
  using Event = int;
  using Effects = FixedVector<int, 4>;
  static constexpr std::size_t effects_per_step_max = 4;

  explicit EchoCore(Instant deadline) : deadline_(deadline) {}
  void step(const Event& event, Instant, Effects& effects) noexcept {
    MALLARD_INVARIANT(effects.empty());
    for (int i = 0; i < event; ++i) {
      effects.push_back(event);
    }
  }
  void on_deadline(Instant now, Effects& effects) noexcept {
    deadline_ = now + Duration::seconds(1);
    effects.push_back(0);
  }
  [[nodiscard]] Instant next_deadline() const noexcept { return deadline_; }

 private:
  Instant deadline_;
};

class ScriptedShell {
 public:
  void carry_out(int effect, Instant now) {
    story += std::to_string(effect) + "@" + std::to_string(now.ns) + " ";
    if (reenter) {
      reenter(now);
    }
  }
  bool next_event(int& event) {
    if (answers.empty()) {
      return false;
    }
    event = answers.front();
    answers.pop_front();
    return true;
  }

  std::string story;
  std::deque<int> answers;
  std::function<void(Instant)> reenter;
};

using EchoDriver = CoreDriver<EchoCore, ScriptedShell>;

TEST(CoreDriver, CarriesEffectsOutInOrderAndThenFeedsAnswersUntilQuiet) {
  ScriptedShell shell;
  EchoDriver driver(shell, Instant::never());
  shell.answers = {1, 3};
  driver.step(2, Instant{7});
  EXPECT_EQ(shell.story, "2@7 2@7 1@7 3@7 3@7 3@7 ");
  EXPECT_TRUE(shell.answers.empty());
}

TEST(CoreDriver, RunsADeadlineOnlyWhenItHasComeAndOnlyOnce) {
  ScriptedShell shell;
  EchoDriver driver(shell, Instant{10});
  EXPECT_FALSE(driver.run_deadline(Instant{9}));
  EXPECT_TRUE(driver.run_deadline(Instant{10}));
  EXPECT_FALSE(driver.run_deadline(Instant{10}));
  EXPECT_EQ(shell.story, "0@10 ");
  EXPECT_EQ(driver.next_deadline(), Instant{10} + Duration::seconds(1));
}

TEST(CoreDriverDeathTest, RefusesAShellThatCallsBack) {
  ScriptedShell shell;
  EchoDriver driver(shell, Instant::never());
  shell.reenter = [&driver](Instant now) { driver.step(1, now); };
  EXPECT_DEATH(driver.step(1, Instant{1}), "running_");
}

TEST(CoreDriverDeathTest, RefusesTimeThatGoesBack) {
  ScriptedShell shell;
  EchoDriver driver(shell, Instant::never());
  driver.step(1, Instant{5});
  EXPECT_DEATH(driver.step(1, Instant{4}), "last_");
}

}  // namespace
}  // namespace mallard::transport
