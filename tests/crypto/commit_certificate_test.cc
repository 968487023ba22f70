#include "crypto/commit_certificate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "crypto/checked_claims.h"
#include "tests/crypto/certificate_stage.h"
#include "tests/crypto/forgery_campaign.h"
#include "tests/support/alloc_guard.h"

namespace mallard::crypto {
namespace {

// reliability.md E8: nobody but the checker makes one.
static_assert(!std::is_default_constructible_v<CertifiedBatch>);
static_assert(!std::is_constructible_v<CertifiedBatch, BatchFact, Digest>);
static_assert(!std::is_aggregate_v<CertifiedBatch>);
static_assert(!std::is_default_constructible_v<SignerRoster>);

Digest filled(std::uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

CommitStatement some_statement() {
  return {.fact = {.link = {.names = filled(0xa1),
                            .source = ClusterIndex(0x0102),
                            .destination = ClusterIndex(0x0304),
                            .link = LinkIndex(0x0506),
                            .generation = Generation(0x0708090a)},
                   .range = {.batch = BatchNumber(0x1112131415161718),
                             .first = MessageNumber(0x2122232425262728),
                             .count = 0x0131},
                   .previous = filled(0xb2),
                   .payload = filled(0xc3)},
          .source_epoch = Epoch(0x41424344),
          .destination_epoch = Epoch(0x51525354),
          .roster = filled(0xd4)};
}

// The table at the head of commit_certificate.h, once more and slowly.
class SlowBytes {
 public:
  SlowBytes& text(std::string_view text, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      bytes_.push_back(i < text.size() ? static_cast<std::byte>(text[i]) : std::byte{0});
    }
    return *this;
  }
  SlowBytes& number(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) {
      bytes_.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xff));
    }
    return *this;
  }
  SlowBytes& repeat(std::uint8_t byte) {
    bytes_.insert(bytes_.end(), 32, static_cast<std::byte>(byte));
    return *this;
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

TEST(CommitStatement, has_the_bytes_of_the_table) {
  SlowBytes slow;
  slow.text("mallard.certificate.v1", 24).repeat(0xa1);
  slow.number(0x0102, 2).number(0x0304, 2).number(0x0506, 2).number(0x0708090a, 4);
  slow.number(0x41424344, 4).number(0x51525354, 4).repeat(0xd4);
  slow.number(0x1112131415161718, 8).number(0x2122232425262728, 8).number(0x0131, 2);
  slow.repeat(0xb2).repeat(0xc3);
  const StatementBytes bytes = canonical_bytes(some_statement());
  EXPECT_TRUE(std::ranges::equal(bytes, slow.bytes()));
}

TEST(BatchFact, has_a_root_of_everything_decided_and_of_nothing_else) {
  const BatchFact fact = some_statement().fact;
  std::vector<Digest> roots{root_of(fact)};
  const auto vary = [&](auto change) {
    BatchFact other = fact;
    change(other);
    roots.push_back(root_of(other));
  };
  vary([](BatchFact& f) { f.link.names = filled(0); });
  vary([](BatchFact& f) { ++f.link.source.value; });
  vary([](BatchFact& f) { ++f.link.destination.value; });
  vary([](BatchFact& f) { std::swap(f.link.source, f.link.destination); });
  vary([](BatchFact& f) { ++f.link.link.value; });
  vary([](BatchFact& f) { ++f.link.generation.value; });
  vary([](BatchFact& f) { ++f.range.batch.value; });
  vary([](BatchFact& f) { ++f.range.first.value; });
  vary([](BatchFact& f) { ++f.range.count; });
  vary([](BatchFact& f) { f.previous = filled(0); });
  vary([](BatchFact& f) { f.payload = filled(0); });
  roots.push_back(chain_start(fact.link));
  std::ranges::sort(roots);
  EXPECT_EQ(std::ranges::adjacent_find(roots), roots.end());
}

TEST(NamesDigest, does_not_let_names_run_together) {
  EXPECT_NE(names_digest("ab", "c", "d"), names_digest("a", "bc", "d"));
  EXPECT_NE(names_digest("a", "b", "c"), names_digest("b", "a", "c"));
  EXPECT_NE(names_digest("", "", "x"), names_digest("x", "", ""));
  EXPECT_EQ(names_digest("a", "b", "c"), names_digest("a", "b", "c"));
}

TEST(BatchRange, is_good_up_to_its_limits) {
  const auto good = [](std::uint64_t batch, std::uint64_t first, std::uint16_t count) {
    return is_good_range({.batch = BatchNumber(batch), .first = MessageNumber(first), .count = count});
  };
  EXPECT_TRUE(good(1, 1, 1));
  EXPECT_TRUE(good(UINT64_MAX, UINT64_MAX, 1));
  EXPECT_TRUE(good(1, UINT64_MAX - (batch_messages_max - 1), batch_messages_max));
  EXPECT_FALSE(good(0, 1, 1));
  EXPECT_FALSE(good(1, 0, 1));
  EXPECT_FALSE(good(1, 1, 0));
  EXPECT_FALSE(good(1, 1, batch_messages_max + 1));
  EXPECT_FALSE(good(1, UINT64_MAX, 2));
  EXPECT_FALSE(good(1, UINT64_MAX - (batch_messages_max - 2), batch_messages_max));
}

CommitCertificate certificate_of(std::size_t signers, std::size_t step) {
  CommitCertificate certificate{
      .source_epoch = Epoch(7), .destination_epoch = Epoch(8), .previous = filled(9), .shares = {}};
  for (std::size_t i = 0; i < signers; ++i) {
    Signature signature;
    signature.bytes.fill(static_cast<std::uint8_t>(i + 1));
    certificate.shares.push_back(
        {.signer = ReplicaIndex(static_cast<std::uint16_t>(i * step)), .signature = signature});
  }
  return certificate;
}

TEST(CommitCertificate, travels_whole_at_every_size) {
  for (std::size_t signers = 1; signers <= replicas_max; ++signers) {
    const CommitCertificate certificate = certificate_of(signers, signers == 1 ? 63 : 63 / (signers - 1));
    std::vector<std::byte> bytes(certificate_bytes(signers));
    ASSERT_EQ(encode_certificate(certificate, bytes), bytes.size());
    const auto again = decode_certificate(bytes);
    ASSERT_TRUE(again.has_value()) << signers;
    EXPECT_EQ(*again, certificate);
  }
  EXPECT_EQ(certificate_bytes(2), 177U);
  EXPECT_LE(certificate_bytes_max, proof_bytes_max);
}

TEST(CommitCertificate, decodes_nothing_but_whole_ones) {
  std::vector<std::byte> bytes(certificate_bytes(3));
  encode_certificate(certificate_of(3, 5), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_certificate(ByteView(bytes).first(size)).has_value()) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(decode_certificate(bytes).has_value());
  bytes.resize(proof_bytes_max);
  EXPECT_FALSE(decode_certificate(bytes).has_value());
}

TEST(CommitCertificate, is_assembled_without_a_spare_signature) {
  std::vector<Signer> signers;
  std::vector<KeyPair> keys;
  for (const Weight weight : {1U, 4U, 2U, 3U}) {
    keys.push_back(KeyPair::generate());
    signers.push_back({.key = keys.back().public_key(), .weight = weight});
  }
  const auto roster = SignerRoster::make(
      {.cluster = ClusterIndex(0x0102), .epoch = Epoch(0x41424344), .u = 4, .r = 4}, signers);
  ASSERT_TRUE(roster.has_value());
  CommitStatement statement = some_statement();
  statement.roster = roster->digest();
  const StatementBytes bytes = canonical_bytes(statement);
  std::vector<SignatureShare> shares;
  for (std::uint16_t i = 0; i < 4; ++i) {
    shares.push_back({.signer = ReplicaIndex(i), .signature = sign(keys[i], bytes)});
    EXPECT_TRUE(is_share_of(*roster, bytes, shares.back()));
  }
  EXPECT_FALSE(is_share_of(*roster, bytes, {ReplicaIndex(1), shares[0].signature}));
  EXPECT_FALSE(is_share_of(*roster, bytes, {ReplicaIndex(4), shares[0].signature}));

  std::swap(shares[0], shares[3]);
  const auto certificate = assemble_certificate(*roster, statement, shares);
  ASSERT_TRUE(certificate.has_value());
  ASSERT_EQ(certificate->shares.size(), 2U) << "4 + 3 reach 5";
  EXPECT_EQ(certificate->shares[0].signer, ReplicaIndex(1));
  EXPECT_EQ(certificate->shares[1].signer, ReplicaIndex(3));

  const std::vector<SignatureShare> light{shares[3], shares[0]};
  const auto too_light = assemble_certificate(*roster, statement, light);
  ASSERT_FALSE(too_light.has_value()) << "1 + 3 do not";
  EXPECT_EQ(too_light.error(), CertificateRefusal::too_little_weight);
}

TEST(CheckCertificate, yields_what_was_decided) {
  CertificateStage stage(Prng(1));
  for (int i = 0; i < 50; ++i) {
    const Claim claim = stage.honest();
    const auto checked = stage.check(claim);
    ASSERT_TRUE(checked.has_value());
    EXPECT_EQ(checked->fact().range, claim.range);
    EXPECT_EQ(checked->fact().link, stage.context().link);
    EXPECT_EQ(checked->fact().payload, payload_digest(claim.messages));
    EXPECT_EQ(checked->root(), root_of(checked->fact()));
    EXPECT_TRUE(checked->continues(checked->fact().previous));
    EXPECT_FALSE(checked->continues(checked->root()));
    EXPECT_EQ(checked->continues(chain_start(stage.context().link)), claim.range.batch.value == 1);
  }
}

// What a checker that was set up for something else must answer: nothing is "not needed".
TEST(CheckCertificate, refuses_when_its_own_roster_is_of_another_cluster_or_epoch) {
  CertificateStage stage(Prng(2));
  const Claim claim = stage.honest();
  CertificateContext context = stage.context();
  context.source_epoch = context.source_epoch.next();
  auto checked = check_certificate(context, claim.range, claim.messages, claim.proof);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error(), CertificateRefusal::wrong_roster);
  context = stage.context();
  ++context.link.source.value;
  checked = check_certificate(context, claim.range, claim.messages, claim.proof);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error(), CertificateRefusal::wrong_roster);
  context = stage.context();
  context.roster = nullptr;
  checked = check_certificate(context, claim.range, claim.messages, claim.proof);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error(), CertificateRefusal::wrong_roster);
}

TEST(CheckCertificate, needs_a_proof) {
  CertificateStage stage(Prng(3));
  Claim claim = stage.honest();
  claim.proof.clear();
  EXPECT_FALSE(stage.check(claim).has_value());
}

TEST(CheckCertificate, finds_a_replay_without_its_signatures) {
  CertificateStage stage(Prng(7));
  CheckedClaims known(16);
  const Claim claim = stage.honest();
  const auto check = [&](const Claim& what) {
    return check_certificate(stage.context(), what.range, what.messages, what.proof, &known);
  };
  const auto first = check(claim);
  const auto second = check(claim);
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->root(), second->root());
  // Nothing else is known by it: each flipped bit of the proof makes another claim.
  Claim other = claim;
  for (std::byte& byte : other.proof) {
    byte ^= std::byte{1};
    EXPECT_FALSE(check(other).has_value());
    EXPECT_FALSE(check(other).has_value()) << "a refusal is not remembered as a truth";
    byte ^= std::byte{1};
  }
  other.messages[0] ^= std::byte{1};
  EXPECT_FALSE(check(other).has_value());
}

TEST(CheckCertificate, takes_no_memory) {
  CertificateStage stage(Prng(4));
  const Claim claim = stage.honest();
  const support::AllocGuard guard;
  const auto checked = stage.check(claim);
  EXPECT_EQ(guard.allocations(), 0U);
  EXPECT_TRUE(checked.has_value());
}

TEST(CheckCertificate, refuses_every_forgery_for_its_reason) {
  const CampaignResult result = forge_many(5, 50 * forgeries);
  const auto only = [&](Forgery forgery, CertificateRefusal refusal) {
    const ForgeryCount& counts = result.forged[static_cast<std::size_t>(forgery)];
    EXPECT_EQ(counts.refused[static_cast<std::size_t>(refusal)], counts.made) << forgery_name(forgery);
  };
  for (std::size_t i = 0; i < forgeries; ++i) {
    EXPECT_EQ(result.forged[i].accepted, 0U) << forgery_name(static_cast<Forgery>(i));
    EXPECT_GE(result.forged[i].made, 50U);
  }
  EXPECT_EQ(result.controls_accepted, result.controls);
  // Each gets as far as it should: were a cheap check to refuse all, the dear one would be untested.
  for (auto i = static_cast<std::size_t>(Forgery::over_other_names);
       i <= static_cast<std::size_t>(Forgery::over_other_domain); ++i) {
    only(static_cast<Forgery>(i), CertificateRefusal::bad_signature);
  }
  for (const Forgery forgery :
       {Forgery::one_signature_of_garbage, Forgery::repeated_signature, Forgery::swapped_signatures,
        Forgery::of_another_cluster, Forgery::of_an_ended_epoch, Forgery::stolen_and_ended_keys,
        Forgery::signature_of_other_batch, Forgery::unreduced_scalar, Forgery::neutral_commitment}) {
    only(forgery, CertificateRefusal::bad_signature);
  }
  only(Forgery::of_other_source_epoch, CertificateRefusal::wrong_epoch);
  only(Forgery::of_other_destination_epoch, CertificateRefusal::wrong_epoch);
  only(Forgery::chain_of_zeros, CertificateRefusal::wrong_chain_start);
  only(Forgery::chain_starts_in_between, CertificateRefusal::wrong_chain_start);
  only(Forgery::chain_starts_elsewhere, CertificateRefusal::wrong_chain_start);
  only(Forgery::range_of_none, CertificateRefusal::bad_range);
  only(Forgery::one_signer_less, CertificateRefusal::too_little_weight);
  only(Forgery::spare_signature, CertificateRefusal::spare_signature);
  only(Forgery::unknown_signer, CertificateRefusal::unknown_signer);
  for (const Forgery forgery : {Forgery::no_signer, Forgery::other_version, Forgery::trailing_byte,
                                Forgery::missing_byte, Forgery::missing_signature}) {
    only(forgery, CertificateRefusal::malformed);
  }
}

TEST(CheckCertificate, refuses_every_single_bit_flip) {
  const CampaignResult result = flip_every_bit(6, 2);
  EXPECT_EQ(result.flips.accepted, 0U);
  EXPECT_GT(result.flips.made, 2U * 8 * certificate_bytes(2));
  EXPECT_EQ(result.controls_accepted, 2U);
}

}  // namespace
}  // namespace mallard::crypto
