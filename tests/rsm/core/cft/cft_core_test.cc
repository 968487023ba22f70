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

TEST(CftCore, AChangeThatWouldLeaveNoMajorityIsRefused) {
  CoreCluster cluster({.processes = 4, .members = 3});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(5));
  const auto refused_as = [&](std::uint16_t replica, bool add) -> std::optional<Refusal> {
    memory::Domain& domain = cluster.fabric().domain(cluster.leader()->self());
    CftCore core = cluster.leader()->core();
    Effects effects;
    core.step({{domain.bytes(log_region), domain.bytes(mail_region), domain.bytes(scratch_region)},
               ProposeMember{1, ProcessIndex(replica), add}},
              cluster.now(), effects);
    for (const Effect& effect : effects) {
      if (const auto* refused = std::get_if<Refused>(&effect)) return refused->why;
    }
    return {};
  };
  EXPECT_EQ(refused_as(1, false), std::nullopt);
  EXPECT_EQ(refused_as(3, true), std::nullopt);
  cluster.crash(2);
  ASSERT_TRUE(cluster.run_until([&] { return !cluster.host(0).core().peer(ProcessIndex(2)).up; }));
  EXPECT_EQ(refused_as(1, false), Refusal::no_majority) << "0 and 2 would be left";
  EXPECT_EQ(refused_as(0, false), Refusal::no_majority) << "1 and 2 would be left";
  EXPECT_EQ(refused_as(2, false), std::nullopt);
  EXPECT_EQ(refused_as(3, true), std::nullopt) << "three of four are alive";
  cluster.crash(3);
  ASSERT_TRUE(cluster.run_until([&] { return !cluster.host(0).core().peer(ProcessIndex(3)).up; }));
  EXPECT_EQ(refused_as(3, true), Refusal::no_majority);
  cluster.restart(2);
  ASSERT_TRUE(cluster.run_until([&] { return !refused_as(1, false); })) << cluster.failure();
  cluster.leader()->request_member(ProcessIndex(1), false);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.judge().members().count() == 2; }));
  EXPECT_TRUE(cluster.decide(5)) << cluster.failure();
}

}  // namespace
}  // namespace mallard::rsm::cft
