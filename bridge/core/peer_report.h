// What one replica of a link's destination last said that it has. Its owner decides whether to believe it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "bridge/core/frame.h"
#include "config/base/limits.h"

namespace mallard::bridge {

class PeerReport {
 public:
  // Takes over a newer acknowledgement. `received` may go back (it is volatile), and `durable` too: a replica
  // that says so has lost its storage, and what it said before no longer counts.
  void update(const AckSection& ack) {
    prefix_ = ack.prefix.value;
    durable_ = ack.durable.value;
    words_ = std::min(ack.phi.words(), phi_.size());
    for (std::size_t i = 0; i < words_; ++i) {
      phi_[i] = ack.phi.word(i);
    }
    heard_ = true;
  }
  // The channel is gone: nothing is known of what it received meanwhile; what is durable stays so.
  void session_ended() { heard_ = false; }

  // Whether it has reported since its channel was opened.
  [[nodiscard]] bool heard() const { return heard_; }
  [[nodiscard]] std::uint64_t prefix() const { return prefix_; }
  [[nodiscard]] std::uint64_t durable() const { return durable_; }

  [[nodiscard]] bool has(std::uint64_t batch) const {
    if (batch <= prefix_) {
      return true;
    }
    const std::uint64_t offset = batch - prefix_ - 1;
    return offset / 64 < words_ && ((phi_[offset / 64] >> (offset % 64)) & 1U) != 0;
  }
  // Whether the report says anything about this batch: beyond the longest phi-list it does not.
  [[nodiscard]] bool covers(std::uint64_t batch) const {
    return batch <= prefix_ || batch - prefix_ <= phi_bits_max;
  }

  // The highest batch that it says it has.
  [[nodiscard]] std::uint64_t highest() const {
    for (std::size_t i = words_; i > 0; --i) {
      if (phi_[i - 1] != 0) {
        return prefix_ + 64 * i - static_cast<std::uint64_t>(std::countl_zero(phi_[i - 1]));
      }
    }
    return prefix_;
  }

 private:
  std::uint64_t prefix_ = 0;
  std::uint64_t durable_ = 0;
  std::size_t words_ = 0;
  std::array<std::uint64_t, phi_bits_max / 64> phi_{};
  bool heard_ = false;
};

}  // namespace mallard::bridge
