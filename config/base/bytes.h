// Explicit little-endian encoding over byte spans. A reader or writer that meets the end of its span becomes
// bad and stays bad; the caller checks once, at the end. No byte is ever reinterpreted as a struct.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "config/base/invariant.h"

namespace mallard {

// Integers are copied as they lie in memory; every machine that Mallard is built for agrees with the wire.
static_assert(std::endian::native == std::endian::little);

using ByteView = std::span<const std::byte>;
using ByteSpan = std::span<std::byte>;

// Reads integers from the front of foreign bytes. After a short read every further read yields 0 and ok() is
// false.
class ByteReader {
 public:
  explicit constexpr ByteReader(ByteView bytes) : rest_(bytes) {}

  template <class T>
  requires std::is_unsigned_v<T> T read() {
    if (rest_.size() < sizeof(T)) {
      fail();
      return 0;
    }
    T value = 0;
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }

  // The next `count` bytes as a view into the original span; empty, and bad, when there are fewer.
  ByteView take(std::size_t count) {
    if (rest_.size() < count) {
      fail();
      return {};
    }
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

 private:
  void fail() {
    ok_ = false;
    rest_ = {};
  }

  ByteView rest_;
  bool ok_ = true;
};

// Writes integers to the front of a span of our own. The caller sized the span; running out is our bug.
class ByteWriter {
 public:
  explicit constexpr ByteWriter(ByteSpan bytes) : bytes_(bytes) {}

  template <class T>
  requires std::is_unsigned_v<T>
  void write(T value) {
    MALLARD_INVARIANT(bytes_.size() - used_ >= sizeof(T));
    std::memcpy(bytes_.data() + used_, &value, sizeof(T));
    used_ += sizeof(T);
  }

  void write_bytes(ByteView source) {
    MALLARD_INVARIANT(bytes_.size() - used_ >= source.size());
    if (!source.empty()) {
      std::memcpy(bytes_.data() + used_, source.data(), source.size());
    }
    used_ += source.size();
  }

  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  ByteSpan bytes_;
  std::size_t used_ = 0;
};

}  // namespace mallard
