#include "crypto/commit_certificate.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "config/base/invariant.h"
#include "crypto/checked_claims.h"

namespace mallard::crypto {
namespace {

constexpr std::string_view name_domain = "mallard.name.v1";
constexpr std::string_view names_domain = "mallard.names.v1";
constexpr std::string_view payload_domain = "mallard.payload.v1";
constexpr std::string_view chain_domain = "mallard.chain.v1";
constexpr std::string_view root_domain = "mallard.root.v1";
constexpr std::uint8_t certificate_version = 1;
constexpr std::size_t link_bytes = sizeof(Digest) + 3 * sizeof(std::uint16_t) + sizeof(std::uint32_t);
constexpr std::size_t fact_bytes =
    link_bytes + 2 * sizeof(std::uint64_t) + sizeof(std::uint16_t) + 2 * sizeof(Digest);

ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

void write_digest(ByteWriter& writer, const Digest& digest) {
  writer.write_bytes(std::as_bytes(std::span(digest.bytes)));
}

void write_link(ByteWriter& writer, const CertifiedLink& link) {
  write_digest(writer, link.names);
  writer.write(link.source.value);
  writer.write(link.destination.value);
  writer.write(link.link.value);
  writer.write(link.generation.value);
}

void write_range(ByteWriter& writer, const BatchRange& range) {
  writer.write(range.batch.value);
  writer.write(range.first.value);
  writer.write(range.count);
}

// Bounds are the caller's: names are at most 63 bytes in a file, but nothing here depends on it.
Digest digest_of_name(std::string_view name) { return digest_of(bytes_of(name_domain), bytes_of(name)); }

bool has_roster(const CertificateContext& context) {
  return context.roster != nullptr && context.roster->cluster() == context.link.source &&
         context.roster->epoch() == context.source_epoch;
}

// Enough weight, and none to spare. The roster's total bounds every sum.
Result<void, CertificateRefusal> check_weight(const SignerRoster& roster,
                                              const CommitCertificate& certificate) {
  Weight weight = 0;
  Weight lightest = std::numeric_limits<Weight>::max();
  for (const SignatureShare& share : certificate.shares) {
    if (share.signer.value >= roster.size()) {
      return Failure<CertificateRefusal>(CertificateRefusal::unknown_signer);
    }
    const Weight its = roster.member(share.signer).weight;
    weight += its;
    lightest = std::min(lightest, its);
  }
  if (weight < roster.threshold()) {
    return Failure<CertificateRefusal>(CertificateRefusal::too_little_weight);
  }
  if (weight - lightest >= roster.threshold()) {
    return Failure<CertificateRefusal>(CertificateRefusal::spare_signature);
  }
  return {};
}

// Everything that can be said without a digest of the payload or a signature.
Result<void, CertificateRefusal> check_claims(const CertificateContext& context, const BatchRange& range,
                                              const CommitCertificate& certificate) {
  if (!has_roster(context)) {
    return Failure<CertificateRefusal>(CertificateRefusal::wrong_roster);
  }
  if (!is_good_range(range)) {
    return Failure<CertificateRefusal>(CertificateRefusal::bad_range);
  }
  if (certificate.source_epoch != context.source_epoch ||
      certificate.destination_epoch != context.destination_epoch) {
    return Failure<CertificateRefusal>(CertificateRefusal::wrong_epoch);
  }
  const bool is_first = range.batch.value == 1;
  if (certificate.previous == Digest{} || is_first != (certificate.previous == chain_start(context.link))) {
    return Failure<CertificateRefusal>(CertificateRefusal::wrong_chain_start);
  }
  return check_weight(*context.roster, certificate);
}

}  // namespace

Digest names_digest(std::string_view source, std::string_view destination, std::string_view link) {
  // Each name is digested by itself first, so that no two triples run together alike.
  std::array<std::byte, 3 * sizeof(Digest)> bytes{};
  ByteWriter writer(bytes);
  write_digest(writer, digest_of_name(source));
  write_digest(writer, digest_of_name(destination));
  write_digest(writer, digest_of_name(link));
  return digest_of(bytes_of(names_domain), bytes);
}

bool is_good_range(const BatchRange& range) {
  return range.batch.value >= 1 && range.first.value >= 1 && range.count >= 1 &&
         range.count <= batch_messages_max &&
         range.first.value <= std::numeric_limits<std::uint64_t>::max() - (range.count - 1U);
}

Digest payload_digest(ByteView messages) { return digest_of(bytes_of(payload_domain), messages); }

Digest chain_start(const CertifiedLink& link) {
  std::array<std::byte, link_bytes> bytes{};
  ByteWriter writer(bytes);
  write_link(writer, link);
  return digest_of(bytes_of(chain_domain), bytes);
}

Digest root_of(const BatchFact& fact) {
  std::array<std::byte, fact_bytes> bytes{};
  ByteWriter writer(bytes);
  write_link(writer, fact.link);
  write_range(writer, fact.range);
  write_digest(writer, fact.previous);
  write_digest(writer, fact.payload);
  MALLARD_INVARIANT(writer.used() == fact_bytes);
  return digest_of(bytes_of(root_domain), bytes);
}

StatementBytes canonical_bytes(const CommitStatement& statement) {
  static_assert(certificate_domain.size() < certificate_domain_bytes);
  StatementBytes bytes{};
  ByteWriter writer(bytes);
  writer.write_bytes(bytes_of(certificate_domain));
  for (std::size_t i = certificate_domain.size(); i < certificate_domain_bytes; ++i) {
    writer.write(std::uint8_t{0});
  }
  write_link(writer, statement.fact.link);
  writer.write(statement.source_epoch.value);
  writer.write(statement.destination_epoch.value);
  write_digest(writer, statement.roster);
  write_range(writer, statement.fact.range);
  write_digest(writer, statement.fact.previous);
  write_digest(writer, statement.fact.payload);
  MALLARD_INVARIANT(writer.used() == statement_bytes);
  return bytes;
}

bool is_share_of(const SignerRoster& roster, const StatementBytes& statement, const SignatureShare& share) {
  return share.signer.value < roster.size() &&
         is_signature_of(roster.member(share.signer).key, statement, share.signature);
}

std::string_view certificate_refusal_text(CertificateRefusal refusal) {
  switch (refusal) {
    case CertificateRefusal::malformed:
      return "it is no certificate";
    case CertificateRefusal::wrong_roster:
      return "the signers of that epoch are not known here";
    case CertificateRefusal::bad_range:
      return "no batch has these numbers";
    case CertificateRefusal::wrong_epoch:
      return "it is of another epoch";
    case CertificateRefusal::wrong_chain_start:
      return "its chain does not begin where the link does";
    case CertificateRefusal::unknown_signer:
      return "one of its signers is not a member";
    case CertificateRefusal::too_little_weight:
      return "its signers do not weigh enough";
    case CertificateRefusal::spare_signature:
      return "it has more signatures than it needs";
    case CertificateRefusal::bad_signature:
      return "one of its signatures is not over this batch";
  }
  return "unknown";
}

std::size_t encode_certificate(const CommitCertificate& certificate, ByteSpan out) {
  std::uint64_t signers = 0;
  for (const SignatureShare& share : certificate.shares) {
    MALLARD_INVARIANT(share.signer.value < replicas_max && signers >> share.signer.value == 0);
    signers |= std::uint64_t{1} << share.signer.value;
  }
  MALLARD_INVARIANT(signers != 0);
  ByteWriter writer(out);
  writer.write(certificate_version);
  writer.write(certificate.source_epoch.value);
  writer.write(certificate.destination_epoch.value);
  write_digest(writer, certificate.previous);
  writer.write(signers);
  for (const SignatureShare& share : certificate.shares) {
    writer.write_bytes(std::as_bytes(std::span(share.signature.bytes)));
  }
  return writer.used();
}

Result<CommitCertificate, CertificateRefusal> decode_certificate(ByteView proof) {
  ByteReader reader(proof);
  const auto version = reader.read<std::uint8_t>();
  CommitCertificate certificate;
  certificate.source_epoch = Epoch(reader.read<std::uint32_t>());
  certificate.destination_epoch = Epoch(reader.read<std::uint32_t>());
  std::ranges::copy(reader.take(certificate.previous.bytes.size()),
                    std::as_writable_bytes(std::span(certificate.previous.bytes)).begin());
  const auto signers = reader.read<std::uint64_t>();
  if (!reader.ok() || version != certificate_version || signers == 0 ||
      reader.remaining() != static_cast<std::size_t>(std::popcount(signers)) * signature_bytes) {
    return Failure<CertificateRefusal>(CertificateRefusal::malformed);
  }
  for (std::uint64_t left = signers; left != 0; left &= left - 1) {
    SignatureShare share{.signer = ReplicaIndex(static_cast<std::uint16_t>(std::countr_zero(left))),
                         .signature = {}};
    std::ranges::copy(reader.take(signature_bytes),
                      std::as_writable_bytes(std::span(share.signature.bytes)).begin());
    certificate.shares.push_back(share);
  }
  return certificate;
}

Result<CommitCertificate, CertificateRefusal> assemble_certificate(const SignerRoster& roster,
                                                                   const CommitStatement& statement,
                                                                   std::span<const SignatureShare> shares) {
  FixedVector<SignatureShare, replicas_max> heaviest_first;
  for (const SignatureShare& share : shares) {
    MALLARD_INVARIANT(share.signer.value < roster.size());
    heaviest_first.push_back(share);
  }
  std::sort(heaviest_first.begin(), heaviest_first.end(),
            [&roster](const SignatureShare& a, const SignatureShare& b) {
              const Weight weight_a = roster.member(a.signer).weight;
              const Weight weight_b = roster.member(b.signer).weight;
              return weight_a != weight_b ? weight_a > weight_b : a.signer < b.signer;
            });
  CommitCertificate certificate{.source_epoch = statement.source_epoch,
                                .destination_epoch = statement.destination_epoch,
                                .previous = statement.fact.previous,
                                .shares = {}};
  Weight weight = 0;
  for (const SignatureShare& share : heaviest_first) {
    if (weight >= roster.threshold()) {
      break;
    }
    weight += roster.member(share.signer).weight;
    certificate.shares.push_back(share);
  }
  if (weight < roster.threshold()) {
    return Failure<CertificateRefusal>(CertificateRefusal::too_little_weight);
  }
  std::sort(certificate.shares.begin(), certificate.shares.end(),
            [](const SignatureShare& a, const SignatureShare& b) { return a.signer < b.signer; });
  return certificate;
}

Result<CertifiedBatch, CertificateRefusal> check_certificate(const CertificateContext& context,
                                                             const BatchRange& range, ByteView messages,
                                                             ByteView proof, CheckedClaims* known) {
  const auto certificate = decode_certificate(proof);
  if (!certificate) {
    return Failure<CertificateRefusal>(certificate.error());
  }
  if (auto claims = check_claims(context, range, *certificate); !claims) {
    return Failure<CertificateRefusal>(claims.error());
  }
  const BatchFact fact{.link = context.link,
                       .range = range,
                       .previous = certificate->previous,
                       .payload = payload_digest(messages)};
  const StatementBytes statement = canonical_bytes({.fact = fact,
                                                    .source_epoch = context.source_epoch,
                                                    .destination_epoch = context.destination_epoch,
                                                    .roster = context.roster->digest()});
  // The statement holds the roster's digest, so that these bytes determine what the signatures are worth.
  const Digest claim = known != nullptr ? digest_of(statement, proof) : Digest{};
  if (known != nullptr && known->knows(claim)) {
    return CertifiedBatch(fact, root_of(fact));
  }
  for (const SignatureShare& share : certificate->shares) {
    if (!is_share_of(*context.roster, statement, share)) {
      return Failure<CertificateRefusal>(CertificateRefusal::bad_signature);
    }
  }
  if (known != nullptr) {
    known->remember(claim);
  }
  return CertifiedBatch(fact, root_of(fact));
}

}  // namespace mallard::crypto
