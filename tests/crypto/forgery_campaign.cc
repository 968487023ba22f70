#include "tests/crypto/forgery_campaign.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace mallard::crypto {
namespace {

constexpr std::uint64_t rounds_per_stage = 8;

void count(ForgeryCount& counts, const CertificateStage& stage, const Claim& claim) {
  ++counts.made;
  if (const auto checked = stage.check(claim)) {
    ++counts.accepted;
  } else {
    ++counts.refused[static_cast<std::size_t>(checked.error())];
  }
}

void count_control(CampaignResult& result, const CertificateStage& stage, const Claim& claim) {
  ++result.controls;
  result.controls_accepted += stage.check(claim).has_value() ? 1U : 0U;
}

void flip(std::byte& byte, unsigned bit) { byte ^= static_cast<std::byte>(1U << bit); }

void flip_bytes(CampaignResult& result, const CertificateStage& stage, Claim& claim,
                std::vector<std::byte>& bytes) {
  for (std::byte& byte : bytes) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      flip(byte, bit);
      count(result.flips, stage, claim);
      flip(byte, bit);
    }
  }
}

template <class T>
void flip_number(CampaignResult& result, const CertificateStage& stage, Claim& claim, T& number) {
  for (unsigned bit = 0; bit < 8 * sizeof(T); ++bit) {
    number = static_cast<T>(number ^ (T{1} << bit));
    count(result.flips, stage, claim);
    number = static_cast<T>(number ^ (T{1} << bit));
  }
}

}  // namespace

bool CampaignResult::is_clean() const {
  const auto none_accepted = [](const ForgeryCount& counts) { return counts.accepted == 0; };
  return std::ranges::all_of(forged, none_accepted) && none_accepted(flips) && controls_accepted == controls;
}

void CampaignResult::add(const CampaignResult& other) {
  const auto add_counts = [](ForgeryCount& to, const ForgeryCount& from) {
    to.made += from.made;
    to.accepted += from.accepted;
    for (std::size_t i = 0; i < to.refused.size(); ++i) {
      to.refused[i] += from.refused[i];
    }
  };
  for (std::size_t i = 0; i < forged.size(); ++i) {
    add_counts(forged[i], other.forged[i]);
  }
  add_counts(flips, other.flips);
  controls += other.controls;
  controls_accepted += other.controls_accepted;
}

CampaignResult forge_many(std::uint64_t seed, std::uint64_t count_of_all) {
  CampaignResult result;
  const std::uint64_t rounds = (count_of_all + forgeries - 1) / forgeries;
  std::optional<CertificateStage> stage;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    if (round % rounds_per_stage == 0) {
      stage.emplace(Prng(seed).child("stage", round));
    }
    for (std::size_t i = 0; i < forgeries; ++i) {
      count(result.forged[i], *stage, stage->forge(static_cast<Forgery>(i)));
    }
    count_control(result, *stage, stage->honest());
  }
  return result;
}

CampaignResult flip_every_bit(std::uint64_t seed, std::uint64_t certificates) {
  CampaignResult result;
  for (std::uint64_t i = 0; i < certificates; ++i) {
    CertificateStage stage(Prng(seed).child("flip", i), 7);
    Claim claim = stage.honest();
    flip_bytes(result, stage, claim, claim.proof);
    flip_bytes(result, stage, claim, claim.messages);
    flip_number(result, stage, claim, claim.range.batch.value);
    flip_number(result, stage, claim, claim.range.first.value);
    flip_number(result, stage, claim, claim.range.count);
    count_control(result, stage, claim);
  }
  return result;
}

}  // namespace mallard::crypto
