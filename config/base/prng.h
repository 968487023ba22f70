// Seeded pseudo-random numbers: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). Randomness is an input like
// time: every stream is named by the seed that it was made from, and the same seed gives the same stream on
// every compiler.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/base/invariant.h"
#include "config/base/uint128.h"

namespace mallard {

class Prng {
 public:
  explicit constexpr Prng(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return mix(state_);
  }

  // Uniform in [0, bound); bound must not be 0. By multiplication (Lemire 2019); the bias is below bound /
  // 2^64.
  std::uint64_t below(std::uint64_t bound) {
    MALLARD_INVARIANT(bound > 0);
    return static_cast<std::uint64_t>((static_cast<Uint128>(next()) * bound) >> 64);
  }

  // Uniform in [low, high], both ends included; low must not exceed high.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    MALLARD_INVARIANT(low <= high);
    const std::uint64_t width = high - low;
    return width == UINT64_MAX ? next() : low + below(width + 1);
  }

  // True with probability parts / 1'000'000.
  bool one_in_million(std::uint64_t parts) { return below(1'000'000) < parts; }

  // A stream of its own for `name`: draws from it do not shift the draws of any other.
  [[nodiscard]] constexpr Prng child(std::string_view name, std::uint64_t index = 0) const {
    std::uint64_t hash = mix(state_ ^ 0xd1b54a32d192ed03ULL) + index * 0x9e3779b97f4a7c15ULL;
    for (const char c : name) {
      hash = mix(hash ^ static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    }
    return Prng(mix(hash));
  }

 private:
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

}  // namespace mallard
