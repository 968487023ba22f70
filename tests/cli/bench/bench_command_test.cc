// The benchmarks for a moment: that they run, check and print their fields, not what the figures are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/program.h"

namespace mallard::cli {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::vector<std::string> fields_of(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) {
    names.push_back(name);
  }
  return names;
}

TEST(BenchCommand, CommitPrintsItsFieldsForEitherDurability) {
  for (const std::string durability : {"replicated", "disk"}) {
    // Large writes, so that the ring goes round soon.
    const ProgramOutcome bench =
        run_program({"bench", "commit", "--wait", "adaptive", "--durability", durability, "--bytes", "16384",
                     "--seconds", "1", "--commits", "500", "-o", "json"});
    ASSERT_EQ(bench.exit_code, 0) << bench.err;
    const Json figures = Json::parse(bench.out);
    EXPECT_THAT(fields_of(figures),
                ElementsAreArray({"engine", "memory", "durability", "replicas", "bytes", "commit_ns_p50",
                                  "commit_ns_p99", "commit_ns_p999", "client_ns_p50", "client_ns_p99",
                                  "commits_per_second", "cpu_ns_per_commit"}));
    EXPECT_EQ(figures["durability"], durability);
    EXPECT_EQ(figures["replicas"], 3);
    EXPECT_EQ(figures["bytes"], 16'384);
    EXPECT_GT(figures["commit_ns_p50"], 0);
    EXPECT_LE(figures["commit_ns_p50"], figures["commit_ns_p99"]);
    EXPECT_LE(figures["commit_ns_p99"], figures["commit_ns_p999"]);
    EXPECT_GT(figures["client_ns_p50"], 0);
    EXPECT_GT(figures["commits_per_second"], 0);
    EXPECT_GT(figures["cpu_ns_per_commit"], 0);
    EXPECT_THAT(bench.err, HasSubstr("all replicas agree"));
  }
}

TEST(BenchCommand, FailoverPrintsItsFieldsAfterAKillAndAStop) {
  const ProgramOutcome bench = run_program(
      {"bench", "failover", "--wait", "adaptive", "--rounds", "2", "--quiet-seconds", "1", "-o", "json"});
  ASSERT_EQ(bench.exit_code, 0) << bench.err;
  const Json figures = Json::parse(bench.out);
  EXPECT_THAT(fields_of(figures), ElementsAreArray({"rounds", "failover_us_p50", "failover_us_p99"}));
  EXPECT_EQ(figures["rounds"], 2);
  EXPECT_GT(figures["failover_us_p50"], 0);
  EXPECT_THAT(bench.err, HasSubstr("kill -9: 1 rounds"));
  EXPECT_THAT(bench.err, HasSubstr("SIGSTOP: 1 rounds"));
  EXPECT_THAT(bench.err, HasSubstr("leader changes in 1 s without a fault: "));
}

TEST(BenchCommand, WrongOptionsAreUsageErrors) {
  const std::vector<std::vector<std::string>> wrong{
      {"commit", "--engine", "bft"},
      {"commit", "--engine", "raft"},
      {"commit", "--memory", "verbs"},
      {"commit", "--durability", "none"},
      {"commit", "--wait", "long"},
      {"commit", "--replicas", "2"},
      {"commit", "--bytes", "0"},
      {"commit", "--bytes", "99999"},
      {"commit", "--seconds", "61"},
      {"commit", "--commits", "0"},
      {"commit", "-o", "yaml"},
      {"failover", "--rounds", "1001"},
      {"failover", "--rounds", "-1"},
      {"failover", "--nothing"},
      {"mirror", "--values", "1"},
      {"mirror", "--values", "50001"},
      {"mirror", "--bytes", "70000"},
      {"mirror", "--values", "50000"},
      {"everything"},
      {"commit", "--seconds", "soon"},
  };
  for (std::vector<std::string> words : wrong) {
    words.insert(words.begin(), "bench");
    const ProgramOutcome bench = run_program(words);
    EXPECT_EQ(bench.exit_code, 2) << words[1] << " " << words.back();
    EXPECT_EQ(bench.out, "");
    EXPECT_NE(bench.err, "");
  }
}

}  // namespace
}  // namespace mallard::cli
