#include "transport/channel/channel_limits.h"

#include "transport/channel/accept_gate.h"
#include "transport/channel/session.h"

namespace mallard::transport {
namespace {

// A connection whose peer has proved nothing yet: two record buffers of OpenSSL, its session and ours.
// Measured, rounded up; a handshake in the middle of its reading holds all of it.
constexpr std::uint64_t pending_handshake_bytes = 64U << 10;
// What a set has once: TLS context, roster, listener. Measured at half of it.
constexpr std::uint64_t set_bytes = 64U << 10;
// A peer's place beside its session: names, counters, dialer.
constexpr std::uint64_t peer_place_bytes = 4096;

}  // namespace

std::uint64_t channel_memory_bytes(const ChannelLimits& limits, std::size_t peers) {
  return peers * (Session::memory_bytes(limits) + peer_place_bytes) +
         limits.pending_handshakes * pending_handshake_bytes + set_bytes + sizeof(AcceptGate);
}

}  // namespace mallard::transport
