#include "rsm/core/cft/cft_core.h"

#include <gtest/gtest.h>
#include "config/contract/protocol_core.h"

#include "tests/rsm/core/cft/core_cluster.h"

namespace mallard::rsm::cft {
namespace {

using memory::ProcessIndex;

static_assert(ProtocolCore<CftCore>);

TEST(CftCore, DecidesWhatIsProposedAtEveryReplica) {
  for (const Durability durability : {Durability::replicated, Durability::disk}) {
    for (const std::size_t size : {1U, 2U, 3U, 4U, 5U, 7U}) {
      CoreCluster cluster({.processes = size, .members = size, .durability = durability});
      ASSERT_TRUE(cluster.wait_for_leader()) << size;
      EXPECT_EQ(cluster.leader()->self(), ProcessIndex(0));
      EXPECT_TRUE(cluster.decide(100)) << size << cluster.failure();
      EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << size << cluster.failure();
    }
  }
}

TEST(CftCore, IsQuietAboutLeadershipWithoutFaults) {
  CoreCluster cluster({.processes = 5, .members = 5});
  ASSERT_TRUE(cluster.wait_for_leader());
  const Ballot reign = cluster.leader()->core().promise();
  cluster.run_for(Duration::milliseconds(50));
  ASSERT_NE(cluster.leader(), nullptr);
  EXPECT_EQ(cluster.leader()->core().promise(), reign);
}

TEST(CftCore, CopiesGoOnAlikeAndShowItInTheirDigests) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  CftCore copy = cluster.leader()->core();
  EXPECT_EQ(copy.digest(), cluster.leader()->core().digest());
  Effects effects;
  copy.on_deadline(copy.next_deadline(), effects);
  EXPECT_EQ(copy.role(), Role::leader);
  ASSERT_TRUE(cluster.decide(1));
  EXPECT_NE(copy.digest(), cluster.leader()->core().digest());
}

TEST(CftCore, MembersComeAndGoThroughTheLog) {
  CoreCluster cluster({.processes = 4, .members = 3});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(5));
  cluster.leader()->request_member(ProcessIndex(3), true);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.judge().members().count() == 4; }));
  EXPECT_EQ(cluster.judge().members().epoch, Epoch(2));
  ASSERT_TRUE(cluster.decide(5)) << cluster.failure();
  cluster.leader()->request_member(ProcessIndex(0), false);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.judge().members().count() == 3; }));
  ASSERT_TRUE(
      cluster.run_until([&] { return cluster.leader() != nullptr && cluster.leader()->self().value != 0; }));
  EXPECT_TRUE(cluster.decide(20)) << cluster.failure();
}

}  // namespace
}  // namespace mallard::rsm::cft
