#include "rsm/core/certify/certify_core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "tests/rsm/core/certify/signing_cluster.h"
#include "tests/support/alloc_guard.h"

namespace mallard::rsm::certify {
namespace {

constexpr LinkIndex first_link{0};
constexpr LinkIndex second_link{3};
constexpr std::array<Weight, 4> equal{1, 1, 1, 1};

constexpr ReplicaIndex at(std::uint16_t place) { return ReplicaIndex(place); }
constexpr BatchNumber number(std::uint64_t value) { return BatchNumber(value); }

CertifySettings settings_of(const SigningCluster& cluster, std::uint16_t self) {
  return {.roster = cluster.roster(),
          .self = at(self),
          .links = {{.link = first_link}, {.link = second_link}},
          .window_batches = 128};
}

template <class Order>
std::vector<Order> orders(const Effects& effects) {
  std::vector<Order> found;
  for (const Effect& effect : effects) {
    if (const auto* order = std::get_if<Order>(&effect)) found.push_back(*order);
  }
  return found;
}

class CertifyCoreTest : public ::testing::Test {
 protected:
  void step(const Event& event) {
    effects_.clear();
    core_.step(event, now_, effects_);
  }
  void start(LinkIndex link, std::uint64_t after = 0) {
    step(LinkStarted{SigningCluster::link(link), destination_epoch, number(after),
                     DecidedChain(SigningCluster::link(link)).root(number(after))});
  }
  void extend(LinkIndex link, std::uint64_t through) {
    DecidedChain chain(SigningCluster::link(link));
    for (std::uint64_t next = core_.link(link).newest().value + 1; next <= through; ++next) {
      step(chain.durable(number(next)));
    }
  }
  void answer(const Sign& sign) {
    const auto signature = SigningCluster::mark(at(0), core_.statement(sign.link, sign.batch));
    step(Signed{sign.link, sign.life, sign.batch, signature});
  }

  SigningCluster cluster_{equal, 1, 1};
  CertifyCore core_{settings_of(cluster_, 0)};
  Effects effects_;
  Instant now_{1'000'000};
};

TEST_F(CertifyCoreTest, IsIdleUntilALinkStarts) {
  EXPECT_EQ(core_.next_deadline(), Instant::never());
  EXPECT_FALSE(core_.accepts_batch(first_link));
  start(first_link);
  EXPECT_TRUE(core_.accepts_batch(first_link));
  EXPECT_FALSE(core_.accepts_batch(second_link));
  EXPECT_EQ(core_.next_deadline(), Instant::never());
}

TEST_F(CertifyCoreTest, MessagesOfLinksThatAreNotCertifiedHereAreCounted) {
  const ShareContext context{LinkIndex(1), Generation(1), Epoch(1), destination_epoch};
  step(SharesArrived{at(1), context, {}});
  step(SharesWanted{at(1), context, {number(1), 1}});
  step(Released{LinkIndex(9), Generation(1), number(1)});
  EXPECT_EQ(core_.foreign_messages(), 2U);
}

TEST_F(CertifyCoreTest, EachLinkHasOrdersOfItsOwn) {
  start(first_link);
  start(second_link);
  extend(first_link, 100);
  extend(second_link, 100);
  std::vector<Sign> waiting;
  for (const LinkIndex link : {first_link, first_link, second_link, second_link}) {
    step(MarkPersisted{link});
    for (const Sign& sign : orders<Sign>(effects_)) waiting.push_back(sign);
  }
  EXPECT_EQ(waiting.size(), 2 * signs_max);
  std::size_t answered = 0;
  while (answered < waiting.size()) {
    answer(Sign(waiting[answered++]));
    for (const Sign& sign : orders<Sign>(effects_)) waiting.push_back(sign);
    ASSERT_LE(waiting.size() - answered, 2 * signs_max);
  }
  EXPECT_EQ(answered, 200U);
  EXPECT_EQ(core_.link(first_link).counters().batches_signed, 100U);
  EXPECT_EQ(core_.link(second_link).counters().batches_signed, 100U);
}

TEST_F(CertifyCoreTest, EveryLinkAsksHoweverManyThereAre) {
  CertifySettings settings = settings_of(cluster_, 0);
  settings.links.clear();
  settings.window_batches = 64;
  for (std::uint16_t link = 0; link < links_max; ++link) {
    settings.links.push_back({.link = LinkIndex(link)});
  }
  settings.self.reset();
  CertifyCore core(settings);
  for (std::uint16_t link = 0; link < links_max; ++link) {
    const crypto::CertifiedLink certified = SigningCluster::link(LinkIndex(link));
    effects_.clear();
    core.step(LinkStarted{certified, destination_epoch, {}, {}}, now_, effects_);
    core.step(DecidedChain(certified).durable(number(1)), now_, effects_);
  }
  std::size_t asks = 0;
  now_ = core.next_deadline();
  while (core.next_deadline() <= now_) {
    effects_.clear();
    core.on_deadline(now_, effects_);
    asks += orders<AskShares>(effects_).size();
  }
  EXPECT_EQ(asks, links_max * 4);
}

TEST_F(CertifyCoreTest, InTheNextEpochTheSameBatchesAreSignedOnceMore) {
  start(first_link);
  extend(first_link, 2);
  step(MarkPersisted{first_link});
  answer(orders<Sign>(effects_).at(0));
  step(MarkPersisted{first_link});
  answer(orders<Sign>(effects_).at(0));
  const auto before = core_.own_share(first_link, number(2));
  ASSERT_TRUE(before);

  const SigningCluster next(std::array<Weight, 5>{1, 1, 1, 1, 1}, 1, 1, Epoch(2));
  step(RosterChanged{&next.roster(), at(0)});
  EXPECT_FALSE(core_.own_share(first_link, number(2)));
  EXPECT_FALSE(core_.accepts_batch(first_link));
  start(first_link);
  extend(first_link, 2);
  EXPECT_TRUE(orders<PersistMark>(effects_).empty()) << "the roots are those of the mark";
  std::vector<Sign> signs = orders<Sign>(effects_);
  ASSERT_EQ(signs.size(), 2U);
  for (const Sign& sign : signs) {
    answer(sign);
  }
  const auto after = core_.own_share(first_link, number(2));
  ASSERT_TRUE(after);
  EXPECT_EQ(after->root, before->root);
  EXPECT_NE(after->signature, before->signature);
  EXPECT_EQ(core_.context(first_link).source_epoch, Epoch(2));
}

TEST_F(CertifyCoreTest, WhoIsNoMemberCertifiesByOthersShares) {
  step(RosterChanged{&cluster_.roster(), {}});
  start(first_link);
  extend(first_link, 1);
  EXPECT_TRUE(effects_.empty());
  DecidedChain chain(SigningCluster::link());
  std::vector<CheckShare> checks;
  for (const ReplicaIndex by : {at(2), at(3)}) {
    const Share share = cluster_.share(by, chain.fact(number(1)));
    step(SharesArrived{by, core_.context(first_link), {&share, 1}});
    checks.push_back(orders<CheckShare>(effects_).at(0));
  }
  for (const CheckShare& check : checks) {
    step(ShareChecked{check.link, check.life, check.batch, check.signer, true});
  }
  EXPECT_TRUE(core_.certificate(first_link, number(1)));
}

// Four cores and real keys: what comes out convinces a stranger.
TEST(CertifyCore, WhatItHandsOutIsACertificate) {
  const SigningCluster cluster(equal, 1, 1);
  const std::array<std::byte, 7> messages{std::byte{3}, std::byte{0}, std::byte{0}, std::byte{0},
                                          std::byte{7}, std::byte{7}, std::byte{7}};
  const crypto::BatchRange range{number(1), MessageNumber(1), 1};
  std::vector<std::unique_ptr<CertifyCore>> cores;
  std::array<Share, 4> shares;
  for (std::uint16_t i = 0; i < 4; ++i) {
    cores.push_back(std::make_unique<CertifyCore>(settings_of(cluster, i)));
    Effects effects;
    CertifyCore& core = *cores[i];
    core.step(LinkStarted{SigningCluster::link(), destination_epoch, {}, {}}, Instant{1}, effects);
    core.step(BatchDurable{first_link, range, crypto::payload_digest(messages)}, Instant{1}, effects);
    effects.clear();
    core.step(MarkPersisted{first_link}, Instant{1}, effects);
    const Sign sign = orders<Sign>(effects).at(0);
    effects.clear();
    core.step(
        Signed{sign.link, sign.life, sign.batch, cluster.sign(at(i), core.statement(sign.link, sign.batch))},
        Instant{1}, effects);
    shares[i] = core.own_share(first_link, number(1)).value();
  }
  Effects effects;
  cores[3]->step(SharesArrived{at(1), cores[3]->context(first_link), {&shares[1], 1}}, Instant{2}, effects);
  const CheckShare check = orders<CheckShare>(effects).at(0);
  const auto bytes = crypto::canonical_bytes(cores[3]->statement(first_link, number(1)));
  ASSERT_TRUE(crypto::is_share_of(cluster.roster(), bytes, {check.signer, check.signature}));
  effects.clear();
  cores[3]->step(ShareChecked{check.link, check.life, check.batch, check.signer, true}, Instant{2}, effects);
  const auto certificate = cores[3]->certificate(first_link, number(1));
  ASSERT_TRUE(certificate);

  std::vector<std::byte> proof(crypto::certificate_bytes(certificate->shares.size()));
  crypto::encode_certificate(*certificate, proof);
  const crypto::CertificateContext expected{SigningCluster::link(), Epoch(1), destination_epoch,
                                            &cluster.roster()};
  EXPECT_TRUE(crypto::check_certificate(expected, range, messages, proof));
}

TEST(CertifyCore, TakesNothingFromTheHeap) {
  const SigningCluster cluster(equal, 1, 1);
  DecidedChain chain(SigningCluster::link());
  std::vector<Share> shares;
  for (std::uint64_t batch = 1; batch <= 300; ++batch) {
    shares.push_back(cluster.share(at(1), chain.fact(number(batch))));
  }
  CertifyCore core(settings_of(cluster, 0));
  const auto effects = std::make_unique<Effects>();
  const auto step = [&](const Event& event) {
    effects->clear();
    core.step(event, Instant{1}, *effects);
  };
  step(LinkStarted{SigningCluster::link(), destination_epoch, {}, {}});
  const support::AllocGuard guard;
  for (std::uint64_t batch = 1; batch <= 300; ++batch) {
    step(chain.durable(number(batch)));
    step(MarkPersisted{first_link});
    const Sign sign = std::get<Sign>((*effects)[0]);
    step(Signed{sign.link, sign.life, sign.batch, {}});
    step(SharesArrived{at(1), core.context(first_link), {&shares[batch - 1], 1}});
    const CheckShare check = std::get<CheckShare>((*effects)[0]);
    step(ShareChecked{check.link, check.life, check.batch, check.signer, true});
    ASSERT_TRUE(core.certificate(first_link, number(batch)));
    if (batch > 100) step(Released{first_link, Generation(1), number(batch - 100)});
  }
  EXPECT_EQ(guard.allocations(), 0U);
}

}  // namespace
}  // namespace mallard::rsm::certify
