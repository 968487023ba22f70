#include "crypto/verify_pool.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "tests/crypto/certificate_stage.h"
#include "tests/support/alloc_guard.h"

namespace mallard::crypto {
namespace {

// A flag that a thread waits for.
class Bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      rung_ = true;
    }
    changed_.notify_one();
  }
  // False after half a minute.
  [[nodiscard]] bool wait() {
    std::unique_lock lock(mutex_);
    const bool rang = changed_.wait_for(lock, std::chrono::seconds(30), [this] { return rung_; });
    rung_ = false;
    return rang;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
};

struct Fixture {
  explicit Fixture(std::uint64_t seed) : stage(Prng(seed)), context(stage.context()) {}

  VerifyOrder order(std::uint64_t ticket, const Claim& claim) const {
    return {.ticket = ticket,
            .context = &context,
            .range = claim.range,
            .messages = claim.messages,
            .proof = claim.proof};
  }

  CertificateStage stage;
  CertificateContext context;
  Bell bell;
};

TEST(VerifyPool, says_what_the_checker_says_for_every_order_once) {
  constexpr std::size_t orders = 300;
  Fixture fixture(1);
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < orders; ++i) {
    claims.push_back(i % 3 == 0 ? fixture.stage.honest()
                                : fixture.stage.forge(static_cast<Forgery>(i % forgeries)));
  }
  VerifyPool pool({.orders_max = 64, .threads = 3}, [&] { fixture.bell.ring(); });
  std::vector<int> answers(orders, 0);
  std::size_t submitted = 0;
  std::size_t answered = 0;
  while (answered < orders) {
    while (submitted < orders && pool.submit(fixture.order(submitted, claims[submitted]))) {
      ++submitted;
    }
    auto answer = pool.poll();
    if (!answer) {
      ASSERT_TRUE(fixture.bell.wait());
      continue;
    }
    for (; answer; answer = pool.poll()) {
      const Claim& claim = claims[answer->ticket];
      EXPECT_EQ(++answers[answer->ticket], 1);
      EXPECT_EQ(answer->verdict.has_value(), answer->ticket % 3 == 0);
      if (answer->verdict) {
        EXPECT_EQ(answer->verdict->fact().range, claim.range);
      } else {
        EXPECT_EQ(answer->verdict.error(), fixture.stage.check(claim).error());
      }
      ++answered;
    }
  }
  EXPECT_FALSE(pool.poll().has_value());
}

TEST(VerifyPool, takes_no_more_than_it_has_room_for) {
  Fixture fixture(2);
  const Claim claim = fixture.stage.honest();
  VerifyPool pool({.orders_max = 4, .threads = 1}, [&] { fixture.bell.ring(); });
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(pool.submit(fixture.order(i, claim)));
  }
  EXPECT_FALSE(pool.submit(fixture.order(4, claim))) << "answers that were not taken count, too";
  std::size_t taken = 0;
  while (taken == 0) {
    ASSERT_TRUE(fixture.bell.wait());
    taken += pool.poll().has_value() ? 1U : 0U;
  }
  EXPECT_TRUE(pool.submit(fixture.order(5, claim)));
  EXPECT_FALSE(pool.submit(fixture.order(6, claim)));
}

TEST(VerifyPool, accepts_nothing_without_a_roster) {
  Fixture fixture(3);
  const Claim claim = fixture.stage.honest();
  fixture.context.roster = nullptr;
  VerifyPool pool({.orders_max = 1, .threads = 1}, [&] { fixture.bell.ring(); });
  ASSERT_TRUE(pool.submit(fixture.order(1, claim)));
  ASSERT_TRUE(fixture.bell.wait());
  const auto answer = pool.poll();
  ASSERT_TRUE(answer.has_value());
  ASSERT_FALSE(answer->verdict.has_value());
  EXPECT_EQ(answer->verdict.error(), CertificateRefusal::wrong_roster);
}

// What is pointed to may go as soon as the pool is gone: the address sanitizer would see a late reader.
TEST(VerifyPool, reads_nothing_after_its_end) {
  for (std::uint64_t round = 0; round < 20; ++round) {
    Fixture fixture(4 + round);
    std::vector<Claim> claims;
    for (std::size_t i = 0; i < 16; ++i) {
      claims.push_back(fixture.stage.honest());
    }
    auto pool = std::make_unique<VerifyPool>(VerifyPool::Settings{.orders_max = 16, .threads = 2},
                                             [&] { fixture.bell.ring(); });
    for (std::size_t i = 0; i < claims.size(); ++i) {
      ASSERT_TRUE(pool->submit(fixture.order(i, claims[i])));
    }
    if (round % 2 == 0) {
      ASSERT_TRUE(fixture.bell.wait());
    }
    pool.reset();
  }
}

TEST(VerifyPool, takes_its_memory_at_the_start) {
  Fixture fixture(30);
  const Claim claim = fixture.stage.honest();
  VerifyPool pool({.orders_max = 8, .threads = 1}, [&] { fixture.bell.ring(); });
  const support::AllocGuard guard;
  for (std::uint64_t round = 0; round < 40; ++round) {
    EXPECT_TRUE(pool.submit(fixture.order(round, claim)));
    EXPECT_TRUE(fixture.bell.wait());
    const auto answer = pool.poll();
    EXPECT_TRUE(answer.has_value() && answer->ticket == round && answer->verdict.has_value());
  }
  EXPECT_EQ(guard.allocations(), 0U) << "on this side; what the threads do is checked beside the checker";
}

}  // namespace
}  // namespace mallard::crypto
