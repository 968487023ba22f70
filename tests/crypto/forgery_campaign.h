// Many forgeries of every class, each beside an honest certificate of the same cluster, and every single-bit
// flip of honest ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tests/crypto/certificate_stage.h"

namespace mallard::crypto {

struct ForgeryCount {
  std::uint64_t made = 0;
  std::uint64_t accepted = 0;
  std::array<std::uint64_t, certificate_refusals> refused{};  // by CertificateRefusal
};

struct CampaignResult {
  std::array<ForgeryCount, forgeries> forged{};  // by Forgery
  ForgeryCount flips;                            // of one bit of proof, messages or range
  std::uint64_t controls = 0;                    // honest certificates
  std::uint64_t controls_accepted = 0;

  // No forgery was accepted, no control refused.
  [[nodiscard]] bool is_clean() const;
  void add(const CampaignResult& other);
};

// At least `count` forgeries, as many of each class as of any other; a new cluster after every 8 of each.
[[nodiscard]] CampaignResult forge_many(std::uint64_t seed, std::uint64_t count);

// Flips each bit of the proof, the messages and the range of `certificates` honest batches, one at a time.
// The clusters have at most 7 replicas: what more signatures would add is more of the same.
[[nodiscard]] CampaignResult flip_every_bit(std::uint64_t seed, std::uint64_t certificates);

}  // namespace mallard::crypto
