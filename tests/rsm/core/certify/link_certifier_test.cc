#include "rsm/core/certify/link_certifier.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <type_traits>
#include <vector>

#include "tests/rsm/core/certify/signing_cluster.h"

namespace mallard::rsm::certify {
namespace {

constexpr ReplicaIndex at(std::uint16_t place) { return ReplicaIndex(place); }
constexpr BatchNumber number(std::uint64_t value) { return BatchNumber(value); }

// Replica 0 of four, of which one may lie: a certificate takes two.
class LinkCertifierTest : public ::testing::Test {
 protected:
  explicit LinkCertifierTest(const LinkSettings& link = {.link = LinkIndex(0)})
      : settings_{.roster = cluster_.roster(), .self = at(0), .links = {link}, .window_batches = 64},
        signers_{cluster_.roster(), at(0)},
        certifier_(settings_, link) {}

  LinkCertifier::Turn turn() {
    effects_.clear();
    return {now_, effects_, signers_};
  }
  template <class Order>
  std::vector<Order> orders() const {
    std::vector<Order> found;
    for (const Effect& effect : effects_) {
      if (const auto* order = std::get_if<Order>(&effect)) found.push_back(*order);
    }
    return found;
  }

  void start(std::uint64_t after = 0) {
    certifier_.start({SigningCluster::link(), destination_epoch, number(after), chain_.root(number(after))},
                     turn());
  }
  void extend(std::uint64_t batch) { certifier_.extend(chain_.durable(number(batch)), turn()); }
  // Everything up to it becomes durable here and is signed, except what the guard keeps back.
  void reach(std::uint64_t batch) {
    for (std::uint64_t next = certifier_.newest().value + 1; next <= batch; ++next) {
      extend(next);
      persist();
    }
  }
  // The mark that was ordered becomes durable, and what is signed then is signed.
  void persist() {
    while (!orders<PersistMark>().empty()) {
      certifier_.mark_persisted(turn());
      std::vector<Sign> signs = orders<Sign>();
      for (const Sign& sign : signs) {
        answer(sign);
      }
    }
  }
  void answer(const Sign& sign) {
    const crypto::CommitStatement statement = certifier_.statement(sign.batch, signers_);
    certifier_.own_signed({sign.link, sign.life, sign.batch, SigningCluster::mark(at(0), statement)}, turn());
  }
  Share share(std::uint16_t by, std::uint64_t batch) {
    return cluster_.share(at(by), chain_.fact(number(batch)));
  }
  void arrive(std::uint16_t from, const Share& share) {
    certifier_.shares_arrived({at(from), certifier_.context(signers_), {&share, 1}}, turn());
  }
  void answer(const CheckShare& check, bool valid) {
    certifier_.share_checked({check.link, check.life, check.batch, check.signer, valid}, turn());
  }
  void want(std::uint16_t from, const BatchSet& batches) {
    certifier_.shares_wanted({at(from), certifier_.context(signers_), batches}, turn());
  }

  SigningCluster cluster_{std::array<Weight, 4>{1, 1, 1, 1}, 1, 1};
  DecidedChain chain_{SigningCluster::link()};
  CertifySettings settings_;
  Signers signers_;
  Effects effects_;
  Instant now_{1'000'000'000};
  LinkCertifier certifier_;
};

TEST_F(LinkCertifierTest, NothingIsSignedBeforeTheMarkThatCoversItIsDurable) {
  start();
  extend(1);
  ASSERT_EQ(orders<PersistMark>().size(), 1U);
  EXPECT_EQ(orders<PersistMark>()[0].mark, (Mark{Generation(1), {}, number(1), chain_.root(number(1))}));
  EXPECT_TRUE(orders<Sign>().empty());
  extend(2);
  extend(3);
  EXPECT_TRUE(effects_.empty());
  certifier_.mark_persisted(turn());
  ASSERT_EQ(orders<Sign>().size(), 1U);
  EXPECT_EQ(orders<Sign>()[0].batch, number(1));
  ASSERT_EQ(orders<PersistMark>().size(), 1U);
  EXPECT_EQ(orders<PersistMark>()[0].mark.batch, number(3)) << "one mark for all that came meanwhile";
  certifier_.mark_persisted(turn());
  EXPECT_EQ(orders<Sign>().size(), 2U);
}

TEST_F(LinkCertifierTest, OwnShareGoesToEveryoneAtOnceWhereNoOtherIsComing) {
  start();
  extend(1);
  extend(2);
  certifier_.mark_persisted(turn());
  const Sign first = orders<Sign>().at(0);
  certifier_.mark_persisted(turn());
  const Sign second = orders<Sign>().at(0);
  answer(first);
  EXPECT_TRUE(orders<SendShares>().empty()) << "it waits for the second";
  EXPECT_EQ(certifier_.next_deadline(), now_ + settings_.gather);
  answer(second);
  ASSERT_EQ(orders<SendShares>().size(), 1U);
  EXPECT_EQ(orders<SendShares>()[0].to, std::nullopt);
  EXPECT_EQ(orders<SendShares>()[0].batches, (BatchSet{number(1), 0b11}));
  EXPECT_EQ(certifier_.own_share(number(2), signers_), share(0, 2));
}

TEST_F(LinkCertifierTest, SharesDoNotWaitLongerThanTheyMay) {
  start();
  extend(1);
  certifier_.mark_persisted(turn());
  const Sign first = orders<Sign>().at(0);
  extend(2);
  certifier_.mark_persisted(turn());
  answer(first);
  now_ = certifier_.next_deadline();
  certifier_.on_deadline(turn());
  ASSERT_EQ(orders<SendShares>().size(), 1U);
  EXPECT_EQ(orders<SendShares>()[0].batches, (BatchSet{number(1), 1}));
}

TEST_F(LinkCertifierTest, TwoReplicasOfFourCertifyAndNoMoreIsChecked) {
  start();
  reach(1);
  arrive(2, share(2, 1));
  ASSERT_EQ(orders<CheckShare>().size(), 1U);
  const CheckShare check = orders<CheckShare>()[0];
  EXPECT_EQ(check.signature, share(2, 1).signature);
  arrive(1, share(1, 1));
  EXPECT_TRUE(effects_.empty()) << "own weight and the one under check are enough";
  EXPECT_FALSE(certifier_.certificate(number(1), signers_));
  answer(check, true);
  ASSERT_EQ(orders<Certified>().size(), 1U);
  EXPECT_EQ(orders<Certified>()[0].through, number(1));
  const auto certificate = certifier_.certificate(number(1), signers_);
  ASSERT_TRUE(certificate);
  ASSERT_EQ(certificate->shares.size(), 2U);
  EXPECT_EQ(certificate->shares[0].signer, at(0));
  EXPECT_EQ(certificate->shares[1], (crypto::SignatureShare{at(2), share(2, 1).signature}));
}

TEST_F(LinkCertifierTest, CertificatesAreToldInOrder) {
  start();
  reach(2);
  arrive(1, share(1, 2));
  answer(orders<CheckShare>().at(0), true);
  EXPECT_TRUE(certifier_.certificate(number(2), signers_));
  EXPECT_TRUE(orders<Certified>().empty());
  arrive(1, share(1, 1));
  answer(orders<CheckShare>().at(0), true);
  ASSERT_EQ(orders<Certified>().size(), 1U);
  EXPECT_EQ(orders<Certified>()[0].through, number(2));
}

TEST_F(LinkCertifierTest, SharesMayComeBeforeTheBatch) {
  start();
  arrive(1, share(1, 1));
  arrive(2, share(2, 1));
  EXPECT_TRUE(effects_.empty());
  extend(1);
  EXPECT_EQ(orders<CheckShare>().size(), 1U) << "the own one comes too";
}

TEST_F(LinkCertifierTest, ABadShareIsReplacedAndItsSenderComesLastFromThenOn) {
  start();
  reach(2);
  Share bad = share(1, 1);
  bad.signature.bytes[40] ^= 1U;
  arrive(1, bad);
  arrive(2, share(2, 1));
  arrive(1, bad);
  EXPECT_EQ(certifier_.counters().shares_repeated, 1U);
  const CheckShare check{LinkIndex(0), 1, number(1), at(1), bad.signature};
  answer(check, false);
  ASSERT_EQ(orders<CheckShare>().size(), 1U);
  EXPECT_EQ(orders<CheckShare>()[0].signer, at(2));
  answer(orders<CheckShare>()[0], true);
  EXPECT_EQ(orders<Certified>().size(), 1U);
  EXPECT_EQ(signers_.suspects, bit_of(at(1)));

  arrive(1, bad);
  EXPECT_TRUE(orders<CheckShare>().empty()) << "its share of that batch was refused";
  EXPECT_EQ(certifier_.counters().shares_refused, 1U);
}

TEST_F(LinkCertifierTest, OneWhoSaysOtherwiseIsEvidenceAndTwoHaltTheLink) {
  DecidedChain other(SigningCluster::link(), 1);
  start();
  const Share early = cluster_.share(at(3), other.fact(number(1)));
  arrive(3, early);
  EXPECT_TRUE(effects_.empty());
  extend(1);
  ASSERT_EQ(orders<Contradicted>().size(), 1U);
  EXPECT_EQ(orders<Contradicted>()[0].by, at(3));
  EXPECT_EQ(orders<Contradicted>()[0].share, early);
  EXPECT_TRUE(orders<LinkHalted>().empty());
  EXPECT_EQ(certifier_.state(), LinkState::certifying);

  arrive(2, cluster_.share(at(2), other.fact(number(1))));
  ASSERT_EQ(orders<LinkHalted>().size(), 1U);
  EXPECT_EQ(orders<LinkHalted>()[0].reason, HaltReason::diverged);
  EXPECT_FALSE(certifier_.accepts_batch());
  arrive(1, share(1, 1));
  EXPECT_TRUE(effects_.empty());
}

TEST_F(LinkCertifierTest, TwoWhoSayDifferentThingsProveNothing) {
  start();
  reach(1);
  DecidedChain other(SigningCluster::link(), 1);
  DecidedChain third(SigningCluster::link(), 2);
  arrive(2, cluster_.share(at(2), other.fact(number(1))));
  arrive(3, cluster_.share(at(3), third.fact(number(1))));
  EXPECT_EQ(certifier_.counters().contradictions, 2U);
  EXPECT_EQ(certifier_.state(), LinkState::certifying);
  arrive(1, share(1, 1));
  answer(orders<CheckShare>().at(0), true);
  EXPECT_EQ(orders<Certified>().size(), 1U);
}

TEST_F(LinkCertifierTest, WhatDoesNotArriveIsAskedForAgainAndAgainMoreSlowly) {
  start();
  reach(1);
  Duration pause = settings_.ask_after;
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(certifier_.next_deadline(), now_ + pause);
    now_ = certifier_.next_deadline();
    certifier_.on_deadline(turn());
    ASSERT_EQ(orders<AskShares>().size(), 3U);
    EXPECT_EQ(orders<AskShares>()[0].to, at(1));
    EXPECT_EQ(orders<AskShares>()[2].batches, (BatchSet{number(1), 1}));
    pause = std::min(pause * 2, settings_.ask_again_max);
  }
  arrive(1, share(1, 1));
  answer(orders<CheckShare>().at(0), true);
  now_ = certifier_.next_deadline();
  certifier_.on_deadline(turn());
  EXPECT_TRUE(effects_.empty());
  EXPECT_EQ(certifier_.next_deadline(), Instant::never());
}

TEST_F(LinkCertifierTest, OnlyWhatIsMissingOfWhomIsAskedForAndNothingThatIsYoung) {
  start();
  reach(2);
  Share bad = share(3, 2);
  bad.signature.bytes[0] ^= 1U;
  arrive(3, bad);
  answer(orders<CheckShare>().at(0), false);
  now_ = now_ + settings_.ask_after - Duration::nanoseconds(1);
  reach(3);
  now_ = now_ + Duration::nanoseconds(1);
  certifier_.on_deadline(turn());
  ASSERT_EQ(orders<AskShares>().size(), 3U);
  EXPECT_EQ(orders<AskShares>()[0].batches, (BatchSet{number(1), 0b11}));
  EXPECT_EQ(orders<AskShares>()[2].to, at(3));
  EXPECT_EQ(orders<AskShares>()[2].batches, (BatchSet{number(1), 0b01}));
}

TEST_F(LinkCertifierTest, AnswersWithWhatItHasSignedAndNotTooOften) {
  start();
  reach(3);
  extend(4);  // not signed yet
  want(2, {number(2), 0b1101});
  ASSERT_EQ(orders<SendShares>().size(), 1U);
  EXPECT_EQ(orders<SendShares>()[0].to, at(2));
  EXPECT_EQ(orders<SendShares>()[0].batches, (BatchSet{number(2), 0b1}));
  want(2, {number(1), 0b1});
  EXPECT_TRUE(effects_.empty());
  EXPECT_EQ(certifier_.counters().asks_refused, 1U);
  want(3, {number(1), 0b1});
  EXPECT_EQ(orders<SendShares>().size(), 1U) << "others are not to blame";
  now_ = now_ + settings_.ask_after;
  want(2, {number(UINT64_MAX - 2), UINT64_MAX});
  EXPECT_TRUE(effects_.empty());
  want(7, {number(1), 0b1});
  EXPECT_EQ(certifier_.counters().shares_out_of_context, 1U);
}

TEST_F(LinkCertifierTest, WhatIsReleasedIsGoneAndMakesRoom) {
  start();
  reach(64);
  EXPECT_FALSE(certifier_.accepts_batch());
  certifier_.release({LinkIndex(0), Generation(2), number(5)}, turn());
  EXPECT_FALSE(certifier_.accepts_batch()) << "of another numbering";
  certifier_.release({LinkIndex(0), Generation(1), number(2)}, turn());
  EXPECT_TRUE(certifier_.accepts_batch());
  EXPECT_FALSE(certifier_.own_share(number(2), signers_));
  arrive(1, share(1, 2));
  EXPECT_EQ(certifier_.counters().shares_outside, 1U);
  reach(66);
  EXPECT_EQ(certifier_.own_share(number(66), signers_), share(0, 66));
  certifier_.release({LinkIndex(0), Generation(1), number(100)}, turn());
  extend(67);
  EXPECT_TRUE(effects_.empty()) << "others have delivered it";
  EXPECT_TRUE(certifier_.accepts_batch());
  for (std::uint64_t batch = 68; batch <= 100; ++batch) {
    extend(batch);
  }
  reach(101);
  EXPECT_EQ(certifier_.own_share(number(101), signers_), share(0, 101)) << "the chain went on meanwhile";
}

TEST_F(LinkCertifierTest, AnswersToAnEarlierLifeOfTheLinkAreTooLate) {
  start();
  extend(1);
  certifier_.mark_persisted(turn());
  const Sign old = orders<Sign>().at(0);
  arrive(1, share(1, 1));
  const CheckShare old_check = orders<CheckShare>().at(0);
  start();
  certifier_.own_signed({old.link, old.life, old.batch, {}}, turn());
  certifier_.share_checked({old_check.link, old_check.life, old_check.batch, at(1), true}, turn());
  EXPECT_EQ(certifier_.counters().answers_late, 2U);
  extend(1);
  EXPECT_EQ(orders<Sign>().size(), 1U) << "the mark stands";
  EXPECT_FALSE(certifier_.own_share(number(1), signers_));
}

TEST_F(LinkCertifierTest, OfAnotherNumberingOrEpochNothingCounts) {
  start();
  reach(1);
  const Share good = share(1, 1);
  for (const ShareContext context : {ShareContext{LinkIndex(0), Generation(2), Epoch(1), destination_epoch},
                                     ShareContext{LinkIndex(0), Generation(1), Epoch(2), destination_epoch},
                                     ShareContext{LinkIndex(0), Generation(1), Epoch(1), Epoch(1)}}) {
    certifier_.shares_arrived({at(1), context, {&good, 1}}, turn());
    EXPECT_TRUE(effects_.empty());
  }
  EXPECT_EQ(certifier_.counters().shares_out_of_context, 3U);
}

class RestartedTest : public LinkCertifierTest {
 protected:
  explicit RestartedTest(bool lost = false)
      : LinkCertifierTest(
            {.link = LinkIndex(0),
             .mark = {Generation(1), {}, number(3), DecidedChain(SigningCluster::link()).root(number(3))},
             .mark_lost = lost}) {}
};

TEST_F(RestartedTest, SignsAgainOnceItsLogHasComeToTheMark) {
  start(1);
  EXPECT_EQ(certifier_.state(), LinkState::behind);
  extend(2);
  EXPECT_TRUE(effects_.empty());
  extend(3);
  ASSERT_EQ(orders<Sign>().size(), 2U);
  EXPECT_EQ(orders<Sign>()[0].batch, number(2));
  EXPECT_TRUE(orders<PersistMark>().empty());
  EXPECT_EQ(certifier_.state(), LinkState::certifying);
}

TEST_F(RestartedTest, CertifiesByOthersSharesMeanwhile) {
  start(1);
  extend(2);
  arrive(1, share(1, 2));
  ASSERT_EQ(orders<CheckShare>().size(), 1U);
  const CheckShare first = orders<CheckShare>()[0];
  arrive(2, share(2, 2));
  ASSERT_EQ(orders<CheckShare>().size(), 1U) << "the own one is not counted on";
  answer(orders<CheckShare>()[0], true);
  answer(first, true);
  EXPECT_EQ(orders<Certified>().size(), 1U);
}

TEST_F(RestartedTest, WithAnotherLogItHalts) {
  chain_ = DecidedChain(SigningCluster::link(), 1);
  start(1);
  extend(2);
  extend(3);
  ASSERT_EQ(orders<LinkHalted>().size(), 1U);
  EXPECT_EQ(orders<LinkHalted>()[0].reason, HaltReason::contradicts_mark);
  EXPECT_EQ(orders<Sign>().size(), 0U);
  EXPECT_EQ(certifier_.next_deadline(), Instant::never());
}

class LostMarkTest : public RestartedTest {
 protected:
  LostMarkTest() : RestartedTest(true) {}
};

TEST_F(LostMarkTest, IsSilentUntilOthersHaveCertified) {
  start(1);
  EXPECT_EQ(certifier_.state(), LinkState::silent);
  for (std::uint64_t batch = 2; batch <= 6; ++batch) {
    extend(batch);
    EXPECT_TRUE(orders<PersistMark>().empty() && orders<Sign>().empty());
  }
  arrive(1, share(1, 5));
  answer(orders<CheckShare>().at(0), true);
  arrive(2, share(2, 5));
  answer(orders<CheckShare>().at(0), true);
  EXPECT_EQ(certifier_.state(), LinkState::certifying);
  ASSERT_EQ(orders<PersistMark>().size(), 1U);
  EXPECT_EQ(orders<PersistMark>()[0].mark.batch, number(6));
  certifier_.mark_persisted(turn());
  ASSERT_EQ(orders<Sign>().size(), 1U);
  EXPECT_EQ(orders<Sign>()[0].batch, number(6));
}

}  // namespace
}  // namespace mallard::rsm::certify
