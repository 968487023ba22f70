// The guard against signing twice: of one numbering of a link, at most one chain of batches is ever signed by
// this replica, whatever becomes of its process, its log and its memory (reliability.md E4, 5.2).
//
// It keeps a high-water mark: up to which batch signatures may have left, and the root there. The mark is
// durable before they leave. Roots are chained, so that one mark binds the batches before it: who comes to
// the marked batch by the same root has signed, and will sign, the same chain. So batches below the mark may
// be signed again after a restart, whose first signatures may have been lost; a guard that only compared
// numbers would have to refuse them, and the batch would lack this replica's signature for good.
//
// A chain that begins beyond the mark was never compared with what was signed before. The marks that it
// raises bind the batches from there on only; those before it are never signed again.
#pragma once

#include <cstdint>
#include <optional>

#include "config/base/ids.h"
#include "crypto/digest.h"

namespace mallard::rsm::certify {

// Signatures of batches up to `batch` of this generation, and of any older one, may have left; of those above
// `floor`, only such of the chain that has this root. Epochs are no part of it: a batch that is signed once
// more in a later epoch has the root that it had. Nothing signed yet: generation 0.
struct Mark {
  Generation generation;
  BatchNumber floor;
  BatchNumber batch;
  crypto::Digest root;
  friend constexpr bool operator==(const Mark&, const Mark&) = default;
};

enum class GuardState : std::uint8_t {
  open,          // batches up to the mark may be signed, and the mark may rise
  behind,        // the chain has not come to the mark: what it will be there is not known yet
  lost,          // what was signed in an earlier life is not known: nothing until others have certified
  contradicted,  // the chain has another root at the mark: this replica's log is not the one that it signed
  outdated,      // the mark is of a later generation than the link
};

class SignGuard {
 public:
  // `mark`: the last that became durable. `lost`: there was one, perhaps, and it is gone or was put back to
  // an older one (reliability.md I9): the store's owner knows.
  SignGuard(const Mark& mark, bool lost) : mark_(mark), lost_(lost) {}

  // The chain of this generation begins, or goes on elsewhere, behind `after`, which has this root.
  void start(Generation generation, BatchNumber after, const crypto::Digest& root);
  // The chain goes on with this batch.
  void extend(BatchNumber batch, const crypto::Digest& root);
  // Others have certified the own chain up to here, without this replica's signature.
  void confirm(BatchNumber batch);

  [[nodiscard]] GuardState state() const;
  [[nodiscard]] bool may_sign(BatchNumber batch) const;
  // Nothing up to here is signed any more: what was said of it is not known.
  [[nodiscard]] BatchNumber floor() const { return floor_; }

  // The mark that must become durable so that `newest`, with this root, may be signed; none while one is
  // under way, or where none is needed or allowed. The caller orders it; persisted() answers.
  [[nodiscard]] std::optional<Mark> raise(BatchNumber newest, const crypto::Digest& root);
  // The mark that was ordered is durable, though the chain may have begun elsewhere since.
  void persisted();
  [[nodiscard]] const Mark& mark() const { return mark_; }

 private:
  // The next life will know from the mark what must not be signed.
  [[nodiscard]] bool covers_chain() const { return mark_.generation == generation_ && mark_.floor >= floor_; }
  // What a chain that begins is measured by: a mark that is under way will allow what is at it.
  [[nodiscard]] const Mark& binding() const { return pending_ ? *pending_ : mark_; }

  Mark mark_;  // durable
  bool lost_;
  std::optional<Mark> pending_;
  Generation generation_;  // of the chain
  BatchNumber floor_;
  GuardState state_ = GuardState::open;  // as if no mark had been lost
};

}  // namespace mallard::rsm::certify
