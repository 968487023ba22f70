// Whole clusters under random schedules, judged by what was decided (certify_world.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "rsm/core/certify/certify_core.h"
#include "tests/rsm/core/certify/certify_world.h"

namespace mallard::rsm::certify {
namespace {

struct Totals {
  std::uint64_t crashes = 0;
  std::uint64_t installs = 0;
  std::uint64_t contradictions = 0;
  std::uint64_t refused = 0;
  std::uint64_t asks = 0;
};

void add(Totals& totals, const CertifyWorld& world, const WorldOptions& options) {
  totals.crashes += world.crashes();
  totals.installs += world.installs();
  totals.contradictions += world.contradictions();
  for (std::size_t i = 0; i < options.weights.size(); ++i) {
    if (((options.liars >> i) & 1U) != 0) continue;
    totals.refused += world.counters(i).shares_refused;
    totals.asks += world.counters(i).asks_sent;
  }
}

// A cluster, with as many liars as it stands.
WorldOptions draw(std::uint64_t seed) {
  Prng prng(seed);
  WorldOptions options{.seed = seed};
  switch (prng.below(5)) {
    case 0:  // nobody lies: two of three
      options = {.seed = seed, .weights = {1, 1, 1}, .u = 1, .r = 0};
      break;
    case 1:
      options = {.seed = seed, .weights = {1, 1, 1, 1}, .u = 1, .r = 1};
      options.liars = ReplicaSet{1} << prng.below(4);
      break;
    case 2:
      options = {.seed = seed, .weights = {1, 1, 1, 1, 1, 1, 1}, .u = 2, .r = 2};
      options.liars = 0b0100010;
      break;
    case 3:  // a heavy one that is correct, and light liars
      options = {.seed = seed, .weights = {5, 1, 1, 2, 2}, .u = 3, .r = 2};
      options.liars = prng.below(2) == 0 ? 0b00110 : 0b01000;
      break;
    default:  // a heavy liar
      options = {.seed = seed, .weights = {4, 2, 2, 2, 3}, .u = 4, .r = 4};
      options.liars = 0b00001;
      break;
  }
  options.loss = prng.below(3) == 0 ? 0 : prng.below(300'000);
  options.doubled = prng.below(200'000);
  options.delay_max = Duration::microseconds(static_cast<std::int64_t>(prng.between(100, 40'000)));
  options.crashes = prng.below(3) == 0 ? 0 : prng.below(10'000);
  return options;
}

TEST(CertifyModel, EveryCorrectReplicaGetsEveryCertificateAndNoOther) {
  Totals totals;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const WorldOptions options = draw(seed);
    CertifyWorld world(options);
    ASSERT_TRUE(world.run());
    add(totals, world, options);
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  // Else nothing was tried.
  EXPECT_GT(totals.crashes, 300U);
  EXPECT_GT(totals.installs, 20U);
  EXPECT_GT(totals.contradictions, 300U);
  EXPECT_GT(totals.refused, 100U);
  EXPECT_GT(totals.asks, 300U);
}

TEST(CertifyModel, ALostMarkCostsNothingButOneVoice) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    CertifyWorld world({.seed = seed, .loss = 50'000, .crashes = 5'000, .loses_a_mark = true});
    ASSERT_TRUE(world.run());
  }
}

// Nothing is lost and nobody lies: each share travels once, each replica checks what it must, nobody asks.
TEST(CertifyModel, WhereAllGoesWellNothingIsDoneTwice) {
  const WorldOptions options{
      .seed = 3, .weights = {1, 1, 1, 1, 1, 1, 1}, .u = 2, .r = 2, .delay_max = Duration::milliseconds(1)};
  CertifyWorld world(options);
  ASSERT_TRUE(world.run());
  for (std::size_t i = 0; i < options.weights.size(); ++i) {
    const CertifyCounters& counters = world.counters(i);
    EXPECT_LE(counters.batches_signed, CertifyWorld::batches);
    EXPECT_GT(counters.batches_signed, CertifyWorld::released_max) << "the others may be released before";
    EXPECT_LE(counters.shares_sent, counters.batches_signed);
    EXPECT_EQ(counters.asks_sent, 0U);
    EXPECT_EQ(counters.shares_answered + counters.shares_repeated, 0U);
    EXPECT_LE(counters.shares_checked, 2 * CertifyWorld::batches);
    EXPECT_LT(counters.marks_ordered, CertifyWorld::batches) << "one mark for all that came meanwhile";
  }
}

// One replica whose log goes back and on in another way, again and again: it never signs two roots for one
// batch, whatever of its marks survived, as long as none is lost that was said to be durable.
TEST(CertifyModel, NoLogMakesAReplicaSignTwice) {
  std::uint64_t halts = 0;
  std::uint64_t signed_ones = 0;
  const SigningCluster cluster(std::vector<Weight>{1, 1, 1, 1}, 1, 1);
  const auto effects = std::make_unique<Effects>();
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Prng prng(seed);
    std::map<std::uint64_t, crypto::Digest> signed_roots;
    Mark durable;
    for (std::uint64_t life = 1; life <= 6; ++life) {
      const std::uint64_t fork = prng.below(3);
      DecidedChain chain(SigningCluster::link(), fork, BatchNumber(prng.between(1, 30)));
      const LinkSettings link{.link = LinkIndex(0), .mark = durable};
      CertifyCore core(
          {.roster = cluster.roster(), .self = ReplicaIndex(0), .links = {link}, .window_batches = 64});
      std::vector<Mark> under_way;
      const auto look = [&] {
        for (const Effect& effect : *effects) {
          if (const auto* mark = std::get_if<PersistMark>(&effect)) under_way.push_back(mark->mark);
          halts += std::holds_alternative<LinkHalted>(effect) ? 1U : 0U;
          const auto* sign = std::get_if<Sign>(&effect);
          if (sign == nullptr) continue;
          ++signed_ones;
          const auto root = crypto::root_of(core.statement(sign->link, sign->batch).fact);
          ASSERT_EQ(signed_roots.emplace(sign->batch.value, root).first->second, root);
        }
      };
      const auto step = [&](const Event& event) {
        effects->clear();
        core.step(event, Instant{1}, *effects);
        look();
      };
      const BatchNumber after(prng.below(20));
      step(LinkStarted{SigningCluster::link(), destination_epoch, after, chain.root(after)});
      const std::uint64_t steps = prng.below(60);
      for (std::uint64_t i = 0; i < steps && core.accepts_batch(LinkIndex(0)); ++i) {
        if (prng.below(2) == 0) {
          step(chain.durable(core.link(LinkIndex(0)).newest().next()));
        } else if (!under_way.empty()) {
          durable = under_way.back();
          under_way.pop_back();
          step(MarkPersisted{LinkIndex(0)});
        }
      }
      if (!under_way.empty() && prng.below(2) == 0) durable = under_way.back();
    }
  }
  EXPECT_GT(halts, 100U);
  EXPECT_GT(signed_ones, 5'000U);
}

}  // namespace
}  // namespace mallard::rsm::certify
