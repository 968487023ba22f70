#include "cli/replica/start_page.h"

#include <gtest/gtest.h>

#include "cli/status/process_status.h"
#include "rsm/replica/peer_message.h"

namespace mallard::cli {
namespace {

constexpr Instant began = Instant() + Duration::seconds(5);

StartStanding standing() {
  return {.cluster = "east",
          .id = ReplicaIndex(2),
          .incarnation = Incarnation(77),
          .started = began,
          .waiting_for = "its journal to be read",
          .since = began + Duration::seconds(3)};
}

TEST(StartPage, SaysWhatIsWaitedForAndSinceWhen) {
  const transport::AdminSnapshot page = start_page(standing(), began + Duration::seconds(45));
  EXPECT_FALSE(page.ready);
  EXPECT_EQ(page.not_ready_because, "it has not begun yet; waits for its journal to be read, for 42 s");
}

TEST(StartPage, IsReadAsTheStatusOfAReplica) {
  const transport::AdminSnapshot page = start_page(standing(), began + Duration::seconds(45));
  const auto status = parse_status(page.status_json);
  ASSERT_TRUE(status.has_value()) << status.error();
  EXPECT_EQ(status->kind, ProcessKind::replica);
  EXPECT_EQ(status->cluster, "east");
  EXPECT_EQ(status->id, 2U);
  EXPECT_FALSE(status->is_ready);
  EXPECT_EQ(status->not_ready_because, page.not_ready_because);
  EXPECT_EQ(status->engine.state, "starting");
  EXPECT_EQ(status->engine.waiting_for, "its journal to be read");
  EXPECT_EQ(status->engine.state_seconds, 42.0);
  EXPECT_EQ(status->uptime_seconds, 45.0);
  EXPECT_FALSE(status->engine.leader.has_value());
}

TEST(StartPage, HasASeriesForEachStateAndOneOfThemIsOne) {
  const transport::AdminSnapshot page = start_page(standing(), began);
  ASSERT_EQ(page.metrics.size(), 8U);
  for (std::size_t i = 1; i < page.metrics.size(); ++i) {
    const transport::MetricSample& sample = page.metrics[i];
    EXPECT_EQ(sample.name, "mallard_replica_state");
    EXPECT_EQ(sample.value, sample.labels.at(0).second == "starting" ? 1 : 0);
  }
}

TEST(StartPage, SaysWhichProcessItIs) {
  const transport::AdminSnapshot page = start_page(standing(), began);
  const transport::MetricSample& build = page.metrics.at(0);
  EXPECT_EQ(build.name, "mallard_build_info");
  EXPECT_EQ(build.value, 1);
  ASSERT_EQ(build.labels.size(), 4U);
  EXPECT_EQ(build.labels[1], std::pair(std::string("process"), std::string("replica")));
  EXPECT_EQ(build.labels[2], std::pair(std::string("cluster"), std::string("east")));
  EXPECT_EQ(build.labels[3], std::pair(std::string("id"), std::string("2")));
}

TEST(MissingMajority, NamesWhoIsSilentAndHowManyOfThemAreNeeded) {
  constexpr memory::ProcessIndex self(1);
  rsm::WitnessDesk witnesses(self, 5);
  EXPECT_EQ(missing_majority(witnesses, 5, self), "2 more of replicas 0, 2, 3, 4 to make a majority");
  witnesses.on_message(memory::ProcessIndex(3), rsm::StoreSeen{});
  EXPECT_EQ(missing_majority(witnesses, 5, self), "1 more of replicas 0, 2, 4 to make a majority");
  EXPECT_TRUE(witnesses.has_said(memory::ProcessIndex(3)));
  EXPECT_FALSE(witnesses.has_said(memory::ProcessIndex(9))) << "nobody";
}

}  // namespace
}  // namespace mallard::cli
