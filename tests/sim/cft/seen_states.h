// Digests of states that an explorer has met.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mallard::sim::cft {

// A set of 64-bit digests with open addressing. Two of n states share a digest with probability n^2 / 2^65:
// one in a million for six million states.
class SeenStates {
 public:
  SeenStates() : places_(1U << 16) {}

  // True if it is new.
  bool insert(std::uint64_t digest) {
    if (digest == 0) digest = 1;
    if (2 * (count_ + 1) > places_.size()) grow();
    if (!put(digest)) return false;
    ++count_;
    return true;
  }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  bool put(std::uint64_t digest) {
    std::size_t at = digest & (places_.size() - 1);
    while (places_[at] != 0) {
      if (places_[at] == digest) return false;
      at = (at + 1) & (places_.size() - 1);
    }
    places_[at] = digest;
    return true;
  }
  void grow() {
    std::vector<std::uint64_t> old(places_.size() * 2);
    old.swap(places_);
    for (const std::uint64_t digest : old) {
      if (digest != 0) put(digest);
    }
  }

  std::vector<std::uint64_t> places_;  // a power of two; 0: free
  std::size_t count_ = 0;
};

}  // namespace mallard::sim::cft
