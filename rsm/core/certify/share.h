// What replicas of one cluster send each other of a link: signatures over batches that each of them knows
// from its own log.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/ids.h"
#include "crypto/digest.h"
#include "crypto/signature.h"

namespace mallard::rsm::certify {

// What a share or a request depends on. It counts only where all four equal the receiver's own
// (reliability.md G3).
struct ShareContext {
  LinkIndex link;
  Generation generation;
  Epoch source_epoch;
  Epoch destination_epoch;
  friend constexpr bool operator==(const ShareContext&, const ShareContext&) = default;
};

// One replica's signature over one batch (crypto::canonical_bytes of its statement). Whose it is tells the
// channel that it came over. `root` is what the sender says that the batch is: with another root than the
// receiver's the signature cannot be checked, for it is over bytes that the receiver does not have.
struct Share {
  BatchNumber batch;
  crypto::Digest root;  // crypto::root_of() the batch, and through the chain of all before it
  crypto::Signature signature;
  friend constexpr bool operator==(const Share&, const Share&) = default;
};

// Bit i names batch first + i. At least one bit of a set that is sent is set.
struct BatchSet {
  BatchNumber first;
  std::uint64_t bits = 0;
  friend constexpr bool operator==(const BatchSet&, const BatchSet&) = default;
};

inline constexpr std::size_t shares_per_message_max = 64;  // as many as a set names

}  // namespace mallard::rsm::certify
