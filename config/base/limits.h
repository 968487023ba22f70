// Every limit that is fixed when Mallard is built, in one place, with how they relate. What an operator may
// set is in the settings structs; its ranges end at these.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallard {

inline constexpr std::size_t clusters_max = 16;
inline constexpr std::size_t replicas_max = 64;           // per cluster
inline constexpr std::size_t links_max = 64;              // per pairing
inline constexpr std::size_t batch_bytes_max = 1U << 20;  // payload of one batch
inline constexpr std::size_t batch_messages_max = 4096;
inline constexpr std::size_t message_bytes_max = 256U << 10;
inline constexpr std::size_t window_batches_max = 65'536;  // per link
inline constexpr std::size_t phi_bits_max = 4096;          // per acknowledgement
inline constexpr std::size_t pulls_per_frame_max = 32;
inline constexpr std::size_t sections_per_frame_max = 3;
inline constexpr std::size_t proof_bytes_max = 8U << 10;
inline constexpr std::uint64_t cluster_weight_max = (1ULL << 63) - 1;

static_assert(phi_bits_max % 64 == 0, "a phi-list is whole 64-bit words");
static_assert(phi_bits_max <= window_batches_max, "a phi-list never names a batch beyond the largest window");
static_assert(message_bytes_max <= batch_bytes_max, "a message fits its batch");

}  // namespace mallard
