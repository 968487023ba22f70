#include "cli/gateway/gateway_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "cli/gateway/gateway_plan.h"
#include "tests/bridge/attach/built_in/attachment_fixture.h"
#include "tests/bridge/gateway/memory_world.h"

namespace mallard::cli {
namespace {

using transport::MetricSample;

constexpr ReplicaAddress east{ClusterIndex(0), ReplicaIndex(0)};
constexpr ReplicaAddress west{ClusterIndex(1), ReplicaIndex(0)};

// The pairing that a MemoryWorld of one and one is.
config::Pairing sample() {
  config::Pairing pairing;
  for (const char* name : {"east", "west"}) {
    config::ClusterSettings cluster;
    cluster.name = name;
    cluster.replicas.emplace_back();
    pairing.clusters.push_back(cluster);
  }
  config::LinkSettings link;
  link.name = "east-west";
  link.from = ClusterIndex(0);
  link.to = ClusterIndex(1);
  link.window = {.messages = 256, .bytes = 4U << 20};
  pairing.links.push_back(link);
  return pairing;
}

// One end of a world and what it shows.
class GatewayReportTest : public ::testing::TestWithParam<ReplicaAddress> {
 protected:
  GatewayReportTest()
      : pairing(sample()),
        latencies(plan_bridge(pairing, GetParam())),
        end(GetParam()),
        world(1, 1, &watch),
        report({.pairing = pairing,
                .self = GetParam(),
                .gateway = &world.node(end).gateway,
                .latencies = &latencies,
                .pool = world.node(end).pool},
               world.now()) {
    watch.to = &latencies;
    watch.source = end == east;
  }

  // The series of that name and, where it is given, of that label's value.
  static const MetricSample& find(const transport::AdminSnapshot& shown, const std::string& name,
                                  const std::string& label = "") {
    const auto found = std::ranges::find_if(shown.metrics, [&](const MetricSample& sample) {
      return sample.name == name &&
             (label.empty() ||
              std::ranges::any_of(sample.labels, [&](const auto& pair) { return pair.second == label; }));
    });
    if (found == shown.metrics.end()) throw std::runtime_error("no series " + name);
    return *found;
  }

  // Of both gateways of the world, only one is watched here.
  class OneEnd final : public bridge::GatewayObserver {
   public:
    void on_event(const bridge::Event& event, Instant now) override {
      if (std::holds_alternative<bridge::BatchCommitted>(event) == source) to->on_event(event, now);
    }
    void on_effect(const bridge::Effect& effect, Instant now) override {
      if (std::holds_alternative<bridge::Quacked>(effect) == source) to->on_effect(effect, now);
    }
    bridge::LatencyWatch* to = nullptr;
    bool source = false;
  };

  config::Pairing pairing;
  OneEnd watch;
  bridge::LatencyWatch latencies;
  ReplicaAddress end;
  bridge::MemoryWorld world;
  GatewayReport report;
};

TEST_P(GatewayReportTest, every_series_exists_at_zero_before_anything_has_happened) {
  const transport::AdminSnapshot shown = report.snapshot(world.now());
  const MetricSample& latency = find(shown, "mallard_latency_seconds");
  EXPECT_EQ(latency.type, transport::MetricType::histogram);
  EXPECT_EQ(latency.count, 0U);
  ASSERT_EQ(latency.buckets.size(), transport::LatencyHistogram::bounds.size());
  EXPECT_EQ(latency.buckets.front().upper_bound, 50e-6);
  EXPECT_EQ(latency.buckets.back().upper_bound, 60);
  EXPECT_EQ(latency.buckets.back().count, 0U);
  EXPECT_EQ(find(shown, "mallard_backlog_oldest_sequence").value, 0);
  EXPECT_EQ(find(shown, "mallard_backlog_oldest_timestamp_seconds").value, 0);
  EXPECT_EQ(find(shown, "mallard_window_messages").value, 256);
  const auto status = nlohmann::json::parse(shown.status_json);
  EXPECT_EQ(status["links"][0]["latency"]["batches"], 0);
  EXPECT_EQ(status["links"][0]["latency"]["p99_ms"], 0.0);
}

double unix_time_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

using SeriesNames = std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>>;
SeriesNames names(const transport::AdminSnapshot& shown) {
  SeriesNames all;
  for (const MetricSample& sample : shown.metrics) all.emplace_back(sample.name, sample.labels);
  return all;
}

TEST_P(GatewayReportTest, they_exist_while_the_replica_is_waited_for) {
  const transport::AdminSnapshot waiting =
      waiting_snapshot({.pairing = pairing, .self = end, .pool = world.node(end).pool});
  EXPECT_EQ(names(waiting), names(report.snapshot(world.now())));
  EXPECT_FALSE(waiting.ready);
  EXPECT_EQ(find(waiting, "mallard_link_state", "waiting_for_replica").value, 1);
  EXPECT_EQ(find(waiting, "mallard_messages_total").value, 0);
  EXPECT_EQ(find(waiting, "mallard_peer_up").value, 0);
  EXPECT_EQ(find(waiting, "mallard_wire_bytes_total").value, 0);
  EXPECT_EQ(nlohmann::json::parse(waiting.status_json)["links"].size(), 0U);
}

TEST_P(GatewayReportTest, the_same_series_are_there_afterwards) {
  const auto before = names(report.snapshot(world.now()));
  world.connect_all();
  world.source().attachment.log.assign(100, "batch");
  world.run(Duration::seconds(1));
  EXPECT_EQ(names(report.snapshot(world.now())), before);
}

TEST_P(GatewayReportTest, says_which_process_and_which_side_it_is) {
  const auto shown = report.snapshot(world.now());
  const auto& build = find(shown, "mallard_build_info").labels;
  ASSERT_EQ(build.size(), 4U);
  EXPECT_EQ(build[1], std::pair(std::string("process"), std::string("gateway")));
  EXPECT_EQ(build[2], std::pair(std::string("cluster"), std::string(end == east ? "east" : "west")));
  EXPECT_EQ(build[3], std::pair(std::string("id"), std::string("0")));
  const std::pair<std::string, std::string> side{"side", end == east ? "source" : "destination"};
  for (const char* name : {"mallard_lag_seconds", "mallard_link_state", "mallard_messages_total"}) {
    EXPECT_EQ(find(shown, name).labels.at(1), side) << name;
  }
}

TEST_P(GatewayReportTest, tells_since_when_the_link_is_in_its_state) {
  // The world's clock runs ahead of the machine's, by which the time is told: so many seconds of the world
  // before now, which is between two looks at the machine's.
  const auto expect_age = [&](double age) {
    const double before = unix_time_now();
    const double since =
        find(report.snapshot(world.now()), "mallard_link_state_since_timestamp_seconds").value;
    EXPECT_GE(since, before - age - 0.01);
    EXPECT_LE(since, unix_time_now() - age + 0.01);
  };
  expect_age(0);
  world.run(Duration::seconds(5));
  expect_age(5);
  world.connect_all();
  world.run(Duration::seconds(5));
  expect_age(0);  // it became active, and that is seen now
}

TEST_P(GatewayReportTest, latency_counts_each_batch_once) {
  world.connect_all();
  world.run(Duration::milliseconds(20));
  world.source().attachment.log.assign(100, "batch");
  world.run(Duration::seconds(1));
  const transport::AdminSnapshot shown = report.snapshot(world.now());
  const char* stage = end == east ? "commit_to_quack" : "receive_to_apply";
  const MetricSample& latency = find(shown, "mallard_latency_seconds", stage);
  EXPECT_EQ(latency.count, 100U);
  EXPECT_EQ(latency.buckets.back().count, 100U);
  EXPECT_GT(latency.sum, 0);
  EXPECT_LT(latency.sum, 100 * 0.1);
  const auto status = nlohmann::json::parse(shown.status_json);
  EXPECT_EQ(status["links"][0]["latency"]["of"], stage);
  EXPECT_EQ(status["links"][0]["latency"]["batches"], 100);
  EXPECT_GT(status["links"][0]["latency"]["p99_ms"], 0.0);
}

TEST_P(GatewayReportTest, the_backlog_keeps_its_oldest_message_while_nothing_moves) {
  world.connect_all();
  world.source().attachment.log.assign(10, "batch");
  world.run(Duration::seconds(1));
  report.observe(world.now());
  world.destination().carrier.refuses = true;
  world.source().attachment.log.resize(30, "batch");
  world.run(Duration::milliseconds(50));
  const auto shown = report.snapshot(world.now());
  if (end == west) {
    EXPECT_EQ(find(shown, "mallard_backlog_oldest_sequence").value, 0) << "it has applied everything";
    return;
  }
  EXPECT_EQ(find(shown, "mallard_backlog_oldest_sequence").value, 11);
  EXPECT_EQ(find(shown, "mallard_inflight_messages").value, 20);
  const double since = find(shown, "mallard_backlog_oldest_timestamp_seconds").value;
  EXPECT_GT(since, 1e9);
  world.run(Duration::seconds(5));
  const auto later = report.snapshot(world.now());
  EXPECT_EQ(find(later, "mallard_backlog_oldest_sequence").value, 11);
  // The world's clock has run ahead of the machine's, by which the time is told.
  EXPECT_NEAR(find(later, "mallard_backlog_oldest_timestamp_seconds").value, since - 5, 2);
  EXPECT_GT(find(later, "mallard_lag_seconds").value, 4.9);
}

class SourceReportTest : public GatewayReportTest {};

TEST_P(SourceReportTest, a_destination_that_lost_what_it_had_acknowledged_is_named_at_the_source) {
  world.connect_all();
  world.source().attachment.log.assign(10, "batch");
  world.run(Duration::seconds(1));
  const auto link = [&] {
    return nlohmann::json::parse(report.snapshot(world.now()).status_json)["links"][0];
  };
  EXPECT_EQ(link()["state"], "active");
  world.lose_storage(west);
  world.connect(east, west);
  world.run(Duration::milliseconds(100));
  EXPECT_EQ(link()["state"], "destination_reset");
  EXPECT_NE(link()["waiting_for"], "");
  EXPECT_NE(link()["next"].get<std::string>().find("restart the gateways of east"), std::string::npos);
  EXPECT_EQ(find(report.snapshot(world.now()), "mallard_link_state", "destination_reset").value, 1);
}

// Behind a door, where the replica says that its cluster was promoted.
class FencedReportTest : public bridge::built_in::BuiltInAttachmentTest {
 protected:
  FencedReportTest() {
    built_in.outbound = {};
    built_in.inbound = {{link, 64}};
  }
  static constexpr LinkIndex link{0};
};

TEST_F(FencedReportTest, a_link_into_a_promoted_cluster_is_named_with_what_to_do) {
  namespace door = transport::door;
  ASSERT_NO_FATAL_FAILURE(start());
  server->send(gateway, door::Standing{
                            .link = link, .direction = LinkDirection::inbound, .generation = Generation(1)});
  server->send(gateway, door::Attached{.standings = 1, .fence = Fence(3)});
  ASSERT_TRUE(run_until([&] { return attachment->is_ready(); }));
  const config::Pairing pairing = sample();
  bridge::LatencyWatch latencies(plan_bridge(pairing, west));
  bridge::MemoryWorld world(1, 1, nullptr);
  GatewayReport report({.pairing = pairing,
                        .self = west,
                        .gateway = &world.node(west).gateway,
                        .latencies = &latencies,
                        .pool = world.node(west).pool,
                        .replica = attachment.get()},
                       world.now());
  const auto shown = [&] {
    return nlohmann::json::parse(report.snapshot(world.now()).status_json)["links"][0];
  };
  EXPECT_NE(shown()["state"], "fenced");
  server->send(gateway, door::Fenced{.fence = Fence(4)});
  ASSERT_TRUE(run_until([&] { return attachment->is_fenced(link); }));
  EXPECT_EQ(shown()["state"], "fenced");
  EXPECT_NE(shown()["waiting_for"].get<std::string>().find("promoted to fence 4"), std::string::npos);
  EXPECT_NE(shown()["next"].get<std::string>().find("restart a gateway of west"), std::string::npos);
  const auto samples = report.snapshot(world.now()).metrics;
  EXPECT_EQ(std::ranges::count_if(samples,
                                  [](const MetricSample& sample) {
                                    return sample.name == "mallard_link_state" && sample.value == 1 &&
                                           sample.labels.back().second == "fenced";
                                  }),
            1);
  const auto value = [&](const char* name) {
    return std::ranges::find(samples, name, &MetricSample::name)->value;
  };
  EXPECT_EQ(value("mallard_fence"), 4);
  EXPECT_EQ(value("mallard_link_fence"), 3);
}

TEST_P(GatewayReportTest, the_margin_of_a_quorum_falls_with_who_is_missing) {
  pairing.clusters[0].faults.u = 1;
  const char* other = end == east ? "west" : "east";
  const char* own = end == east ? "east" : "west";
  const double other_u = end == east ? 0 : 1;
  const double own_u = end == east ? 1 : 0;
  const auto cut_off = report.snapshot(world.now());
  EXPECT_EQ(find(cut_off, "mallard_quorum_margin", own).value, own_u);
  EXPECT_EQ(find(cut_off, "mallard_quorum_margin", other).value, other_u - 1);
  world.connect_all();
  EXPECT_EQ(find(report.snapshot(world.now()), "mallard_quorum_margin", other).value, other_u);
}

INSTANTIATE_TEST_SUITE_P(OneEnd, SourceReportTest, ::testing::Values(east));
INSTANTIATE_TEST_SUITE_P(BothEnds, GatewayReportTest, ::testing::Values(east, west),
                         [](const auto& end) { return end.param == east ? "source" : "destination"; });

}  // namespace
}  // namespace mallard::cli
