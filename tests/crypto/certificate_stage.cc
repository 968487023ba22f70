#include "tests/crypto/certificate_stage.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

#include "config/base/invariant.h"

namespace mallard::crypto {
namespace {

constexpr std::array<std::string_view, forgeries> names{"over_other_names",
                                                        "over_other_source",
                                                        "over_other_destination",
                                                        "over_the_other_direction",
                                                        "over_other_link",
                                                        "over_other_generation",
                                                        "over_other_source_epoch",
                                                        "over_other_destination_epoch",
                                                        "over_other_roster",
                                                        "over_other_batch",
                                                        "over_other_first",
                                                        "over_other_count",
                                                        "over_other_previous",
                                                        "over_other_payload",
                                                        "over_other_domain",
                                                        "of_other_source_epoch",
                                                        "of_other_destination_epoch",
                                                        "chain_of_zeros",
                                                        "chain_starts_in_between",
                                                        "chain_starts_elsewhere",
                                                        "range_of_none",
                                                        "one_signer_less",
                                                        "one_signature_of_garbage",
                                                        "repeated_signature",
                                                        "swapped_signatures",
                                                        "spare_signature",
                                                        "of_another_cluster",
                                                        "of_an_ended_epoch",
                                                        "stolen_and_ended_keys",
                                                        "signature_of_other_batch",
                                                        "unreduced_scalar",
                                                        "neutral_commitment",
                                                        "unknown_signer",
                                                        "wrong_signer",
                                                        "no_signer",
                                                        "other_version",
                                                        "trailing_byte",
                                                        "missing_byte",
                                                        "missing_signature"};

constexpr std::size_t signers_at = certificate_head_bytes - 8;

template <class T>
T& pick(std::vector<T>& from, Prng& random) {
  return from[random.below(from.size())];
}

void flip_bit(std::span<std::uint8_t> bytes, Prng& random) {
  bytes[random.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << random.below(8));
}

// S + L for S, L being the order of the group.
void unreduce(Signature& signature) {
  constexpr std::array<std::uint8_t, 17> order{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6,
                                               0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0};
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const unsigned addend = i < order.size() ? order[i] : (i == 31 ? 0x10U : 0U);
    carry += signature.bytes[32 + i] + addend;
    signature.bytes[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
}

// What the owner of a key can make with 0 for the number that should be secret: R is the neutral element and
// S = H(R, A, M) a. It solves the equation of the standard, but shows the secret, and is good for any library
// that does not look at R.
Signature sign_without_secret_number(const KeyPair& pair, const StatementBytes& statement) {
  using Scalar = std::array<unsigned char, crypto_core_ed25519_SCALARBYTES>;
  using Hash = std::array<unsigned char, crypto_hash_sha512_BYTES>;
  Signature signature;
  signature.bytes[0] = 1;
  std::vector<unsigned char> hashed(signature.bytes.begin(), signature.bytes.begin() + 32);
  hashed.insert(hashed.end(), pair.public_key().bytes.begin(), pair.public_key().bytes.end());
  for (const std::byte byte : statement) {
    hashed.push_back(std::to_integer<unsigned char>(byte));
  }
  std::vector<unsigned char> seed;
  for (const std::byte byte : pair.seed()) {
    seed.push_back(std::to_integer<unsigned char>(byte));
  }
  Hash challenge{};
  crypto_hash_sha512(challenge.data(), hashed.data(), hashed.size());
  Hash secret{};
  crypto_hash_sha512(secret.data(), seed.data(), seed.size());
  secret[0] &= 0xf8;
  secret[31] = static_cast<unsigned char>((secret[31] & 0x7f) | 0x40);
  std::fill(secret.begin() + 32, secret.end(), static_cast<unsigned char>(0));
  Scalar reduced_challenge{};
  Scalar reduced_secret{};
  crypto_core_ed25519_scalar_reduce(reduced_challenge.data(), challenge.data());
  crypto_core_ed25519_scalar_reduce(reduced_secret.data(), secret.data());
  crypto_core_ed25519_scalar_mul(signature.bytes.data() + 32, reduced_challenge.data(),
                                 reduced_secret.data());
  return signature;
}

}  // namespace

std::string_view forgery_name(Forgery forgery) { return names[static_cast<std::size_t>(forgery)]; }

CertificateStage::CertificateStage(Prng random, std::size_t size_max)
    : random_(random), roster_(draw_roster(size_max)) {
  const auto distance = static_cast<std::uint16_t>(1 + random_.below(4));
  link_ = {.names = names_digest("east", "west", "mirror"),
           .source = roster_.cluster(),
           .destination = ClusterIndex(static_cast<std::uint16_t>(roster_.cluster().value + distance)),
           .link = LinkIndex(static_cast<std::uint16_t>(random_.below(links_max))),
           .generation = Generation(static_cast<std::uint32_t>(random_.between(1, 5)))};
  source_epoch_ = roster_.epoch();
  destination_epoch_ = Epoch(static_cast<std::uint32_t>(random_.between(1, 9)));
}

KeyPair CertificateStage::draw_key() {
  std::array<std::byte, seed_bytes> seed{};
  for (std::byte& byte : seed) {
    byte = static_cast<std::byte>(random_.below(256));
  }
  return KeyPair::from_seed(seed);
}

SignerRoster CertificateStage::draw_roster(std::size_t size_max) {
  const bool byzantine = random_.below(2) == 0;
  const std::size_t size_min = byzantine ? 4 : 3;
  const std::size_t size = random_.between(size_min, random_.between(size_min, size_max));
  const bool equal = size < 10 || random_.below(2) == 0;
  std::vector<Signer> signers;
  Weight total = 0;
  for (std::size_t i = 0; i < size; ++i) {
    members_.push_back({.now = draw_key(), .before = draw_key(), .foreign = draw_key()});
    signers.push_back({.key = members_.back().now.public_key(), .weight = equal ? 1 : random_.between(1, 3)});
    total += signers.back().weight;
  }
  // No single replica outweighs the budget: ten of weight 1 to 3 carry at least 3.
  const Weight u = byzantine ? (total - 1) / 3 : (total - 1) / 2;
  stolen_max_ = byzantine ? u : 0;
  const RosterHead head{.cluster = ClusterIndex(static_cast<std::uint16_t>(random_.below(4))),
                        .epoch = Epoch(static_cast<std::uint32_t>(random_.between(1, 9))),
                        .u = u,
                        .r = stolen_max_};
  auto roster = SignerRoster::make(head, signers);
  MALLARD_INVARIANT(roster.has_value());
  return *roster;
}

Digest CertificateStage::draw_digest() {
  Digest digest;
  for (std::uint8_t& byte : digest.bytes) {
    byte = static_cast<std::uint8_t>(random_.below(256));
  }
  return digest;
}

std::uint64_t CertificateStage::draw_other(std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  const std::uint64_t drawn = random_.between(low, high - 1);
  return drawn >= value ? drawn + 1 : drawn;
}

CertificateContext CertificateStage::context() const {
  return {.link = link_,
          .source_epoch = source_epoch_,
          .destination_epoch = destination_epoch_,
          .roster = &roster_};
}

Result<CertifiedBatch, CertificateRefusal> CertificateStage::check(const Claim& claim) const {
  return check_certificate(context(), claim.range, claim.messages, claim.proof);
}

CertificateStage::Draft CertificateStage::draw_draft() {
  Draft draft;
  const bool is_first = random_.below(8) == 0;
  const std::uint64_t batch = is_first ? 1 : random_.between(2, std::uint64_t{1} << random_.between(2, 62));
  draft.range = {.batch = BatchNumber(batch),
                 .first = MessageNumber(is_first ? 1 : batch + random_.below(1000)),
                 .count = static_cast<std::uint16_t>(random_.between(1, batch_messages_max))};
  draft.messages.resize(random_.between(5, 200));
  for (std::byte& byte : draft.messages) {
    byte = static_cast<std::byte>(random_.below(256));
  }
  draft.previous = is_first ? chain_start(link_) : draw_digest();
  draft.source_epoch = source_epoch_;
  draft.destination_epoch = destination_epoch_;
  draft.said = {.fact = {.link = link_,
                         .range = draft.range,
                         .previous = draft.previous,
                         .payload = payload_digest(draft.messages)},
                .source_epoch = source_epoch_,
                .destination_epoch = destination_epoch_,
                .roster = roster_.digest()};
  return draft;
}

std::vector<ReplicaIndex> CertificateStage::without_spare(std::vector<ReplicaIndex> signers) const {
  Weight weight = 0;
  for (const ReplicaIndex signer : signers) {
    weight += roster_.member(signer).weight;
  }
  std::erase_if(signers, [&](ReplicaIndex signer) {
    const Weight its = roster_.member(signer).weight;
    const bool spare = weight - its >= roster_.threshold();
    weight -= spare ? its : 0;
    return spare;
  });
  return signers;
}

std::vector<ReplicaIndex> CertificateStage::draw_signers() {
  std::vector<ReplicaIndex> signers;
  for (std::size_t i = 0; i < roster_.size(); ++i) {
    signers.emplace_back(static_cast<std::uint16_t>(i));
  }
  for (std::size_t i = signers.size(); i > 1; --i) {
    std::swap(signers[i - 1], signers[random_.below(i)]);
  }
  signers = without_spare(std::move(signers));
  std::ranges::sort(signers);
  return signers;
}

CommitCertificate CertificateStage::sign_draft(const Draft& draft, const std::vector<ReplicaIndex>& signers) {
  StatementBytes statement = canonical_bytes(draft.said);
  if (draft.other_domain) {
    statement[random_.below(certificate_domain_bytes)] ^= std::byte{1};
  }
  CommitCertificate certificate{.source_epoch = draft.source_epoch,
                                .destination_epoch = draft.destination_epoch,
                                .previous = draft.previous,
                                .shares = {}};
  for (const ReplicaIndex signer : signers) {
    certificate.shares.push_back(
        {.signer = signer, .signature = sign(members_[signer.value].now, statement)});
  }
  return certificate;
}

Claim CertificateStage::claim_of(Draft draft, const CommitCertificate& certificate) {
  Claim claim{.range = draft.range, .messages = std::move(draft.messages), .proof = {}};
  claim.proof.resize(certificate_bytes(certificate.shares.size()));
  encode_certificate(certificate, claim.proof);
  return claim;
}

Claim CertificateStage::honest() {
  const Draft draft = draw_draft();
  return claim_of(draft, sign_draft(draft, draw_signers()));
}

Claim CertificateStage::decide(const BatchRange& range, const Digest& previous) {
  Draft draft = draw_draft();
  draft.range = range;
  draft.previous = previous;
  draft.said.fact.range = range;
  draft.said.fact.previous = previous;
  return claim_of(draft, sign_draft(draft, draw_signers()));
}

Claim CertificateStage::forge(Forgery forgery) {
  Draft draft = draw_draft();
  misstate_link(forgery, draft);
  misstate_batch(forgery, draft);
  misname_chain(forgery, draft);
  CommitCertificate certificate = sign_draft(draft, draw_signers());
  spoil_shares(forgery, draft, certificate);
  steal(forgery, draft, certificate);
  Claim claim = claim_of(std::move(draft), certificate);
  spoil_bytes(forgery, claim.proof);
  return claim;
}

void CertificateStage::misstate_link(Forgery forgery, Draft& draft) {
  CommitStatement& said = draft.said;
  CertifiedLink& link = said.fact.link;
  const auto other_16 = [this](std::uint16_t value) {
    return static_cast<std::uint16_t>(draw_other(value, 0, UINT16_MAX));
  };
  const auto other_32 = [this](std::uint32_t value) {
    return static_cast<std::uint32_t>(draw_other(value, 0, UINT32_MAX));
  };
  switch (forgery) {
    case Forgery::over_other_names:
      flip_bit(link.names.bytes, random_);
      break;
    case Forgery::over_other_source:
      link.source = ClusterIndex(other_16(link.source.value));
      break;
    case Forgery::over_other_destination:
      link.destination = ClusterIndex(other_16(link.destination.value));
      break;
    case Forgery::over_the_other_direction:
      std::swap(link.source, link.destination);
      break;
    case Forgery::over_other_link:
      link.link = LinkIndex(other_16(link.link.value));
      break;
    case Forgery::over_other_generation:
      link.generation = Generation(other_32(link.generation.value));
      break;
    case Forgery::over_other_source_epoch:
    case Forgery::of_other_source_epoch:
      said.source_epoch = Epoch(other_32(said.source_epoch.value));
      break;
    case Forgery::over_other_destination_epoch:
    case Forgery::of_other_destination_epoch:
      said.destination_epoch = Epoch(other_32(said.destination_epoch.value));
      break;
    case Forgery::over_other_roster:
      flip_bit(said.roster.bytes, random_);
      break;
    case Forgery::over_other_domain:
      draft.other_domain = true;
      break;
    default:
      break;
  }
  if (forgery == Forgery::of_other_source_epoch || forgery == Forgery::of_other_destination_epoch) {
    draft.source_epoch = said.source_epoch;
    draft.destination_epoch = said.destination_epoch;
  }
}

void CertificateStage::misstate_batch(Forgery forgery, Draft& draft) {
  BatchFact& fact = draft.said.fact;
  BatchRange& range = fact.range;
  switch (forgery) {
    case Forgery::over_other_batch:
      range.batch = BatchNumber(draw_other(range.batch.value, 1, std::uint64_t{1} << 62));
      break;
    case Forgery::over_other_first:
      range.first = MessageNumber(draw_other(range.first.value, 1, std::uint64_t{1} << 62));
      break;
    case Forgery::over_other_count:
      range.count = static_cast<std::uint16_t>(draw_other(range.count, 1, batch_messages_max));
      break;
    case Forgery::over_other_previous:
      flip_bit(fact.previous.bytes, random_);
      break;
    case Forgery::over_other_payload:
      pick(draft.messages, random_) ^= static_cast<std::byte>(1U << random_.below(8));
      break;
    case Forgery::range_of_none:
      range.count = random_.below(2) == 0 ? 0 : batch_messages_max + 1;
      draft.range.count = range.count;
      break;
    default:
      break;
  }
}

void CertificateStage::misname_chain(Forgery forgery, Draft& draft) {
  const bool is_chain = forgery == Forgery::chain_of_zeros || forgery == Forgery::chain_starts_in_between ||
                        forgery == Forgery::chain_starts_elsewhere;
  if (!is_chain) {
    return;
  }
  const bool first = forgery == Forgery::chain_starts_elsewhere;
  draft.range.batch = BatchNumber(first ? 1 : draw_other(1, 1, 1000));
  draft.said.fact.range.batch = draft.range.batch;
  if (forgery == Forgery::chain_of_zeros) {
    draft.previous = Digest{};
  } else {
    draft.previous = first ? draw_digest() : chain_start(link_);
  }
  draft.said.fact.previous = draft.previous;
}

void CertificateStage::spoil_shares(Forgery forgery, const Draft& draft, CommitCertificate& certificate) {
  auto& shares = certificate.shares;
  const std::size_t at = random_.below(shares.size());
  const std::size_t other = draw_other(at, 0, shares.size() - 1);
  Signature& signature = shares[at].signature;
  switch (forgery) {
    case Forgery::one_signer_less:
      std::copy(shares.begin() + at + 1, shares.end(), shares.begin() + at);
      shares.pop_back();
      break;
    case Forgery::one_signature_of_garbage:
      for (std::uint8_t& byte : signature.bytes) {
        byte = static_cast<std::uint8_t>(random_.below(256));
      }
      break;
    case Forgery::repeated_signature:
      signature = shares[other].signature;
      break;
    case Forgery::swapped_signatures:
      std::swap(signature, shares[other].signature);
      break;
    case Forgery::spare_signature: {
      std::vector<ReplicaIndex> signers(1, ReplicaIndex(0));
      for (std::size_t i = 1; i < roster_.size(); ++i) {
        signers.emplace_back(static_cast<std::uint16_t>(i));
      }
      certificate = sign_draft(draft, signers);
      break;
    }
    case Forgery::signature_of_other_batch: {
      Draft of_other = draft;
      of_other.said.fact.range.batch = draft.range.batch.next();
      signature = sign_draft(of_other, {shares[at].signer}).shares[0].signature;
      break;
    }
    case Forgery::unreduced_scalar:
      unreduce(signature);
      break;
    case Forgery::neutral_commitment:
      signature =
          sign_without_secret_number(members_[shares[at].signer.value].now, canonical_bytes(draft.said));
      break;
    default:
      break;
  }
}

void CertificateStage::steal(Forgery forgery, const Draft& draft, CommitCertificate& certificate) {
  const StatementBytes statement = canonical_bytes(draft.said);
  auto& shares = certificate.shares;
  if (forgery == Forgery::of_another_cluster || forgery == Forgery::of_an_ended_epoch) {
    SignatureShare& share = shares[random_.below(shares.size())];
    const Member& member = members_[share.signer.value];
    share.signature =
        sign(forgery == Forgery::of_another_cluster ? member.foreign : member.before, statement);
  }
  if (forgery == Forgery::stolen_and_ended_keys) {
    Weight stolen = 0;
    for (SignatureShare& share : shares) {
      stolen += roster_.member(share.signer).weight;
      if (stolen > stolen_max_) {
        share.signature = sign(members_[share.signer.value].before, statement);
      }
    }
  }
}

void CertificateStage::spoil_bytes(Forgery forgery, std::vector<std::byte>& proof) {
  std::uint64_t signers = ByteReader(ByteView(proof).subspan(signers_at)).read<std::uint64_t>();
  const std::uint64_t members = (std::uint64_t{1} << roster_.size()) - 1;
  switch (forgery) {
    case Forgery::unknown_signer: {
      // The highest signer's signature stays the last one.
      const auto beyond = std::uint64_t{1} << random_.between(roster_.size(), replicas_max - 1);
      signers = (signers & ~std::bit_floor(signers)) | beyond;
      break;
    }
    case Forgery::wrong_signer: {
      // Each signature is claimed to be the next member's. Not all members signed, so this changes the set.
      signers = ((signers << 1U) | (signers >> (roster_.size() - 1))) & members;
      break;
    }
    case Forgery::no_signer:
      signers = 0;
      proof.resize(random_.below(2) == 0 ? certificate_head_bytes : proof.size());
      break;
    case Forgery::other_version:
      proof[0] = static_cast<std::byte>(draw_other(1, 0, 255));
      break;
    case Forgery::trailing_byte:
      proof.resize(proof.size() + random_.between(1, 2 * signature_bytes));
      break;
    case Forgery::missing_byte:
      proof.resize(random_.below(proof.size()));
      break;
    case Forgery::missing_signature:
      proof.resize(proof.size() - signature_bytes);
      break;
    default:
      break;
  }
  if (proof.size() >= certificate_head_bytes) {
    ByteWriter(ByteSpan(proof).subspan(signers_at)).write(signers);
  }
}

}  // namespace mallard::crypto
