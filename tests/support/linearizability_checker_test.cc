#include "tests/support/linearizability_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "config/base/prng.h"

namespace mallard::support {
namespace {

using enum KeyOperation;

// From `from` to `to`; without `to` the outcome is unknown.
struct Span {
  std::int64_t from = 0;
  std::optional<std::int64_t> to;
};

KeyCall call(KeyOperation operation, const Span& span) {
  return {.operation = operation,
          .key = "k",
          .invoked = {span.from},
          .returned = span.to ? Instant{*span.to} : Instant::never()};
}
KeyCall put_of(const std::string& value, const Span& span) {
  KeyCall made = call(put, span);
  made.argument = value;
  return made;
}
KeyCall get_of(const std::string& value, const Span& span) {
  KeyCall made = call(get, span);
  made.found = true;
  made.value = value;
  return made;
}
KeyCall get_of_nothing(const Span& span) { return call(get, span); }
KeyCall erase_of(bool found, const Span& span) {
  KeyCall made = call(erase, span);
  made.found = found;
  return made;
}
KeyCall increment_to(std::uint64_t amount, std::uint64_t sum, const Span& span) {
  KeyCall made = call(increment, span);
  made.amount = amount;
  made.value = number_value(sum);
  return made;
}
Linearity verdict_on(const std::vector<KeyCall>& calls) { return check_linearity(calls).linearity; }

constexpr Linearity good = Linearity::linearizable;
constexpr Linearity bad = Linearity::illegal;

TEST(LinearizabilityChecker, KnowsTheHistoriesOfTheTextbook) {
  EXPECT_EQ(verdict_on({}), good);
  EXPECT_EQ(verdict_on({put_of("1", {0, 10}), get_of("1", {20, 30})}), good);
  EXPECT_EQ(verdict_on({put_of("1", {0, 10}), get_of_nothing({20, 30})}), bad) << "stale read";
  EXPECT_EQ(verdict_on({put_of("1", {0, 10}), put_of("2", {20, 30}), get_of("1", {40, 50})}), bad);
  EXPECT_EQ(verdict_on({put_of("1", {0, 100}), get_of("1", {20, 30})}), good) << "while it was under way";
  EXPECT_EQ(verdict_on({put_of("1", {0, 100}), get_of("1", {20, 30}), get_of_nothing({40, 50})}), bad)
      << "seen, and gone again";
  EXPECT_EQ(verdict_on({put_of("1", {0, 100}), get_of_nothing({20, 30}), get_of("1", {40, 50})}), good);
  EXPECT_EQ(
      verdict_on({put_of("1", {0, 10}), put_of("2", {0, 10}), get_of("1", {20, 30}), get_of("1", {40, 50})}),
      good);
  EXPECT_EQ(
      verdict_on({put_of("1", {0, 10}), put_of("2", {0, 10}), get_of("1", {20, 30}), get_of("2", {40, 50})}),
      bad)
      << "two readers see two orders";
  EXPECT_EQ(verdict_on({get_of("1", {0, 10}), put_of("1", {20, 30})}), bad) << "from the future";
}

TEST(LinearizabilityChecker, AddsUp) {
  EXPECT_EQ(verdict_on({increment_to(1, 1, {0, 10}), increment_to(2, 3, {20, 30})}), good);
  EXPECT_EQ(verdict_on({increment_to(1, 3, {0, 10}), increment_to(2, 2, {0, 10})}), good);
  EXPECT_EQ(verdict_on({increment_to(1, 1, {0, 10}), increment_to(2, 2, {20, 30})}), bad) << "lost";
  EXPECT_EQ(verdict_on({increment_to(1, 1, {0, 10}), increment_to(1, 3, {20, 30})}), bad) << "twice";
  EXPECT_EQ(verdict_on({put_of("text", {0, 10}), increment_to(1, 1, {20, 30})}), bad) << "of no number";
}

TEST(LinearizabilityChecker, KnowsWhatWasErased) {
  EXPECT_EQ(verdict_on({erase_of(false, {0, 10}), put_of("1", {20, 30}), erase_of(true, {40, 50})}), good);
  EXPECT_EQ(verdict_on({put_of("1", {0, 10}), erase_of(false, {20, 30})}), bad);
  EXPECT_EQ(verdict_on({put_of("1", {0, 10}), erase_of(true, {20, 30}), get_of("1", {40, 50})}), bad);
}

TEST(LinearizabilityChecker, AnUnknownOutcomeMayHaveHappenedLateOrNever) {
  EXPECT_EQ(verdict_on({put_of("1", {0, {}}), get_of_nothing({100, 110})}), good) << "never";
  EXPECT_EQ(verdict_on({put_of("1", {0, {}}), get_of_nothing({100, 110}), get_of("1", {200, 210})}), good);
  EXPECT_EQ(verdict_on({put_of("1", {0, {}}), get_of("1", {100, 110}), get_of_nothing({200, 210})}), bad)
      << "not twice, and not undone";
  EXPECT_EQ(verdict_on({put_of("1", {150, {}}), get_of("1", {100, 110})}), bad) << "not before it was asked";
  EXPECT_EQ(verdict_on({increment_to(5, 0, {0, {}}), increment_to(1, 6, {20, 30})}), good);
  EXPECT_EQ(verdict_on({increment_to(5, 0, {0, {}}), increment_to(1, 11, {20, 30})}), bad) << "twice";
  EXPECT_EQ(verdict_on({put_of("1", {0, 10}), erase_of(false, {15, {}}), get_of_nothing({20, 30})}), good);
}

TEST(LinearizabilityChecker, SearchesEachKeyAloneAndNamesIt) {
  std::vector<KeyCall> calls{put_of("1", {0, 10}), get_of("1", {20, 30}), get_of_nothing({20, 30})};
  calls[2].key = "other";
  EXPECT_EQ(verdict_on(calls), good);
  calls[2].found = true;
  calls[2].value = "1";
  const LinearityVerdict verdict = check_linearity(calls);
  EXPECT_EQ(verdict.linearity, bad);
  EXPECT_NE(verdict.what.find("key other: no order explains the get of \"1\""), std::string::npos)
      << verdict.what;
}

// As clients would see a store that is right: each call takes effect at an instant within its time.
std::vector<KeyCall> right_history(std::uint64_t seed, std::size_t clients, std::size_t calls,
                                   std::size_t keys) {
  Prng prng(seed);
  std::vector<std::int64_t> free_at(clients);
  std::vector<std::pair<std::int64_t, KeyCall>> by_effect;
  for (std::size_t i = 0; i < calls; ++i) {
    const std::size_t client = prng.below(clients);
    const auto from = free_at[client] + static_cast<std::int64_t>(prng.below(50));
    const auto effect = from + static_cast<std::int64_t>(prng.below(50));
    const auto to = effect + static_cast<std::int64_t>(prng.below(50));
    free_at[client] = to + 1;
    KeyCall made = call(static_cast<KeyOperation>(prng.below(4)), {from, to});
    const bool is_counter = made.operation == increment || (made.operation != put && prng.below(2) == 0);
    made.key = (is_counter ? "n" : "v") + std::to_string(prng.below(keys));
    made.argument = "value " + std::to_string(i);
    made.amount = i + 1;
    by_effect.emplace_back(effect, made);
  }
  std::ranges::sort(by_effect, {}, [](const auto& one) { return one.first; });
  std::map<std::string, std::string> state;
  std::vector<KeyCall> history;
  for (auto& [effect, made] : by_effect) {
    const auto at = state.find(made.key);
    made.found = at != state.end();
    made.value = made.found ? at->second : "";
    if (made.operation == erase) {
      state.erase(made.key);
    } else if (made.operation == put) {
      state[made.key] = made.argument;
    } else if (made.operation == increment) {
      std::uint64_t sum = made.amount;
      for (std::size_t i = 0; i < made.value.size(); ++i) {
        sum += std::uint64_t{static_cast<unsigned char>(made.value[i])} << (8 * i);
      }
      made.value = state[made.key] = number_value(sum);
    }
    // One in a hundred is never told.
    made.returned = prng.below(100) == 0 ? Instant::never() : made.returned;
    history.push_back(made);
  }
  return history;
}

TEST(LinearizabilityChecker, FindsNothingWrongWithWhatIsRight) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const LinearityVerdict verdict = check_linearity(right_history(seed, 8, 600, 2));
    EXPECT_EQ(verdict.linearity, good) << seed << ": " << verdict.what;
  }
}

// Each value is put once, so a get of what was overwritten before it was asked cannot be explained.
TEST(LinearizabilityChecker, FindsEveryStaleRead) {
  std::size_t planted = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::vector<KeyCall> history = right_history(seed, 4, 300, 1);
    Prng prng(seed);
    KeyCall& victim = history[100 + prng.below(200)];
    const auto is_older = [&](const KeyCall& one) {
      return one.operation == put && one.key == victim.key && one.returned < victim.invoked &&
             std::ranges::any_of(history, [&](const KeyCall& newer) {
               return newer.operation == put && newer.key == victim.key && newer.invoked > one.returned &&
                      newer.returned < victim.invoked;
             });
    };
    const auto older = std::ranges::find_if(history, is_older);
    if (victim.operation != get || victim.returned == Instant::never() || older == history.end()) {
      continue;
    }
    victim.found = true;
    victim.value = older->argument;
    ++planted;
    EXPECT_EQ(verdict_on(history), bad) << seed;
  }
  EXPECT_GT(planted, 20U);
}

TEST(LinearizabilityChecker, SaysWhenItGaveUp) {
  const auto history = right_history(1, 8, 400, 1);
  const LinearityVerdict verdict = check_linearity(history, 20);
  EXPECT_EQ(verdict.linearity, Linearity::gave_up);
  EXPECT_NE(verdict.what.find("gave up after 20 steps"), std::string::npos) << verdict.what;
}

// The twin: every order of every choice of what happened, one after the other.
class Twin {
 public:
  explicit Twin(std::vector<KeyCall> calls) : calls_(std::move(calls)), used_(calls_.size()) {}
  bool is_linearizable() { return go_on({}); }

 private:
  bool go_on(const std::optional<std::string>& state) {
    bool all = true;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      all = all && (used_[i] || calls_[i].returned == Instant::never());
    }
    if (all) {
      return true;
    }
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      auto next = state;
      if (used_[i] || comes_too_early(i) || !run(calls_[i], next)) {
        continue;
      }
      used_[i] = true;
      if (go_on(next)) {
        return true;
      }
      used_[i] = false;
    }
    return false;
  }
  [[nodiscard]] bool comes_too_early(std::size_t call) const {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (!used_[i] && calls_[i].returned < calls_[call].invoked) {
        return true;
      }
    }
    return false;
  }
  static bool run(const KeyCall& one, std::optional<std::string>& state) {
    const bool is_told = one.returned != Instant::never();
    const bool same = state.has_value() == one.found && state.value_or(one.value) == one.value;
    switch (one.operation) {
      case put:
        state = one.argument;
        return true;
      case get:
        return !is_told || same;
      case erase: {
        const bool had = state.has_value();
        state.reset();
        return !is_told || had == one.found;
      }
      case increment: {
        if (state && state->size() != 8) {
          return false;
        }
        const std::uint64_t before = state ? static_cast<unsigned char>(state->front()) : 0;
        state = number_value(before + one.amount);
        return !is_told || *state == one.value;
      }
    }
    return false;
  }

  std::vector<KeyCall> calls_;
  std::vector<bool> used_;
};

TEST(LinearizabilityChecker, AgreesWithItsTwin) {
  std::size_t right = 0;
  std::size_t wrong = 0;
  for (std::uint64_t seed = 1; seed <= 6000; ++seed) {
    Prng prng(seed);
    std::vector<KeyCall> calls;
    const bool counts = prng.below(3) == 0;
    const std::uint64_t count = prng.between(1, 7);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto from = static_cast<std::int64_t>(prng.below(20));
      const auto to = from + static_cast<std::int64_t>(prng.below(12));
      const auto kind = static_cast<KeyOperation>(prng.below(counts ? 4 : 3));
      KeyCall made = call(kind, {from, prng.below(4) == 0 ? std::nullopt : std::optional(to)});
      made.argument = counts && prng.below(4) != 0 ? number_value(prng.below(3)) : "v";
      made.amount = prng.between(1, 2);
      made.found = prng.below(2) == 0;
      made.value = kind == increment || counts ? number_value(prng.below(5)) : "v";
      if (kind != increment && !made.found) {
        made.value.clear();
      }
      calls.push_back(made);
    }
    const bool expected = Twin(calls).is_linearizable();
    ++(expected ? right : wrong);
    ASSERT_EQ(verdict_on(calls), expected ? good : bad) << "seed " << seed;
  }
  EXPECT_GT(right, 1000U);
  EXPECT_GT(wrong, 1000U);
}

}  // namespace
}  // namespace mallard::support
