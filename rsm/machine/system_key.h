// Keys of the system tree: what the machine itself must remember beside what clients stored.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "config/base/bytes.h"

namespace mallard::rsm {

enum class SystemSpace : std::uint8_t { meta = 0, session = 1, session_queue = 2, link = 3 };

// A space and a number in it, big-endian, so that keys are ordered as the numbers are.
class SystemKey {
 public:
  static constexpr std::size_t size_bytes = 9;

  SystemKey(SystemSpace space, std::uint64_t number) {
    bytes_[0] = static_cast<std::byte>(space);
    for (std::size_t i = 0; i < 8; ++i) {
      bytes_[1 + i] = static_cast<std::byte>((number >> (8 * (7 - i))) & 0xffU);
    }
  }

  // The number of a key of this form.
  [[nodiscard]] static std::uint64_t number_of(ByteView key) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      number = number << 8U | std::to_integer<std::uint64_t>(key[1 + i]);
    }
    return number;
  }

  [[nodiscard]] ByteView view() const { return bytes_; }

 private:
  std::array<std::byte, size_bytes> bytes_{};
};

}  // namespace mallard::rsm
