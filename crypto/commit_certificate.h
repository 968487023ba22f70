// Commit certificates: proof, checkable by outsiders, that a cluster decided a batch of a link, executed it
// and made it durable (Picsou section 3, property iii; reliability.md 2.5). A certificate is a set of
// signatures of the source's replicas over one statement.
//
// What is signed, integers little-endian, 188 bytes:
//
//   24 bytes "mallard.certificate.v1", padded with zeros
//   32 bytes names; u16 source, u16 destination, u16 link; u32 generation
//   u32 source epoch, u32 destination epoch; 32 bytes digest of the source's roster in that epoch
//   u64 batch; u64 first message, u16 messages; 32 bytes previous root; 32 bytes digest of the payload
//
// What travels behind the batch's messages, as its proof:
//
//   u8 version, 1
//   u32 source epoch, u32 destination epoch
//   32 bytes previous root
//   u64 signers: bit i is set when replica i signed; so no order or repetition can be expressed
//   64 bytes of signature for each set bit, ascending
//
// Everything else of the statement the checker knows from the batch itself and from its own configuration: a
// certificate of another link, direction, generation or epoch is one over other bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "config/base/bytes.h"
#include "config/base/fixed_vector.h"
#include "config/base/ids.h"
#include "config/base/limits.h"
#include "config/base/result.h"
#include "crypto/digest.h"
#include "crypto/signature.h"
#include "crypto/signer_roster.h"

namespace mallard::crypto {

class CheckedClaims;

// One numbering of one link, as both clusters name it.
struct CertifiedLink {
  Digest names;  // names_digest(): tells deployments apart whose files count their clusters alike
  ClusterIndex source;
  ClusterIndex destination;
  LinkIndex link;
  Generation generation;
  friend constexpr bool operator==(const CertifiedLink&, const CertifiedLink&) = default;
};

// Of the names of the two clusters and of the link, which stay when members come and go.
[[nodiscard]] Digest names_digest(std::string_view source, std::string_view destination,
                                  std::string_view link);

// Which messages: first, first + 1, ... first + count - 1, as batch `batch`. Good when all three are at least
// 1, count is at most batch_messages_max, and the last message's number fits 64 bits.
struct BatchRange {
  BatchNumber batch;
  MessageNumber first;
  std::uint16_t count = 0;
  friend constexpr bool operator==(const BatchRange&, const BatchRange&) = default;
};
[[nodiscard]] bool is_good_range(const BatchRange& range);

// Of a batch's messages as they travel: each as u32 length and bytes, without the proof behind them.
[[nodiscard]] Digest payload_digest(ByteView messages);

// What is decided, and nothing about when it was signed: it stays the same when a batch is signed once more
// in a later epoch. Batches of a link are chained: each names the root of the one before.
struct BatchFact {
  CertifiedLink link;
  BatchRange range;
  Digest previous;  // root of the batch before; of batch 1: chain_start()
  Digest payload;   // payload_digest()
  friend constexpr bool operator==(const BatchFact&, const BatchFact&) = default;
};

// What the first batch of a numbering names as the root before it.
[[nodiscard]] Digest chain_start(const CertifiedLink& link);

// Names the fact and, through the chain, every batch before it. A correct replica never signs two facts with
// different roots for one batch of one numbering (E4); two certificates that do are evidence (E7).
[[nodiscard]] Digest root_of(const BatchFact& fact);

// What one signature says: this was decided, executed and made durable, as a member of this roster of the
// source, for the destination in this epoch. A signature counts in its own pair of epochs only
// (reliability.md G3).
struct CommitStatement {
  BatchFact fact;
  Epoch source_epoch;
  Epoch destination_epoch;
  Digest roster;  // SignerRoster::digest() of the source
  friend constexpr bool operator==(const CommitStatement&, const CommitStatement&) = default;
};

inline constexpr std::string_view certificate_domain = "mallard.certificate.v1";
inline constexpr std::size_t certificate_domain_bytes = 24;
inline constexpr std::size_t statement_bytes = certificate_domain_bytes + 4 * sizeof(Digest) +
                                               3 * sizeof(std::uint32_t) + 4 * sizeof(std::uint16_t) +
                                               2 * sizeof(std::uint64_t);
static_assert(statement_bytes == 188);

// The bytes to sign. Different statements have different bytes.
using StatementBytes = std::array<std::byte, statement_bytes>;
[[nodiscard]] StatementBytes canonical_bytes(const CommitStatement& statement);

// One replica's signature over a statement that is known from elsewhere.
struct SignatureShare {
  ReplicaIndex signer;
  Signature signature;
  friend constexpr bool operator==(const SignatureShare&, const SignatureShare&) = default;
};

// Whether the share is of a member of `roster` over exactly these bytes.
[[nodiscard]] bool is_share_of(const SignerRoster& roster, const StatementBytes& statement,
                               const SignatureShare& share);

struct CommitCertificate {
  Epoch source_epoch;
  Epoch destination_epoch;
  Digest previous;
  FixedVector<SignatureShare, replicas_max> shares;  // ascending by signer, at least one
  friend bool operator==(const CommitCertificate&, const CommitCertificate&) = default;
};

inline constexpr std::size_t certificate_head_bytes = 1 + 2 * 4 + 32 + 8;
inline constexpr std::size_t certificate_bytes_max = certificate_head_bytes + replicas_max * signature_bytes;
static_assert(certificate_bytes_max <= proof_bytes_max);

[[nodiscard]] constexpr std::size_t certificate_bytes(std::size_t shares) {
  return certificate_head_bytes + shares * signature_bytes;
}

// Why a certificate proves nothing. The order is that of the checks, the cheap ones first.
enum class CertificateRefusal : std::uint8_t {
  malformed,          // not the one encoding of a certificate of a known version
  wrong_roster,       // the checker's own: it has no roster of the source in the expected epoch
  bad_range,          // no batch has such numbers
  wrong_epoch,        // of another pair of epochs
  wrong_chain_start,  // batch 1 does not begin the chain, or a later one has no root before it
  unknown_signer,     // a signer that the roster does not have
  too_little_weight,  // below the roster's threshold
  spare_signature,    // one signer could be left out: only the work of checking would grow
  bad_signature,      // at least one of them
};
inline constexpr std::size_t certificate_refusals = 9;
// A phrase without a final stop.
[[nodiscard]] std::string_view certificate_refusal_text(CertificateRefusal refusal);

// Writes the certificate at the start of `out`, which has room for certificate_bytes(shares), and returns how
// many bytes that is. The shares are in order.
std::size_t encode_certificate(const CommitCertificate& certificate, ByteSpan out);

// From all bytes of a proof. Checks form only. What decodes encodes to the same bytes.
[[nodiscard]] Result<CommitCertificate, CertificateRefusal> decode_certificate(ByteView proof);

// Picks from `shares`, which are good ones (is_share_of) of different signers, the heaviest until their
// weight is enough: then none is spare. None when all of them together do not weigh enough.
[[nodiscard]] Result<CommitCertificate, CertificateRefusal> assemble_certificate(
    const SignerRoster& roster, const CommitStatement& statement, std::span<const SignatureShare> shares);

// What the checker expects, from its own state and configuration; nothing of it comes from a peer.
struct CertificateContext {
  CertifiedLink link;
  Epoch source_epoch;
  Epoch destination_epoch;
  const SignerRoster* roster = nullptr;  // the source's in source_epoch; without one nothing is accepted
};

// A batch that the source decided. Only check_certificate() makes one, so that what takes it cannot be given
// anything unchecked (reliability.md E8).
class CertifiedBatch {
 public:
  [[nodiscard]] const BatchFact& fact() const { return fact_; }
  [[nodiscard]] const Digest& root() const { return root_; }
  // Whether this batch comes directly after the one with root `last`; for the first one: chain_start().
  [[nodiscard]] bool continues(const Digest& last) const { return fact_.previous == last; }

 private:
  friend Result<CertifiedBatch, CertificateRefusal> check_certificate(const CertificateContext& context,
                                                                      const BatchRange& range,
                                                                      ByteView messages, ByteView proof,
                                                                      CheckedClaims* known);
  CertifiedBatch(const BatchFact& fact, const Digest& root) : fact_(fact), root_(root) {}

  BatchFact fact_;
  Digest root_;
};

// Whether the source decided `messages` as the batch `range`. Everything about a batch and its proof may come
// from a liar. Every signature is verified, not only as many as are needed; the first bad one ends it.
// Allocates nothing, and the verdict depends on the first four arguments alone. With `known`, signatures
// that were verified before, over the same statement in the same certificate, are not verified again.
[[nodiscard]] Result<CertifiedBatch, CertificateRefusal> check_certificate(const CertificateContext& context,
                                                                           const BatchRange& range,
                                                                           ByteView messages, ByteView proof,
                                                                           CheckedClaims* known = nullptr);

}  // namespace mallard::crypto
