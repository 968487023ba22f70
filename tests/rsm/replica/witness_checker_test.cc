#include "tests/rsm/replica/witness_checker.h"

#include <gtest/gtest.h>

#include "config/base/prng.h"
#include "rsm/machine/kv_reply.h"
#include "tests/rsm/replica/commands.h"

namespace mallard::rsm {
namespace {

constexpr auto ok = static_cast<std::uint8_t>(KvStatus::ok);

Instant at(std::uint64_t ns) { return {static_cast<std::int64_t>(ns)}; }

std::string word(std::uint64_t number) {
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<char>((number >> (8 * i)) & 0xffU);
  }
  return out;
}

// A history that is right: calls one after the other, on one counter and one value that changes each time.
// Call number i has index i if it is a write.
struct RightHistory {
  RightHistory(std::uint64_t seed, std::size_t count) {
    Prng prng(seed);
    std::string value;
    std::uint64_t newest = 0;
    for (std::uint64_t i = 1; i <= count; ++i) {
      std::vector<std::byte> command;
      KvReplyCopy reply{ok, i, ""};
      switch (prng.below(3)) {
        case 0:
          command = increment("sum", i);
          sum += i;
          reply.body = word(sum);
          break;
        case 1:
          value = "v" + std::to_string(i);
          command = put("key", value);
          break;
        default:
          command = get("key");
          reply.body = value;
          reply.status = value.empty() ? static_cast<std::uint8_t>(KvStatus::not_found) : ok;
          reply.index = newest;
          break;
      }
      const std::size_t call = checker.invoke(command, at(i * 10));
      if (reply.index == i) {
        checker.executed(i, command);
        newest = i;
      }
      checker.returned(call, reply, at(i * 10 + 5));
    }
  }

  // A call from this one on that is a write.
  std::size_t write_from(std::size_t call) {
    while (checker.calls()[call].reply.index != call + 1) {
      ++call;
    }
    return call;
  }

  WitnessChecker checker;
  std::uint64_t sum = 0;
};

TEST(WitnessChecker, FindsNothingWrongWithWhatIsRight) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const RightHistory history(seed, 60);
    EXPECT_EQ(history.checker.verdict(), "");
    EXPECT_EQ(history.checker.judged(), 60U);
  }
}

TEST(WitnessChecker, FindsAStaleRead) {
  WitnessChecker checker;
  for (std::uint64_t i = 1; i <= 2; ++i) {
    const auto command = put("key", std::to_string(i));
    checker.returned(checker.invoke(command, at(i * 10)), {ok, i, ""}, at(i * 10 + 1));
    checker.executed(i, command);
  }
  const std::size_t read = checker.invoke(get("key"), at(30));
  checker.returned(read, {ok, 2, "2"}, at(31));
  EXPECT_EQ(checker.verdict(), "");
  checker.returned(read, {ok, 2, "1"}, at(31));
  EXPECT_NE(checker.verdict(), "") << "it is not what was there";
  checker.returned(read, {ok, 1, "1"}, at(31));
  EXPECT_NE(checker.verdict(), "") << "it was there, but no longer";
}

// 1,000 right histories, each made wrong in one place; every one must be found.
TEST(WitnessChecker, FindsEveryMutationOfAHistory) {
  for (std::uint64_t seed = 1; seed <= 250; ++seed) {
    Prng prng(seed);
    const std::size_t victim = 1 + prng.below(40);
    RightHistory reordered(seed, 60);  // a write claims the index of a call that had returned before
    const std::size_t write = reordered.write_from(victim);
    reordered.checker.calls()[write].reply.index = reordered.checker.calls()[write - 1].reply.index;
    EXPECT_NE(reordered.checker.verdict(), "") << seed;

    RightHistory lost(seed, 60);  // a command that was answered is not in the log
    lost.checker.log().erase(write + 1);
    EXPECT_NE(lost.checker.verdict(), "") << seed;

    RightHistory twice(seed, 60);  // executed twice, and somebody saw it once
    twice.checker.executed(61, increment("sum", 1));
    twice.checker.executed(62, increment("sum", 0));
    const std::size_t call = twice.checker.invoke(increment("sum", 0), at(10'000));
    twice.checker.returned(call, {ok, 62, word(twice.sum)}, at(10'001));
    EXPECT_NE(twice.checker.verdict(), "") << seed;

    RightHistory changed(seed, 60);
    changed.checker.calls()[victim].reply.body += "x";
    EXPECT_NE(changed.checker.verdict(), "") << seed;
  }
}

TEST(WitnessChecker, FindsReplicasThatDisagree) {
  RightHistory history(1, 5);
  history.checker.executed(history.checker.log().begin()->first, put("other", "command"));
  EXPECT_NE(history.checker.verdict(), "");
}

TEST(WitnessChecker, ARepetitionInASessionCountsOnce) {
  WitnessChecker checker;
  const auto command = increment("sum", 5, SessionTag{1, 1, 0});
  checker.executed(2, command);
  checker.executed(4, command);
  checker.executed(5, increment("sum", 1));
  checker.returned(checker.invoke(command, at(1)), {ok, 2, word(5)}, at(9));
  checker.returned(checker.invoke(increment("sum", 1), at(10)), {ok, 5, word(6)}, at(11));
  EXPECT_EQ(checker.verdict(), "");
}

}  // namespace
}  // namespace mallard::rsm
