// How the shared-memory backends write down a grant, and what a direct region's control word says. A number
// grows with every grant (contract: GrantNumber), since its high bits do.
#pragma once

#include <cstdint>

#include "config/contract/one_sided.h"

namespace mallard::memory {

// Bits 16 to 63: sequence; 8 to 15: the holder; 0 to 7: the instance of the region (direct mode).
struct GrantWord {
  std::uint64_t value = 0;

  static constexpr std::uint64_t nobody = 0xff;  // as holder: nobody may write
  static constexpr std::uint64_t moving = 0xff;  // as instance: the region is between two instances

  static constexpr GrantWord of(std::uint64_t sequence, std::uint64_t holder, std::uint64_t instance) {
    return {sequence << 16 | holder << 8 | instance};
  }
  [[nodiscard]] constexpr std::uint64_t sequence() const { return value >> 16; }
  [[nodiscard]] constexpr std::uint64_t holder() const { return value >> 8 & 0xff; }
  [[nodiscard]] constexpr std::uint64_t instance() const { return value & 0xff; }
  friend constexpr bool operator==(GrantWord, GrantWord) = default;
};

// Where a domain's life begins to count its grants: so late that it is beyond those of earlier lives. By the
// wall clock in milliseconds; a clock set back by more than the machine was down makes an earlier life's
// numbers come again, which is harmless while links die with their domain.
[[nodiscard]] std::uint64_t first_grant_sequence();

}  // namespace mallard::memory
