#include "config/canonical_bytes.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "tests/config/pairings.h"

namespace mallard::config {
namespace {

using Change = std::function<void(Pairing&)>;

std::vector<std::byte> bytes_after(const Change& change) {
  Pairing pairing = small_pairing();
  pairing.links[0].include = {"/a/", "/b/"};
  change(pairing);
  return canonical_bytes(pairing);
}

TEST(CanonicalBytes, DifferWhereverProcessesMustAgree) {
  const std::vector<Change> changes{
      [](Pairing&) {},
      [](Pairing& p) { p.clusters[0].name = "eas"; },
      [](Pairing& p) { p.clusters[0].faults.u = 0; },
      [](Pairing& p) { p.clusters[0].faults.r = 1; },
      [](Pairing& p) { p.clusters[0].replicas.pop_back(); },
      [](Pairing& p) { std::swap(p.clusters[0].replicas[0].keys, p.clusters[0].replicas[1].keys); },
      [](Pairing& p) { p.clusters[0].replicas[0].keys.gateway = numbered_key(9); },
      [](Pairing& p) { p.clusters[0].replicas[0].keys.replica = numbered_key(9); },
      [](Pairing& p) { p.clusters[0].replicas[0].keys.signing = numbered_key(9); },
      [](Pairing& p) { p.clusters[0].replicas[0].stake = 2; },
      [](Pairing& p) { p.clusters[0].replicas[0].id = ReplicaIndex(7); },
      [](Pairing& p) { std::swap(p.clusters[0], p.clusters[1]); },
      [](Pairing& p) { p.links.clear(); },
      [](Pairing& p) { p.links[0].name = "other"; },
      [](Pairing& p) { p.links[0].from = ClusterIndex(1); },
      [](Pairing& p) { p.clusters[0].kind = ClusterKind::cft; },
      [](Pairing& p) {
        p.clusters[0].kind = ClusterKind::cft;
        p.clusters[0].durability = Durability::replicated;
      },
      [](Pairing& p) {
        p.clusters[0].kind = ClusterKind::cft;
        p.clusters[0].memory = Memory::shm;
      },
      [](Pairing& p) { p.links[0].to = ClusterIndex(0); },
      [](Pairing& p) { p.links[0].include = {"/a//b/"}; },
      [](Pairing& p) {
        p.links[0].include = {"/a", "//b/"};
      },
      [](Pairing& p) {
        p.links[0].include = {"/b/", "/a/"};
      },
      [](Pairing& p) { p.links[0].include = {}; },
      [](Pairing& p) { p.links[0].window.messages = 4097; },
      [](Pairing& p) { p.links[0].window.bytes += 1; },
  };
  std::set<std::vector<std::byte>> seen;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    EXPECT_TRUE(seen.insert(bytes_after(changes[i])).second) << "change " << i;
  }
}

TEST(CanonicalBytes, LeaveOutWhatMayChangeOneMachineAfterAnother) {
  const std::vector<std::byte> before = bytes_after([](Pairing&) {});
  EXPECT_EQ(bytes_after([](Pairing& p) { p.clusters[0].replicas[0].host = "elsewhere"; }), before);
  EXPECT_EQ(bytes_after([](Pairing& p) { p.clusters[0].replicas[0].ports.bridge = 1; }), before);
  EXPECT_EQ(bytes_after([](Pairing& p) { p.clusters[0].wait = Wait::spin; }), before);
  EXPECT_EQ(bytes_after([](Pairing& p) { p.clients = {{numbered_key(9), {}}}; }), before);
  EXPECT_EQ(bytes_after([](Pairing& p) { p.operators = {{numbered_key(9)}}; }), before);
}

// The encoding is fixed: machines of different versions compare its digest.
TEST(CanonicalBytes, OfAnEmptyPairingAreTheDomainAndTwoCounts) {
  std::string text;
  for (const std::byte byte : canonical_bytes({})) {
    text += static_cast<char>(byte);
  }
  EXPECT_EQ(text, std::string("\x12\0\0\0mallard.pairing.v1\0\0\0\0\0\0\0\0", 30));
}

}  // namespace
}  // namespace mallard::config
