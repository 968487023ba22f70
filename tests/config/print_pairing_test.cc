#include "config/print_pairing.h"

#include <gtest/gtest.h>

#include "config/base/prng.h"
#include "config/yaml/load_pairing.h"
#include "tests/config/pairings.h"

namespace mallard::config {
namespace {

TEST(PrintPairing, WritesEverythingOut) {
  Pairing pairing;
  pairing.clusters = {cluster_of("east", 1, 1)};
  pairing.clients = {{numbered_key(7), {"/a \"b\" \\"}}};
  EXPECT_EQ(print_pairing(pairing), R"(clusters:
  east:
    attach: {file: {}}
    faults: {u: 0, r: 0}
    replicas:
      - id: 0
        host: "10.0.1.1"
        ports: {bridge: 7800, local: 7801, clients: 7802, admin: 9780, replica_admin: 9781, replicas: 7803}
        admin_address: "127.0.0.1"
        keys:
          gateway: "ed25519:6AMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
          replica: "ed25519:6QMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
          signing: "ed25519:6gMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
        stake: 1
links: []
clients:
  - key: "ed25519:BwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
    prefixes: ["/a \"b\" \\"]
operators: []
)");
}

TEST(PrintPairing, WritesTheEngineWithItsSettings) {
  Pairing pairing;
  pairing.clusters = {cluster_of("east", 1, 1)};
  pairing.clusters[0].kind = ClusterKind::cft;
  pairing.clusters[0].durability = Durability::replicated;
  pairing.clusters[0].memory = Memory::shm;
  pairing.clusters[0].wait = Wait::spin;
  const std::string text = print_pairing(pairing);
  EXPECT_NE(text.find("  east:\n    engine: cft\n    durability: replicated\n    memory: shm\n"
                      "    wait: spin\n    faults:"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("attach"), std::string::npos);
}

TEST(PrintPairing, LoadsAsTheSamePairing) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Prng random(seed);
    Pairing pairing;
    const auto clusters = static_cast<std::uint16_t>(random.between(1, 4));
    for (std::uint16_t i = 0; i < clusters; ++i) {
      pairing.clusters.push_back(
          cluster_of("c" + std::to_string(i), static_cast<std::uint16_t>(random.between(1, 7)), i));
      for (ReplicaSettings& replica : pairing.clusters.back().replicas) {
        replica.stake = random.between(1, 1ULL << 59);
        replica.ports.admin = static_cast<std::uint16_t>(random.between(10'000, 65'535));
        if (random.below(2) == 1) replica.admin_address = random.below(2) == 1 ? "0.0.0.0" : "::";
      }
      if (random.below(2) == 1) {
        pairing.clusters.back().kind = ClusterKind::cft;
        pairing.clusters.back().durability = static_cast<Durability>(random.below(2));
        pairing.clusters.back().memory = static_cast<Memory>(random.below(2));
        pairing.clusters.back().wait = static_cast<Wait>(random.below(2));
        for (ReplicaSettings& replica : pairing.clusters.back().replicas) {
          replica.host = pairing.clusters.back().replicas.front().host;
          replica.stake = 1;
          const auto first_port = static_cast<std::uint16_t>(2'000 + 8 * replica.id.value);
          replica.ports = {first_port,
                           static_cast<std::uint16_t>(first_port + 1),
                           static_cast<std::uint16_t>(first_port + 2),
                           static_cast<std::uint16_t>(first_port + 3),
                           static_cast<std::uint16_t>(first_port + 4),
                           static_cast<std::uint16_t>(first_port + 5)};
        }
        pairing.clusters.back().faults = {.u = (pairing.clusters.back().replicas.size() - 1) / 2, .r = 0};
        continue;
      }
      pairing.clusters.back().faults = {.u = random.below(2), .r = 0};
      if (pairing.clusters.back().replicas.size() == 1) pairing.clusters.back().replicas[0].stake = 3;
    }
    for (std::uint16_t i = 1; i < clusters; ++i) {
      pairing.links.push_back(link_of("l" + std::to_string(i), 0, i));
      pairing.links.back().window = {static_cast<std::uint32_t>(random.between(1, 65'536)),
                                     random.between(1U << 20, 64ULL << 30)};
      if (random.below(2) == 1) pairing.links.back().include = {"/a/", "yes", "\xc3\xbc", "{: #"};
    }
    const auto loaded = parse_pairing(print_pairing(pairing), "printed");
    ASSERT_TRUE(loaded) << "seed " << seed << ": " << to_text(loaded.error().front());
    EXPECT_EQ(*loaded, pairing) << "seed " << seed;
  }
}

}  // namespace
}  // namespace mallard::config
