#include "tests/rsm/core/certify/certify_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace mallard::rsm::certify {

namespace {

constexpr LinkIndex the_link{0};
constexpr Generation the_generation{1};
constexpr std::int64_t tick_ns = 500'000;
constexpr std::int64_t noise_ns = 1'500'000'000;      // then all goes well
constexpr std::int64_t patience_ns = 30'000'000'000;  // so long

ReplicaIndex index_of(std::size_t replica) { return ReplicaIndex(static_cast<std::uint16_t>(replica)); }

}  // namespace

CertifyWorld::CertifyWorld(const WorldOptions& options)
    : options_(options),
      cluster_(options.weights, options.u, options.r),
      truth_(SigningCluster::link()),
      lie_(SigningCluster::link(), 1),
      prng_(options.seed),
      nodes_(options.weights.size()),
      effects_(std::make_unique<Effects>()),
      quiet_at_(now_ + noise_ns),
      mark_to_lose_(options.loses_a_mark) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    start(i);
  }
}

bool CertifyWorld::run() {
  after(Duration(), [this] { tick(); });
  while (!queue_.empty() && !::testing::Test::HasFatalFailure()) {
    const auto next = queue_.begin();
    now_ = next->first;
    const std::function<void()> what = std::move(next->second);
    queue_.erase(next);
    what();
    if (is_done()) return true;
    if (now_ > quiet_at_ + patience_ns) return false;
  }
  return false;
}

bool CertifyWorld::is_done() const {
  if (!is_quiet()) return false;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!lies(i) && (!nodes_[i].up || nodes_[i].certified < batches)) return false;
  }
  return true;
}

void CertifyWorld::after(Duration delay, std::function<void()> what) {
  queue_.emplace(now_ + delay.ns, std::move(what));
}

Duration CertifyWorld::draw(Duration most) {
  return Duration{static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(most.ns) + 1))};
}

void CertifyWorld::tick() {
  if (decided_ < batches && prng_.below(8) == 0) decided_ += prng_.below(4);
  decided_ = is_quiet() ? batches : std::min(decided_, batches);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    if (lies(i)) {
      lie(i);
    } else if (!node.up) {
      if (is_quiet() || now_ >= node.up_again) start(i);
    } else if (!is_quiet() && prng_.one_in_million(options_.crashes / 2)) {
      crash(i);
    } else {
      move(i);
      wake(i);
    }
    released_ =
        std::max(released_, std::min(node.certified - prng_.below(node.certified / 4 + 1), released_max));
  }
  after(Duration{tick_ns}, [this] { tick(); });
}

// ---- Lives.

void CertifyWorld::start(std::size_t replica) {
  if (lies(replica)) return;
  Node& node = nodes_[replica];
  ++node.life;
  node.up = true;
  node.certified = 0;
  node.signer_free = now_;
  const LinkSettings link{.link = the_link, .mark = node.mark, .mark_lost = node.mark_lost};
  node.core = std::make_unique<CertifyCore>(CertifySettings{
      .roster = cluster_.roster(), .self = index_of(replica), .links = {link}, .window_batches = 64});
  begin_link(node, replica);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (i != replica && nodes_[i].up) step(i, PeerUp{index_of(replica)});
  }
}

void CertifyWorld::begin_link(Node& node, std::size_t replica) {
  node.fed = node.snapshot;
  const BatchNumber at(node.snapshot);
  step(replica, LinkStarted{SigningCluster::link(), destination_epoch, at, truth_.root(at)});
}

// The mark that was under way is durable, or it is not.
void CertifyWorld::crash(std::size_t replica) {
  Node& node = nodes_[replica];
  ++crashes_;
  ++node.life;
  node.up = false;
  node.up_again = now_ + draw(Duration::milliseconds(100)).ns;
  if (node.mark_under_way && prng_.below(2) == 0) node.mark = *node.mark_under_way;
  node.mark_under_way.reset();
  if (replica == 0 && std::exchange(mark_to_lose_, false)) {
    node.mark = Mark();
    node.mark_lost = true;
  }
}

void CertifyWorld::move(std::size_t replica) {
  Node& node = nodes_[replica];
  if (node.log < decided_ && prng_.below(4) != 0) node.log += prng_.between(1, decided_ - node.log);
  if (prng_.below(50) == 0) {
    node.snapshot = prng_.between(node.snapshot, std::max(node.snapshot, std::min(node.log, released_)));
  }
  if (!is_quiet() && options_.crashes != 0 && released_ > node.snapshot && prng_.below(2'000) == 0) {
    ++installs_;  // of a peer's snapshot, which has all bodies that are not released
    node.snapshot = prng_.between(node.snapshot, released_);
    node.log = std::max(node.log, node.snapshot);
    begin_link(node, replica);
  }
  if (released_ > 0 && prng_.below(20) == 0) {
    step(replica, Released{the_link, the_generation, BatchNumber(released_)});
  }
  while (node.fed < node.log && node.core->accepts_batch(the_link)) {
    step(replica, truth_.durable(BatchNumber(++node.fed)));
  }
  node.certified = node.core->link(the_link).certified().value;
}

void CertifyWorld::wake(std::size_t replica) {
  Node& node = nodes_[replica];
  if (node.core->next_deadline().ns > now_) return;
  effects_->clear();
  node.core->on_deadline(Instant{now_}, *effects_);
  carry_out(replica);
}

void CertifyWorld::step(std::size_t replica, const Event& event) {
  effects_->clear();
  nodes_[replica].core->step(event, Instant{now_}, *effects_);
  carry_out(replica);
}

// ---- What cores order.

void CertifyWorld::carry_out(std::size_t replica) {
  for (const Effect& effect : *effects_) {
    std::visit([&](const auto& what) { order(replica, what); }, effect);
  }
}

void CertifyWorld::order(std::size_t replica, const PersistMark& effect) {
  Node& node = nodes_[replica];
  EXPECT_FALSE(node.mark_under_way);
  EXPECT_LE(effect.mark.batch.value, node.log);
  EXPECT_EQ(effect.mark.root, truth_.root(effect.mark.batch));
  node.mark_under_way = effect.mark;
  after(draw(Duration::milliseconds(3)), [this, replica, life = node.life] {
    Node& then = nodes_[replica];
    if (then.life != life) return;
    then.mark = *std::exchange(then.mark_under_way, std::nullopt);
    step(replica, MarkPersisted{the_link});
  });
}

// Only what is decided and durable here is signed, of one chain, and the mark that covers it is durable.
void CertifyWorld::order(std::size_t replica, const Sign& effect) {
  Node& node = nodes_[replica];
  EXPECT_LE(effect.batch.value, node.log);
  EXPECT_EQ(node.mark.generation, the_generation);
  EXPECT_LE(effect.batch, node.mark.batch);
  const crypto::CommitStatement statement = node.core->statement(the_link, effect.batch);
  EXPECT_EQ(crypto::root_of(statement.fact), truth_.root(effect.batch));
  node.signer_free = std::max(node.signer_free, now_) + draw(Duration::microseconds(300)).ns;
  after(Duration{node.signer_free - now_}, [this, replica, effect, statement, life = node.life] {
    if (nodes_[replica].life != life) return;
    const auto signature = SigningCluster::mark(index_of(replica), statement);
    step(replica, Signed{effect.link, effect.life, effect.batch, signature});
  });
}

void CertifyWorld::order(std::size_t replica, const CheckShare& effect) {
  const crypto::CommitStatement statement = nodes_[replica].core->statement(the_link, effect.batch);
  const bool valid = effect.signature == SigningCluster::mark(effect.signer, statement);
  EXPECT_TRUE(valid || lies(effect.signer.value));
  after(draw(Duration::milliseconds(1)), [this, replica, effect, valid, life = nodes_[replica].life] {
    if (nodes_[replica].life != life) return;
    step(replica, ShareChecked{effect.link, effect.life, effect.batch, effect.signer, valid});
  });
}

void CertifyWorld::send(std::size_t to, const std::function<void(std::size_t)>& deliver) {
  const std::uint64_t copies = !is_quiet() && prng_.one_in_million(options_.doubled) ? 2 : 1;
  for (std::uint64_t copy = 0; copy < copies; ++copy) {
    if (lies(to) || (!is_quiet() && prng_.one_in_million(options_.loss))) continue;
    after(draw(options_.delay_max), [this, to, deliver] {
      if (nodes_[to].up) deliver(to);
    });
  }
}

void CertifyWorld::order(std::size_t replica, const SendShares& effect) {
  const CertifyCore& core = *nodes_[replica].core;
  std::vector<Share> shares;
  for (std::uint64_t i = 0; i < 64; ++i) {
    if (((effect.batches.bits >> i) & 1U) == 0) continue;
    const auto share = core.own_share(the_link, BatchNumber(effect.batches.first.value + i));
    ASSERT_TRUE(share);
    shares.push_back(*share);
  }
  ASSERT_FALSE(shares.empty());
  const ShareContext context = core.context(the_link);
  for (std::size_t to = 0; to < nodes_.size(); ++to) {
    if (to == replica || (effect.to && effect.to->value != to)) continue;
    send(to, [this, from = index_of(replica), context, shares](std::size_t at) {
      step(at, SharesArrived{from, context, shares});
    });
  }
}

void CertifyWorld::order(std::size_t replica, const AskShares& effect) {
  EXPECT_NE(effect.to.value, replica);
  const ShareContext context = nodes_[replica].core->context(the_link);
  send(effect.to.value, [this, from = index_of(replica), context, set = effect.batches](std::size_t at) {
    step(at, SharesWanted{from, context, set});
  });
}

void CertifyWorld::order(std::size_t replica, const Certified& effect) {
  Node& node = nodes_[replica];
  EXPECT_GT(effect.through.value, node.certified);
  const std::uint64_t base = node.core->link(the_link).released().value;
  for (std::uint64_t batch = std::max(node.certified, base) + 1; batch <= effect.through.value; ++batch) {
    judge(replica, BatchNumber(batch));
  }
  node.certified = effect.through.value;
}

// Distinct members of enough weight, none to spare, each over what was decided, one of them no liar (E1).
void CertifyWorld::judge(std::size_t replica, BatchNumber batch) {
  const auto certificate = nodes_[replica].core->certificate(the_link, batch);
  ASSERT_TRUE(certificate);
  ++certificates_;
  const crypto::CommitStatement statement = cluster_.statement(truth_.fact(batch));
  Weight weight = 0;
  Weight least = UINT64_MAX;
  bool honest = false;
  for (std::size_t i = 0; i < certificate->shares.size(); ++i) {
    const crypto::SignatureShare& share = certificate->shares[i];
    ASSERT_LT(share.signer.value, nodes_.size());
    EXPECT_TRUE(i == 0 || certificate->shares[i - 1].signer < share.signer);
    EXPECT_EQ(share.signature, SigningCluster::mark(share.signer, statement));
    weight += options_.weights[share.signer.value];
    least = std::min(least, options_.weights[share.signer.value]);
    honest = honest || !lies(share.signer.value);
  }
  EXPECT_GE(weight, cluster_.roster().threshold());
  EXPECT_LT(weight - least, cluster_.roster().threshold());
  EXPECT_TRUE(honest);
  EXPECT_EQ(certificate->previous, truth_.root(BatchNumber(batch.value - 1)));
}

void CertifyWorld::order(std::size_t /*replica*/, const Contradicted& effect) {
  ++contradictions_;
  EXPECT_TRUE(lies(effect.by.value));
}

void CertifyWorld::order(std::size_t replica, const LinkHalted& /*effect*/) {
  ADD_FAILURE() << "replica " << replica << " has halted";
}

// ---- Lies.

void CertifyWorld::lie(std::size_t replica) {
  const ReplicaIndex from = index_of(replica);
  const auto to = static_cast<std::size_t>(prng_.below(nodes_.size()));
  if (lies(to) || !nodes_[to].up) return;
  const std::uint64_t low = released_ > 5 ? released_ - 5 : 1;
  const BatchNumber batch(prng_.between(low, low + 80));
  const crypto::CommitStatement statement = cluster_.statement(truth_.fact(batch));
  Share share = cluster_.share(from, truth_.fact(batch));
  ShareContext context = nodes_[to].core->context(the_link);
  BatchSet wanted{batch, prng_.next() | 1U};
  switch (prng_.below(9)) {
    case 0:  // the truth, for once
      break;
    case 1:
      share.signature.bytes[prng_.below(64)] ^= 1U;
      break;
    case 2:
    case 3:  // what all liars say
      share = cluster_.share(from, lie_.fact(batch));
      break;
    case 4:  // what somebody else signed
      share.signature = SigningCluster::mark(index_of(to), statement);
      break;
    case 5:  // batches that cannot be
      share.batch = BatchNumber(prng_.below(2) == 0 ? UINT64_MAX - prng_.below(3) : prng_.below(2));
      wanted.first = BatchNumber(UINT64_MAX - prng_.below(70));
      break;
    case 6:
      context.generation = Generation(static_cast<std::uint32_t>(prng_.below(3)));
      context.source_epoch = Epoch(static_cast<std::uint32_t>(prng_.below(3)));
      break;
    case 7:
      context.link = LinkIndex(static_cast<std::uint16_t>(prng_.below(100)));
      break;
    default:
      share.root.bytes[prng_.below(32)] ^= 1U;
      break;
  }
  step(to, SharesArrived{from, context, {&share, 1}});
  if (prng_.below(3) == 0) step(to, SharesWanted{from, context, wanted});
}

}  // namespace mallard::rsm::certify
