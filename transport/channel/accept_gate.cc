#include "transport/channel/accept_gate.h"

#include <algorithm>

namespace mallard::transport {
namespace {

constexpr std::int64_t whole = 1'000'000'000;

}  // namespace

AcceptGate::AcceptGate(const ChannelLimits& limits)
    : per_second_(limits.accepts_per_second), per_second_and_prefix_(limits.accepts_per_second_and_prefix) {
  total_.tokens_e9 = per_second_ * whole;
}

bool AcceptGate::admit(std::uint64_t prefix, Instant now) {
  Bucket& near = bucket_of(prefix, now);
  refill(near, per_second_and_prefix_, now);
  refill(total_, per_second_, now);
  if (near.tokens_e9 < whole || total_.tokens_e9 < whole) {
    return false;
  }
  near.tokens_e9 -= whole;
  total_.tokens_e9 -= whole;
  return true;
}

void AcceptGate::refill(Bucket& bucket, std::uint32_t per_second, Instant now) {
  // One second fills a bucket; capping first keeps the product within 64 bits.
  const std::int64_t passed_ns = std::min((now - bucket.seen).ns, Duration::seconds(1).ns);
  bucket.tokens_e9 = std::min(bucket.tokens_e9 + passed_ns * per_second, per_second * whole);
  bucket.seen = now;
}

AcceptGate::Bucket& AcceptGate::bucket_of(std::uint64_t prefix, Instant now) {
  Bucket* oldest = &buckets_[0];
  for (Bucket& bucket : buckets_) {
    if (bucket.used && bucket.prefix == prefix) {
      return bucket;
    }
    if (!bucket.used || (oldest->used && bucket.seen < oldest->seen)) {
      oldest = &bucket;
    }
  }
  *oldest = {.prefix = prefix, .tokens_e9 = per_second_and_prefix_ * whole, .seen = now, .used = true};
  return *oldest;
}

}  // namespace mallard::transport
