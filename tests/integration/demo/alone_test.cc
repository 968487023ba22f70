// A gateway whose replica came back alone: it comes in at once, and is attached when the replica has begun.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/integration/deployment/replica_clusters.h"
#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

constexpr Duration limit = Duration::seconds(60);
constexpr ReplicaAddress first{ClusterIndex(0), ReplicaIndex(0)};

// Whether somebody has come in through the door of the replica in this directory.
bool is_entered(const std::filesystem::path& directory) {
  const std::string door = (directory / "replica.sock").string();
  std::ifstream sockets("/proc/net/unix");  // number, users, protocol, flags, type, state, inode, path
  for (std::string line; std::getline(sockets, line);) {
    // The kernel keeps the name under which the socket was bound, before it was put in its place.
    if (line.find(door) != std::string::npos && line.find(" 0001 03 ") != std::string::npos) {
      return true;
    }
  }
  return false;
}

TEST(AloneReplica, AttachesItsGatewayWhenTheOthersAreThere) {
  ReplicaClusters clusters({.clusters = 2, .durability = config::Durability::disk, .root = {}, .places = {}});
  clusters.start_all();
  ASSERT_TRUE(clusters.ready(limit)) << clusters.last_words();
  clusters.founded();
  clusters.kill_all();
  clusters.start(first);
  ASSERT_TRUE(wait_until(limit, [&] { return is_entered(clusters.directory(first)); }))
      << clusters.said(first);
  EXPECT_FALSE(clusters.is_ready(first));
  EXPECT_NE(clusters.page(first, "/status").find("\"state\":\"starting\""), std::string::npos)
      << clusters.page(first, "/status");
  for (const ReplicaAddress& address : clusters.addresses()) {
    if (address != first) {
      clusters.start(address);
    }
  }
  EXPECT_TRUE(clusters.ready(limit)) << clusters.last_words() << clusters.said(first)
                                     << clusters.said(first, "gateway");
}

}  // namespace
}  // namespace mallard::integration
