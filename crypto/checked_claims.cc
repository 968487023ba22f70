#include "crypto/checked_claims.h"

#include <cstdint>
#include <cstring>

#include "config/base/invariant.h"

namespace mallard::crypto {

CheckedClaims::CheckedClaims(std::size_t places) : places_(places) { MALLARD_INVARIANT(places > 0); }

std::size_t CheckedClaims::place_of(const Digest& claim) const {
  std::uint64_t start = 0;
  std::memcpy(&start, claim.bytes.data(), sizeof(start));
  return start % places_.size();
}

void CheckedClaims::remember(const Digest& claim) {
  const std::size_t place = place_of(claim);
  const std::lock_guard lock(mutex_);
  places_[place] = claim;
}

bool CheckedClaims::knows(const Digest& claim) const {
  const std::size_t place = place_of(claim);
  const std::lock_guard lock(mutex_);
  return claim != Digest{} && places_[place] == claim;
}

}  // namespace mallard::crypto
