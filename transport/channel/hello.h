// The first message each way on a channel, after TLS has proved both keys. It says who speaks, for what, in
// which life and with which configuration, so that a wrong deployment is named before anything else goes
// wrong.
//
//   u32 magic "mlrd"; u16 length of the rest (81 today, up to 256; bytes beyond those known are ignored)
//   u16 lowest, u16 highest wire version; u8 plane; u16 cluster, u16 replica; u64 incarnation;
//   32 bytes configuration digest; 32 bytes binding (exported from the TLS session over all bytes before it)
//
// Integers little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/base/result.h"
#include "crypto/digest.h"
#include "transport/channel/peer_identity.h"

namespace mallard::transport {

// The wire versions that a process can speak, both ends included; 1 <= min <= max.
struct WireVersions {
  std::uint16_t min = 1;
  std::uint16_t max = 1;
  friend constexpr bool operator==(WireVersions, WireVersions) = default;
};

struct Hello {
  WireVersions versions;
  Plane plane = Plane::bridge;
  ReplicaAddress from;
  Incarnation incarnation;
  crypto::Digest configuration;
  std::array<std::uint8_t, 32>
      binding{};  // RFC 5705 keying material: a hello is good on one TLS session only
  friend constexpr bool operator==(const Hello&, const Hello&) = default;
};

inline constexpr std::size_t hello_prefix_bytes = 6;
inline constexpr std::size_t hello_rest_bytes = 2 + 2 + 1 + 2 + 2 + 8 + 32 + 32;
inline constexpr std::size_t hello_bytes = hello_prefix_bytes + hello_rest_bytes;
inline constexpr std::size_t hello_bound_bytes = hello_bytes - 32;  // what the binding covers
inline constexpr std::size_t hello_rest_bytes_max = 256;

// Why a hello is not accepted. The order is that of the checks.
enum class HelloRefusal : std::uint8_t {
  not_a_hello,     // wrong magic, impossible length, plane or version range
  wrong_binding,   // made for another TLS session
  wrong_identity,  // claims another address than its key has
  other_plane,
  other_configuration,
  no_common_version,
  older_incarnation,  // a newer life of the same replica is connected
};
inline constexpr std::size_t hello_refusals = 7;

// A sentence for an operator: what is wrong and what to do.
[[nodiscard]] std::string_view hello_refusal_text(HelloRefusal refusal);

// `out` holds hello_bytes.
void encode_hello(const Hello& hello, ByteSpan out);

// From the first hello_prefix_bytes bytes: how many follow.
[[nodiscard]] Result<std::size_t, HelloRefusal> decode_hello_prefix(ByteView prefix);

// From all bytes, prefix included. Checks form only.
[[nodiscard]] Result<Hello, HelloRefusal> decode_hello(ByteView bytes);

// Checks a peer's well-formed hello against our own and against what TLS proved: `proved` is the address
// whose key the peer holds, `binding` what its hello must be bound with. Yields the wire version to speak.
[[nodiscard]] Result<std::uint16_t, HelloRefusal> judge_hello(const Hello& theirs, const Hello& ours,
                                                              ReplicaAddress proved,
                                                              const std::array<std::uint8_t, 32>& binding);

}  // namespace mallard::transport
