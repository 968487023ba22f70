// The board and the alert rules of dashboards/, asked of a real Prometheus that scrapes two real clusters:
// every query answers, the rules are quiet while all is well, and they see a link die.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/dashboards/board_queries.h"
#include "tests/integration/dashboards/prometheus_server.h"
#include "tests/integration/deployment/replica_clusters.h"
#include "tests/integration/deployment/waiting.h"
#include "tests/integration/disk/steady_writer.h"

namespace mallard::integration {
namespace {

constexpr Duration patience = Duration::seconds(120);
constexpr ClusterIndex east(0);
constexpr ClusterIndex west(1);
// As long as twenty scrapes, so that a busy machine that misses some still has a rate.
constexpr const char* interval = "20s";

const std::filesystem::path dashboards = std::filesystem::path(MALLARD_SOURCE_DIR) / "dashboards";

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<ScrapeJob> jobs_of(const ReplicaClusters& clusters) {
  ScrapeJob gateways{.name = "mallard-gateways", .ports = {}};
  ScrapeJob replicas{.name = "mallard-replicas", .ports = {}};
  for (const ReplicaAddress& address : clusters.addresses()) {
    gateways.ports.push_back(clusters.settings_of(address).ports.admin);
    replicas.ports.push_back(clusters.settings_of(address).ports.replica_admin);
  }
  return {gateways, replicas};
}

class BoardTest : public ::testing::Test {
 protected:
  BoardTest()
      : clusters({.clusters = 2}),
        prometheus(jobs_of(clusters), dashboards / "rules.yml"),
        writer(clusters.directories(east), "board/", 1) {
    clusters.start_all();
  }

  bool holds(const std::string& condition) const { return prometheus.ask(condition).series > 0; }
  // Until the alert is at least pending: that it then fires is promtool's to prove, in simulated hours.
  bool is_seen(const std::string& alert) {
    return wait_until(patience, [&] { return holds("ALERTS{alertname=\"" + alert + "\"}"); });
  }

  // A query without an answer is asked again, for some need time for their rates; an error is not.
  void expect_answers(std::vector<BoardQuery> queries) const {
    wait_until(patience, [&] {
      std::erase_if(queries, [&](const BoardQuery& query) {
        const QueryAnswer answer = prometheus.ask(query.expression);
        if (!answer.error.empty()) {
          ADD_FAILURE() << query.where << ": " << answer.error << "\n  " << query.expression;
        }
        return !answer.error.empty() || answer.series > 0;
      });
      return queries.empty();
    });
    for (const BoardQuery& query : queries) {
      ADD_FAILURE() << query.where << ": nothing was ever to be seen\n  " << query.expression;
    }
  }

  ReplicaClusters clusters;
  PrometheusServer prometheus;
  SteadyWriter writer;
};

TEST_F(BoardTest, EveryQueryAnswersAndADeadLinkIsSeen) {
  ASSERT_TRUE(prometheus.ready(patience)) << prometheus.said();
  ASSERT_TRUE(clusters.ready(patience)) << clusters.last_words();
  writer.go_on();
  ASSERT_TRUE(wait_until(patience,
                         [&] {
                           return holds("count(up == 1) == 12") &&
                                  holds("min(mallard_applied_sequence{side=\"destination\"}) > 100");
                         }))
      << clusters.last_words() << prometheus.said();

  const std::vector<BoardQuery> queries = board_queries(contents(dashboards / "link.json"), interval);
  EXPECT_GT(queries.size(), 40U);
  expect_answers(queries);

  std::vector<AlertRule> rules;
  ASSERT_TRUE(wait_until(patience, [&] { return !(rules = prometheus.rules()).empty(); }));
  EXPECT_GT(rules.size(), 20U);
  std::vector<BoardQuery> series;
  for (const AlertRule& rule : rules) {
    EXPECT_EQ(rule.problem, "") << rule.name;
    // Most rules are quiet, so that an empty answer proves nothing: what they look at must be there.
    const std::vector<std::string> selectors = selectors_of(rule.query);
    EXPECT_FALSE(selectors.empty()) << rule.name;
    for (const std::string& selector : selectors) series.push_back({"alert " + rule.name, selector});
  }
  expect_answers(series);
  // But for those that tell of a machine with too much else to do, which this one may be.
  const std::string alerts = "ALERTS{alertname!~\"MallardLeaderChanges|MallardResendStorm\"}";
  EXPECT_TRUE(wait_until(patience, [&] { return prometheus.ask(alerts).series == 0; }))
      << "all is well, and something is still an alert:\n"
      << prometheus.ask(alerts).labels;
  std::printf("%zu queries of the board, %zu rules that look at %zu series\n", queries.size(), rules.size(),
              series.size());

  for (const ReplicaAddress& address : clusters.addresses()) {
    if (address.cluster == west) clusters.kill(address);
  }
  for (const char* alert :
       {"MallardProcessDown", "MallardPeerDown", "MallardQuorumLost", "MallardLinkDead"}) {
    EXPECT_TRUE(is_seen(alert)) << alert;
  }
  ASSERT_TRUE(writer.hold(patience));
  EXPECT_EQ(writer.problem(), "");
}

constexpr const char* small_board = R"json({
  "templating": {"list": [
    {"type": "datasource", "name": "datasource"},
    {"type": "query", "name": "cluster", "definition": "label_values(mallard_build_info, cluster)"},
    {"type": "query", "name": "link", "definition": "label_values(mallard_x{c=~\"$cluster\"}, link)"}]},
  "panels": [
    {"type": "row", "title": "r"},
    {"type": "timeseries", "title": "t", "targets": [
      {"expr": "rate(mallard_x{l=~\"$link\"}[$__rate_interval])"}]}]
})json";

TEST(BoardQueries, StandAtAllAndHaveNoVariablesLeft) {
  const auto queries = board_queries(small_board, "20s");
  ASSERT_EQ(queries.size(), 3U);
  EXPECT_EQ(queries[0].expression, "group by (cluster) (mallard_build_info)");
  EXPECT_EQ(queries[1].expression, "group by (link) (mallard_x{c=~\".*\"})");
  EXPECT_EQ(queries[2].where, "t");
  EXPECT_EQ(queries[2].expression, "rate(mallard_x{l=~\".*\"}[20s])");
}

TEST(BoardQueries, AreRefusedWhereTheyCannotBeAsked) {
  const auto with = [](const std::string& panel) {
    return board_queries(R"({"templating": {"list": []}, "panels": [)" + panel + "]}", "20s");
  };
  EXPECT_TRUE(with(R"({"type": "text"})").empty());
  EXPECT_THROW((void)with(R"({"type": "stat", "title": "no query"})"), std::runtime_error);
  EXPECT_THROW((void)with(R"({"type": "stat", "title": "t", "targets": [{"expr": "up{a=\"$b\"}"}]})"),
               std::runtime_error);
  EXPECT_THROW((void)board_queries("{", "20s"), std::runtime_error);
}

TEST(Selectors, AreWhatARuleLooksAt) {
  using Selectors = std::vector<std::string>;
  EXPECT_EQ(selectors_of(R"(up{job=~"mallard.*"} == 0)"), Selectors{R"(up{job=~"mallard.*"})"});
  EXPECT_EQ(selectors_of("max by (link) (rate(mallard_a_total[5m])) / mallard_b > 0.2"),
            (Selectors{"mallard_a_total", "mallard_b"}));
  EXPECT_EQ(selectors_of(R"(label_replace(mallard_c == 0, "up", "mallard_d", "e", "up"))"),
            Selectors{"mallard_c"});
}

}  // namespace
}  // namespace mallard::integration
