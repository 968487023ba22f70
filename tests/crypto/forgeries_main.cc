// Makes forged certificates by the million and says how many were accepted, by class.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/crypto/forgery_campaign.h"

namespace {

using mallard::crypto::CampaignResult;
using mallard::crypto::certificate_refusal_text;
using mallard::crypto::CertificateRefusal;
using mallard::crypto::ForgeryCount;

void print(std::string_view name, const ForgeryCount& counts) {
  fmt::print("{:<30} {:>9} {:>9}", name, counts.made, counts.accepted);
  const char* separator = "  ";
  for (std::size_t i = 0; i < counts.refused.size(); ++i) {
    if (counts.refused[i] != 0) {
      fmt::print("{}{}: {}", separator, certificate_refusal_text(static_cast<CertificateRefusal>(i)),
                 counts.refused[i]);
      separator = "; ";
    }
  }
  fmt::print("\n");
}

// On every core; what each does follows from the seed and its place.
CampaignResult run(std::uint64_t seed, std::uint64_t forged, std::uint64_t flipped) {
  const std::uint64_t parts = std::max(1U, std::thread::hardware_concurrency());
  std::vector<CampaignResult> results(parts);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < parts; ++i) {
      threads.emplace_back([&results, i, seed, forge = forged / parts + 1, flip = flipped / parts + 1] {
        results[i] = mallard::crypto::forge_many(seed + i, forge);
        results[i].add(mallard::crypto::flip_every_bit(seed + i, flip));
      });
    }
  }
  CampaignResult sum;
  for (const CampaignResult& result : results) {
    sum.add(result);
  }
  return sum;
}

}  // namespace

int main(int count, char** arguments) {
  std::uint64_t forged = 20'000;
  std::uint64_t flipped = 10;
  std::uint64_t seed = 1;
  CLI::App app{
      "Forges commit certificates and checks them: none may be accepted, and every honest one must be."};
  app.add_option("--forgeries", forged, "how many, of all classes together");
  app.add_option("--flip", flipped, "of how many certificates each bit is flipped");
  app.add_option("--seed", seed, "what everything is drawn from");
  CLI11_PARSE(app, count, arguments);

  const CampaignResult result = run(seed, forged, flipped);
  fmt::print("{:<30} {:>9} {:>9}  refused because\n", "class", "made", "accepted");
  for (std::size_t i = 0; i < mallard::crypto::forgeries; ++i) {
    print(mallard::crypto::forgery_name(static_cast<mallard::crypto::Forgery>(i)), result.forged[i]);
  }
  print("single-bit flips", result.flips);
  fmt::print("honest: {} of {} accepted\n", result.controls_accepted, result.controls);
  return result.is_clean() ? 0 : 1;
}
