// The batches of one link after the last that was released, and everybody's shares of them. Numbers are found
// by masking, so that nothing is searched and nothing allocated; what a number leaves behind is cleared
// before its place is used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/base/ids.h"
#include "config/base/time.h"
#include "crypto/commit_certificate.h"
#include "crypto/digest.h"
#include "crypto/signature.h"
#include "rsm/core/certify/signers.h"

namespace mallard::rsm::certify {

class ShareWindow {
 public:
  // What is known of one batch. The sets say whose share is in which state; own one among them.
  struct Batch {
    bool known = false;  // decided and durable here; the fields up to `since` mean something
    bool certified = false;
    crypto::BatchRange range;
    crypto::Digest payload;
    crypto::Digest previous;
    crypto::Digest root;
    Instant since;                 // when it became known
    ReplicaSet held = 0;           // a share is here
    ReplicaSet checking = 0;       // its signature is being checked
    ReplicaSet valid = 0;          // it is theirs, over this batch
    ReplicaSet refused = 0;        // it is not
    ReplicaSet contradicting = 0;  // it is of another batch than the one that is decided here
    ReplicaSet signers = 0;        // of the certificate
  };
  struct Entry {
    crypto::Digest root;
    crypto::Signature signature;
  };

  // `batches`: a power of two, at least 64. The only allocation happens here.
  ShareWindow(std::size_t batches, std::size_t signers);

  // Batches base + 1 .. base + batches are inside.
  [[nodiscard]] BatchNumber base() const { return base_; }
  [[nodiscard]] bool contains(BatchNumber batch) const {
    return batch > base_ && batch.value - base_.value <= batches_.size();
  }
  [[nodiscard]] std::size_t size() const { return batches_.size(); }

  [[nodiscard]] Batch& at(BatchNumber batch) { return batches_[place(batch)]; }
  [[nodiscard]] const Batch& at(BatchNumber batch) const { return batches_[place(batch)]; }
  // The share in at(batch).held of this signer.
  [[nodiscard]] Entry& share(BatchNumber batch, ReplicaIndex signer) {
    return entries_[place(batch) * signers_ + signer.value];
  }
  [[nodiscard]] const Entry& share(BatchNumber batch, ReplicaIndex signer) const {
    return entries_[place(batch) * signers_ + signer.value];
  }

  // Forgets every batch; the window begins behind `base`.
  void reset(BatchNumber base);
  // Forgets batches up to `base`. Never down.
  void advance(BatchNumber base);

 private:
  [[nodiscard]] std::size_t place(BatchNumber batch) const { return batch.value & (batches_.size() - 1); }

  BatchNumber base_;
  std::size_t signers_;
  std::vector<Batch> batches_;
  std::vector<Entry> entries_;
};

}  // namespace mallard::rsm::certify
