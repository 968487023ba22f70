// Which claims have been found true, so that a replay of a valid certificate costs a look and no signature
// check (reliability.md F3, S7).
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "crypto/digest.h"

namespace mallard::crypto {

// A fixed number of places; a newer claim displaces an older one in the same place. What is not found is
// checked again, so forgetting does no harm. Any thread may call; the only allocation is at construction.
class CheckedClaims {
 public:
  // `places` is at least 1.
  explicit CheckedClaims(std::size_t places);

  // Only for a claim whose every signature was verified. The digest is of the signed statement and the
  // certificate together: whoever changes a bit of either asks for another place.
  void remember(const Digest& claim);
  [[nodiscard]] bool knows(const Digest& claim) const;

 private:
  [[nodiscard]] std::size_t place_of(const Digest& claim) const;

  mutable std::mutex mutex_;
  std::vector<Digest> places_;  // all zeros: nothing yet; no claim digests to that
};

}  // namespace mallard::crypto
