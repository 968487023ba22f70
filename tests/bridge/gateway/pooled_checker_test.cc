#include "bridge/gateway/pooled_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

#include "bridge/core/check_table.h"
#include "tests/crypto/certificate_stage.h"

namespace mallard::bridge {
namespace {

using crypto::BatchRange;
using crypto::Claim;
using crypto::Digest;
using crypto::Forgery;

constexpr LinkIndex guarded{2};
constexpr LinkIndex open_link{5};

// A checker with a link that demands certificates and one that does not, and the payloads of its orders.
class CheckerStage {
 public:
  CheckerStage()
      : source(Prng(77)),
        payloads(PayloadPool::slot_bytes_max),
        checker({{.link = open_link, .demand = std::nullopt},
                 {.link = guarded,
                  .demand = CertificatePolicy::Demand{.link = source.context().link,
                                                      .destination_epoch = source.context().destination_epoch,
                                                      .roster = source.roster()}}},
                2, payloads,
                {.wake = [this] { ring(); },
                 .on_conflict = [this](const CertificateConflict& c) { conflicts.push_back(c); }}) {}

  // Returns the check's number.
  std::uint32_t order(LinkIndex link, const Claim& claim) {
    const auto payload = payloads.allocate(claim.messages.size() + claim.proof.size());
    EXPECT_TRUE(payload.has_value());
    const ByteSpan bytes = payloads.span(*payload);
    std::ranges::copy(claim.messages, bytes.begin());
    std::ranges::copy(claim.proof, bytes.last(claim.proof.size()).begin());
    checker.check(
        {.link = link,
         .check = ++checks_,
         .header = {.batch = claim.range.batch, .first = claim.range.first, .count = claim.range.count},
         .payload = *payload,
         .proof_bytes = static_cast<std::uint16_t>(claim.proof.size())});
    owned_[{link, checks_}] = *payload;
    return checks_;
  }

  // The next answer; fails the test when none comes for half a minute.
  CertificateChecked answer() {
    for (;;) {
      if (const auto answer = checker.poll()) {
        const auto owned = owned_.find({answer->link, answer->check});
        EXPECT_NE(owned, owned_.end()) << "an answer to no order, or a second one";
        if (owned != owned_.end()) {
          payloads.release(owned->second);
          owned_.erase(owned);
        }
        return *answer;
      }
      std::unique_lock lock(mutex_);
      const bool rang = rung_.wait_for(lock, std::chrono::seconds(30), [this] { return has_rung_; });
      has_rung_ = false;
      if (!rang) {
        ADD_FAILURE() << "no answer";
        return {};
      }
    }
  }
  bool verdict_on(LinkIndex link, const Claim& claim) {
    const std::uint32_t check = order(link, claim);
    const CertificateChecked checked = answer();
    EXPECT_EQ(checked.link, link);
    EXPECT_EQ(checked.check, check);
    return checked.valid;
  }
  // What the source decided as batch `number`.
  Claim decide(std::uint64_t number, const Digest& previous) {
    return source.decide({.batch = BatchNumber(number), .first = MessageNumber(10 * number), .count = 10},
                         previous);
  }

  crypto::CertificateStage source;
  PayloadPool payloads;
  std::vector<CertificateConflict> conflicts;

 private:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      has_rung_ = true;
    }
    rung_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable rung_;
  bool has_rung_ = false;
  std::uint32_t checks_ = 0;
  std::map<std::pair<LinkIndex, std::uint32_t>, PayloadRef> owned_;

 public:
  PooledChecker checker;
};

Digest some_digest(std::uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

TEST(PooledChecker, accepts_what_the_source_signed_and_nothing_else) {
  CheckerStage stage;
  EXPECT_TRUE(stage.verdict_on(guarded, stage.source.honest()));
  for (std::size_t i = 0; i < crypto::forgeries; ++i) {
    const auto forgery = static_cast<Forgery>(i);
    EXPECT_FALSE(stage.verdict_on(guarded, stage.source.forge(forgery))) << forgery_name(forgery);
  }
  std::uint64_t refused = 0;
  for (const std::uint64_t count : stage.checker.counters().refused) {
    refused += count;
  }
  EXPECT_EQ(refused, crypto::forgeries);
  EXPECT_EQ(stage.checker.counters().accepted, 1U);
  EXPECT_EQ(stage.checker.counters().conflicts, 0U);
}

TEST(PooledChecker, demands_nothing_where_nobody_lies) {
  CheckerStage stage;
  Claim claim = stage.source.honest();
  claim.proof.clear();
  EXPECT_TRUE(stage.verdict_on(open_link, claim));
  EXPECT_FALSE(stage.verdict_on(guarded, claim)) << "a batch without a proof";
  EXPECT_EQ(stage.checker.counters().accepted, 0U) << "which counts certificates";
}

TEST(PooledChecker, accepts_nothing_on_a_link_that_it_does_not_know) {
  CheckerStage stage;
  EXPECT_FALSE(stage.verdict_on(LinkIndex(9), stage.source.honest()));
  EXPECT_EQ(stage.checker.counters().unknown_link, 1U);
}

TEST(PooledChecker, refuses_a_payload_that_is_all_proof) {
  CheckerStage stage;
  Claim claim = stage.source.honest();
  claim.messages.clear();
  EXPECT_FALSE(stage.verdict_on(guarded, claim));
}

TEST(PooledChecker, has_room_for_every_check_that_the_core_can_open) {
  CheckerStage stage;
  std::map<std::uint32_t, bool> wanted;
  for (std::uint64_t i = 0; i < CheckTable::checks_max; ++i) {
    const bool good = i % 2 == 0;
    const Claim claim =
        good ? stage.decide(1000 + 2 * i, some_digest(1)) : stage.source.forge(Forgery::over_other_payload);
    wanted[stage.order(guarded, claim)] = good;
  }
  const std::uint32_t one_more = stage.order(guarded, stage.decide(5, some_digest(1)));
  wanted[one_more] = false;
  while (!wanted.empty()) {
    const CertificateChecked answer = stage.answer();
    const auto expected = wanted.find(answer.check);
    ASSERT_NE(expected, wanted.end());
    EXPECT_EQ(answer.valid, expected->second) << answer.check;
    wanted.erase(expected);
  }
  EXPECT_EQ(stage.checker.counters().no_room, 1U) << "of the one more";
}

TEST(PooledChecker, notices_two_truths_about_one_batch) {
  CheckerStage stage;
  const Claim first = stage.decide(5, some_digest(1));
  const Claim second = stage.decide(5, some_digest(1));
  EXPECT_TRUE(stage.verdict_on(guarded, first));
  EXPECT_TRUE(stage.verdict_on(guarded, first)) << "the same once more is no conflict";
  EXPECT_TRUE(stage.conflicts.empty());
  EXPECT_FALSE(stage.verdict_on(guarded, second)) << "never \"last wins\"";
  ASSERT_EQ(stage.conflicts.size(), 1U);
  EXPECT_EQ(stage.conflicts[0].first.payload, crypto::payload_digest(first.messages));
  EXPECT_EQ(stage.conflicts[0].second.payload, crypto::payload_digest(second.messages));
  EXPECT_TRUE(stage.verdict_on(guarded, first)) << "what was found first stays";
}

TEST(PooledChecker, notices_a_chain_that_forks) {
  CheckerStage stage;
  const Claim fifth = stage.decide(5, some_digest(1));
  const Digest root_of_fifth = stage.source.check(fifth)->root();
  EXPECT_TRUE(stage.verdict_on(guarded, fifth));
  EXPECT_FALSE(stage.verdict_on(guarded, stage.decide(6, some_digest(2)))) << "a successor of another fifth";
  EXPECT_TRUE(stage.verdict_on(guarded, stage.decide(6, root_of_fifth)));
  EXPECT_FALSE(stage.verdict_on(guarded, stage.decide(4, some_digest(3)))) << "not what the fifth came after";
  EXPECT_EQ(stage.conflicts.size(), 2U);
}

TEST(PooledChecker, remembers_new_batches_at_the_cost_of_old_ones) {
  CheckerStage stage;
  const std::uint64_t later = 5 + PooledChecker::facts_kept;
  EXPECT_TRUE(stage.verdict_on(guarded, stage.decide(5, some_digest(1))));
  EXPECT_TRUE(stage.verdict_on(guarded, stage.decide(later, some_digest(1))));
  EXPECT_TRUE(stage.verdict_on(guarded, stage.decide(5, some_digest(2))));
  EXPECT_FALSE(stage.verdict_on(guarded, stage.decide(later, some_digest(2))));
}

}  // namespace
}  // namespace mallard::bridge
