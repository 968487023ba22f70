// A cluster that signs, for tests of certify: a roster, the batches that its link has, and signatures that
// are quick to make and to check. Nobody in a test can make one of another replica but by asking for it.
#pragma once

#include <span>
#include <vector>

#include "config/base/ids.h"
#include "crypto/commit_certificate.h"
#include "crypto/key_pair.h"
#include "crypto/signer_roster.h"
#include "rsm/core/certify/event.h"
#include "rsm/core/certify/share.h"

namespace mallard::rsm::certify {

// What is decided on a link: a chain that depends on its numbering only; or, from batch `fork_from` on, on
// `fork` as well, as a log does that has gone back to what it was and then on.
class DecidedChain {
 public:
  explicit DecidedChain(const crypto::CertifiedLink& link, std::uint64_t fork = 0,
                        BatchNumber fork_from = BatchNumber(1));
  [[nodiscard]] const crypto::BatchFact& fact(BatchNumber batch);
  // Of batch 0: the start of the chain.
  [[nodiscard]] const crypto::Digest& root(BatchNumber batch);
  [[nodiscard]] BatchDurable durable(BatchNumber batch) {
    return {link_.link, fact(batch).range, fact(batch).payload};
  }

 private:
  void grow(BatchNumber batch);

  crypto::CertifiedLink link_;
  std::uint64_t fork_;
  BatchNumber fork_from_;
  std::vector<crypto::BatchFact> facts_;
  std::vector<crypto::Digest> roots_;
};

class SigningCluster {
 public:
  SigningCluster(std::span<const Weight> weights, Weight u, Weight r, Epoch epoch = Epoch(1));

  [[nodiscard]] const crypto::SignerRoster& roster() const { return roster_; }
  [[nodiscard]] static crypto::CertifiedLink link(LinkIndex link = LinkIndex(0),
                                                  Generation generation = Generation(1));
  [[nodiscard]] crypto::CommitStatement statement(const crypto::BatchFact& fact) const;
  // The real one.
  [[nodiscard]] crypto::Signature sign(ReplicaIndex by, const crypto::CommitStatement& statement) const;
  // One that stands for it.
  [[nodiscard]] static crypto::Signature mark(ReplicaIndex by, const crypto::CommitStatement& statement);
  [[nodiscard]] Share share(ReplicaIndex by, const crypto::BatchFact& fact) const;

 private:
  std::vector<crypto::KeyPair> keys_;
  crypto::SignerRoster roster_;
};

inline constexpr Epoch destination_epoch{7};

}  // namespace mallard::rsm::certify
