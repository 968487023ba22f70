#include "config/relations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/base/limits.h"
#include "config/base/prng.h"
#include "tests/config/pairings.h"

namespace mallard::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The first setting of each broken relation.
std::vector<std::string> broken(const Pairing& pairing) {
  std::vector<std::string> first;
  for (const BrokenRelation& relation : check_relations(pairing)) {
    first.push_back(relation.settings.front());
    EXPECT_NE(relation.what, "");
    EXPECT_NE(relation.advice, "");
  }
  return first;
}

TEST(Relations, NothingIsWrongWithASoundPairing) { EXPECT_THAT(broken(small_pairing()), IsEmpty()); }

TEST(Relations, NamesIdsAndKeysAreUnique) {
  Pairing pairing = small_pairing();
  pairing.links.push_back(pairing.links[0]);
  pairing.clusters[0].replicas[2].id = ReplicaIndex(0);
  pairing.clusters[1].replicas[0].keys.signing = pairing.clusters[0].replicas[0].keys.gateway;
  pairing.operators = {{pairing.clusters[0].replicas[1].keys.replica}};
  EXPECT_THAT(broken(pairing), ElementsAre("links[1].name", "clusters.east.replicas[2].id",
                                           "clusters.west.replicas[0].keys.signing", "operators[0].key"));
  pairing = small_pairing();
  pairing.clusters[1].name = "east";
  EXPECT_THAT(broken(pairing), ElementsAre("clusters.east"));
}

TEST(Relations, IdsCountFromZeroWithoutAGap) {
  Pairing pairing = small_pairing();
  pairing.clusters[0].replicas[0].id = ReplicaIndex(5);
  EXPECT_THAT(broken(pairing), ElementsAre("clusters.east.replicas[0].id"));
  std::swap(pairing.clusters[0].replicas[0], pairing.clusters[0].replicas[1]);
  pairing.clusters[0].replicas[1].id = ReplicaIndex(0);
  EXPECT_THAT(broken(pairing), IsEmpty()) << "any order will do";
}

TEST(Relations, WeightsCarryTheFaultBudget) {
  Pairing pairing = small_pairing();
  for (Weight u = 0; u <= 3; ++u) {
    for (Weight r = 0; r <= u; ++r) {
      pairing.clusters[0].faults = {.u = u, .r = r};
      EXPECT_EQ(broken(pairing).empty(), 3 >= 2 * u + r + 1) << u << " " << r;
    }
  }
  pairing.clusters[0].faults = {.u = 0, .r = 1};
  EXPECT_THAT(broken(pairing), ElementsAre("clusters.east.faults.r"));
  pairing.clusters[0].faults = {.u = UINT64_MAX, .r = UINT64_MAX};
  EXPECT_THAT(broken(pairing), ElementsAre("clusters.east.faults"));
}

TEST(Relations, WeightsEndBelowTwoToThe63) {
  Pairing pairing = small_pairing();
  pairing.clusters[0].replicas[0].stake = cluster_weight_max - 2;
  EXPECT_THAT(broken(pairing), IsEmpty());
  pairing.clusters[0].replicas[0].stake = cluster_weight_max - 1;
  EXPECT_THAT(broken(pairing), ElementsAre("clusters.east.replicas"));
  for (ReplicaSettings& replica : pairing.clusters[0].replicas) {
    replica.stake = UINT64_MAX;  // their sum wraps around to a harmless number
  }
  EXPECT_THAT(broken(pairing), ElementsAre("clusters.east.replicas"));
}

TEST(Relations, NoTwoSocketsShareAPortOfOneMachine) {
  Pairing pairing = small_pairing();
  pairing.clusters[0].replicas[1].ports.admin = pairing.clusters[0].replicas[1].ports.bridge;
  EXPECT_THAT(broken(pairing), ElementsAre("clusters.east.replicas[1].ports.admin"));
  for (const auto& [one, other] :
       std::vector<std::pair<std::string, std::string>>{{"10.0.0.1", "10.0.0.1"},
                                                        {"Host.example", "hOST.example"},
                                                        {"localhost", "::1"},
                                                        {"fd00::1", "FD00:0::0001"}}) {
    pairing = small_pairing();
    pairing.clusters[0].replicas[0].host = one;
    pairing.clusters[1].replicas[0].host = other;
    pairing.clusters[1].replicas[0].ports = {.bridge = 7801, .local = 7811, .clients = 7812, .admin = 9781};
    EXPECT_THAT(broken(pairing), ElementsAre("clusters.west.replicas[0].ports.bridge"))
        << one << " " << other;
  }
}

TEST(Relations, AnEngineIsAskedForWhatItCanKeep) {
  Pairing pairing = small_pairing();
  ClusterSettings& east = pairing.clusters[0];
  east.kind = ClusterKind::cft;
  EXPECT_THAT(broken(pairing),
              ElementsAre("clusters.east.replicas[1].host", "clusters.east.replicas[2].host"));
  for (std::uint16_t i = 0; i < 3; ++i) {
    const auto port = static_cast<std::uint16_t>(7'000 + 10 * i);
    const auto after = [port](std::uint16_t steps) { return static_cast<std::uint16_t>(port + steps); };
    east.replicas[i].host = "10.0.1.1";
    east.replicas[i].ports = {port, after(1), after(2), after(3), after(4), after(5)};
  }
  EXPECT_THAT(broken(pairing), IsEmpty());
  east.replicas[1].stake = 2;
  EXPECT_THAT(broken(pairing), ElementsAre("clusters.east.replicas[1].stake"));
  east.replicas[1].stake = 1;
  east.faults = {.u = 1, .r = 1};
  EXPECT_THAT(broken(pairing), ElementsAre("clusters.east.faults", "clusters.east.faults.r"));
}

TEST(Relations, ThePortOfAReplicaProcessCountsWhereThereIsOne) {
  Pairing pairing = small_pairing();
  pairing.clusters[1].replicas[0].ports.replica_admin = pairing.clusters[1].replicas[0].ports.admin;
  EXPECT_THAT(broken(pairing), IsEmpty());
  pairing.clusters[1].kind = ClusterKind::cft;
  EXPECT_THAT(broken(pairing), ElementsAre("clusters.west.replicas[0].ports.replica_admin"));
}

TEST(Relations, LinksJoinTwoClustersThatExist) {
  Pairing pairing = small_pairing();
  pairing.links[0].to = pairing.links[0].from;
  EXPECT_THAT(broken(pairing), ElementsAre("links[0].to"));
  pairing.links[0].to = ClusterIndex(2);
  EXPECT_THAT(broken(pairing), ElementsAre("links[0]"));
}

TEST(Relations, CirclesOfMirrorsNeedPrefixesApart) {
  const auto closes_circle = [](std::vector<std::string> there, std::vector<std::string> back) {
    Pairing pairing = small_pairing();
    pairing.links.push_back(link_of("west-east", 1, 0));
    pairing.links[0].include = std::move(there);
    pairing.links[1].include = std::move(back);
    return broken(pairing) == std::vector<std::string>{"links[1].include"};
  };
  EXPECT_TRUE(closes_circle({}, {}));
  EXPECT_TRUE(closes_circle({"/a/"}, {}));
  EXPECT_TRUE(closes_circle({"/a/"}, {"/a/b/"}));
  EXPECT_TRUE(closes_circle({"/a/b/"}, {"/c/", "/a/"}));
  EXPECT_TRUE(closes_circle({"/a"}, {"/ab"}));
  EXPECT_FALSE(closes_circle({"/a/"}, {"/b/"}));
  EXPECT_FALSE(closes_circle({"/a/b/"}, {"/a/c/", "/a/bc"}));
}

// The slow, obvious way: follow every route that a key can take, for every key of a small alphabet.
bool has_circle(const Pairing& pairing, const std::string& key, std::uint16_t at, std::uint16_t start,
                int steps) {
  if (steps > 0 && at == start) return true;
  if (steps == 4) return false;
  for (const LinkSettings& link : pairing.links) {
    bool passes = link.include.empty();
    for (const std::string& prefix : link.include) passes = passes || key.starts_with(prefix);
    if (passes && link.from.value == at && has_circle(pairing, key, link.to.value, start, steps + 1))
      return true;
  }
  return false;
}

TEST(Relations, CirclesAreFoundAsByFollowingEveryKey) {
  const std::vector<std::string> keys{"aaa", "aab", "aba", "abb", "baa", "bab", "bba", "bbb"};
  int with_circle = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Prng random(seed);
    Pairing pairing;
    for (std::uint16_t i = 0; i < 4; ++i)
      pairing.clusters.push_back(cluster_of("c" + std::to_string(i), 1, i));
    const std::uint64_t links = random.between(1, 6);
    for (std::uint64_t i = 0; i < links; ++i) {
      const auto from = static_cast<std::uint16_t>(random.below(4));
      const auto to = static_cast<std::uint16_t>((from + 1 + random.below(3)) % 4);
      pairing.links.push_back(link_of("l" + std::to_string(i), from, to));
      const std::uint64_t prefixes = random.below(3);
      for (std::uint64_t p = 0; p < prefixes; ++p) {
        pairing.links.back().include.push_back(
            keys[random.below(keys.size())].substr(0, random.between(1, 3)));
      }
    }
    bool expected = false;
    for (const std::string& key : keys) {
      for (std::uint16_t start = 0; start < 4; ++start) {
        expected = expected || has_circle(pairing, key, start, start, 0);
      }
    }
    EXPECT_EQ(!broken(pairing).empty(), expected) << "seed " << seed;
    with_circle += expected ? 1 : 0;
  }
  EXPECT_GT(with_circle, 200);
  EXPECT_LT(with_circle, 1800);
}

}  // namespace
}  // namespace mallard::config
