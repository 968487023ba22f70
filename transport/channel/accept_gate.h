// How many connections may come in per second, in total and from one neighbourhood, before anyone has proved
// anything.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/base/time.h"
#include "transport/channel/channel_limits.h"

namespace mallard::transport {

// Token buckets. A bucket holds one second's worth, so that much may come at once.
class AcceptGate {
 public:
  // Neighbourhoods are remembered for `neighbourhoods` of them; beyond that the one that has not been seen
  // for longest is forgotten, so a flood from everywhere is held by the total alone.
  static constexpr std::size_t neighbourhoods = 256;

  explicit AcceptGate(const ChannelLimits& limits);

  // `prefix` names the neighbourhood of the source: the first 24 bits of an IPv4 address, the first 64 of an
  // IPv6 address. `now` never goes back.
  [[nodiscard]] bool admit(std::uint64_t prefix, Instant now);

 private:
  struct Bucket {
    std::uint64_t prefix = 0;
    std::int64_t tokens_e9 = 0;  // billionths of a connection
    Instant seen;
    bool used = false;
  };

  static void refill(Bucket& bucket, std::uint32_t per_second, Instant now);
  Bucket& bucket_of(std::uint64_t prefix, Instant now);

  std::uint32_t per_second_;
  std::uint32_t per_second_and_prefix_;
  Bucket total_;
  std::array<Bucket, neighbourhoods> buckets_{};
};

}  // namespace mallard::transport
