// A source cluster whose keys are all known, a destination that checks its batches, and what can be claimed
// in the source's name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "config/base/prng.h"
#include "crypto/commit_certificate.h"
#include "crypto/key_pair.h"

namespace mallard::crypto {

// Each is a certificate that is valid but for one thing. "Over": the true signers signed a statement that
// differs in that field.
enum class Forgery : std::uint8_t {
  over_other_names,
  over_other_source,
  over_other_destination,
  over_the_other_direction,
  over_other_link,
  over_other_generation,
  over_other_source_epoch,       // and says the expected one
  over_other_destination_epoch,  // likewise
  over_other_roster,
  over_other_batch,
  over_other_first,
  over_other_count,
  over_other_previous,
  over_other_payload,
  over_other_domain,
  of_other_source_epoch,  // and says so
  of_other_destination_epoch,
  chain_of_zeros,            // signed so
  chain_starts_in_between,   // a later batch that names the start of the chain
  chain_starts_elsewhere,    // a first batch that names another root
  range_of_none,             // no messages, or more than fit
  one_signer_less,           // all but one of those that were needed
  one_signature_of_garbage,  // the others suffice but for this one
  repeated_signature,        // one replica's signature in another's place too
  swapped_signatures,
  spare_signature,
  of_another_cluster,     // one key is another cluster's
  of_an_ended_epoch,      // one key is the same replica's of the epoch before
  stolen_and_ended_keys,  // weight r of this epoch's keys, the others of the epoch before
  signature_of_other_batch,
  unreduced_scalar,
  neutral_commitment,  // made by the key's owner: the equation holds, R is of small order
  unknown_signer,      // a bit of the set beyond the roster, with a signature of a member
  wrong_signer,        // a bit of the set is another member's
  no_signer,
  other_version,
  trailing_byte,
  missing_byte,
  missing_signature,
};
inline constexpr std::size_t forgeries = 39;
[[nodiscard]] std::string_view forgery_name(Forgery forgery);

// What a peer brings.
struct Claim {
  BatchRange range;
  std::vector<std::byte> messages;
  std::vector<std::byte> proof;
};

class CertificateStage {
 public:
  // Draws everything: size, weights, crash-tolerant or Byzantine, keys, link, epochs. At least two signatures
  // are needed, and one more than is needed can be had.
  // `size_max` replicas at most, 4 to 19; small clusters are drawn more often.
  explicit CertificateStage(Prng random, std::size_t size_max = 19);

  [[nodiscard]] const SignerRoster& roster() const { return roster_; }
  [[nodiscard]] CertificateContext context() const;
  [[nodiscard]] Result<CertifiedBatch, CertificateRefusal> check(const Claim& claim) const;

  // A batch that the source decided, signed by a random set of replicas that is just enough.
  [[nodiscard]] Claim honest();
  // The same for a certain batch after a certain root, with messages of its own each time.
  [[nodiscard]] Claim decide(const BatchRange& range, const Digest& previous);
  [[nodiscard]] Claim forge(Forgery forgery);

 private:
  struct Member {
    KeyPair now;
    KeyPair before;   // its key of the epoch before
    KeyPair foreign;  // of the same place in another cluster
  };
  struct Draft {
    BatchRange range;
    std::vector<std::byte> messages;
    CommitStatement said;  // what is signed
    Epoch source_epoch;    // what the certificate says
    Epoch destination_epoch;
    Digest previous;
    bool other_domain = false;
  };

  [[nodiscard]] KeyPair draw_key();
  [[nodiscard]] SignerRoster draw_roster(std::size_t size_max);
  [[nodiscard]] Digest draw_digest();
  [[nodiscard]] std::uint64_t draw_other(std::uint64_t value, std::uint64_t low, std::uint64_t high);
  [[nodiscard]] Draft draw_draft();
  [[nodiscard]] static Claim claim_of(Draft draft, const CommitCertificate& certificate);
  [[nodiscard]] std::vector<ReplicaIndex> draw_signers();
  [[nodiscard]] std::vector<ReplicaIndex> without_spare(std::vector<ReplicaIndex> signers) const;
  [[nodiscard]] CommitCertificate sign_draft(const Draft& draft, const std::vector<ReplicaIndex>& signers);

  void misstate_link(Forgery forgery, Draft& draft);
  void misstate_batch(Forgery forgery, Draft& draft);
  void misname_chain(Forgery forgery, Draft& draft);
  void spoil_shares(Forgery forgery, const Draft& draft, CommitCertificate& certificate);
  void steal(Forgery forgery, const Draft& draft, CommitCertificate& certificate);
  void spoil_bytes(Forgery forgery, std::vector<std::byte>& proof);

  Prng random_;
  std::vector<Member> members_;
  Weight stolen_max_ = 0;  // what thieves may weigh; drawn with the roster
  SignerRoster roster_;
  CertifiedLink link_;
  Epoch source_epoch_;
  Epoch destination_epoch_;
};

}  // namespace mallard::crypto
