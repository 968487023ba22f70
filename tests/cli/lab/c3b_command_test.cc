// That `mallard bench c3b` runs and prints its fields, not what the figures are.
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

TEST(C3bCommand, PrintsARowForEachCombination) {
  const ProgramOutcome bench = run_program({"bench", "c3b", "--strategy", "picsou,one-shot", "--from", "3,4",
                                            "--bytes", "100000", "--cpu-factor", "0.5,1,2", "-o", "json"});
  ASSERT_EQ(bench.exit_code, 0) << bench.err;
  const Json rows = Json::parse(bench.out);
  ASSERT_EQ(rows.size(), 12U);
  for (const Json& row : rows) {
    EXPECT_THAT(
        fields_of(row),
        ElementsAreArray({"strategy", "from", "to", "bytes", "network", "crash", "byzantine", "cpu_factor",
                          "messages_per_second", "cross_cluster_copies_per_message",
                          "header_bytes_per_message", "resends_per_message", "quack_ms_p50", "quack_ms_p99",
                          "delivery_ms_p50", "delivery_ms_p99", "cpu_ns_per_message", "window_bytes"}));
    EXPECT_EQ(row["from"], row["to"]);
    EXPECT_EQ(row["bytes"], 100'000);
    EXPECT_GT(row["messages_per_second"], 0);
    EXPECT_EQ(row["cross_cluster_copies_per_message"], 1);
    EXPECT_EQ(row["quack_ms_p50"].is_null(), row["strategy"] == "one-shot");
  }
  EXPECT_THAT(bench.err, HasSubstr("of its closed form"));
}

TEST(C3bCommand, PrintsATable) {
  const ProgramOutcome bench = run_program({"bench", "c3b", "--strategy", "leader-to-leader", "--bytes",
                                            "1000000", "--network", "geo", "--from", "4", "--to", "7"});
  ASSERT_EQ(bench.exit_code, 0) << bench.err;
  EXPECT_THAT(bench.out, HasSubstr("messages/s"));
  EXPECT_THAT(bench.out, HasSubstr("4->7"));
}

TEST(C3bCommand, WrongOptionsAreUsageErrors) {
  const std::vector<std::vector<std::string>> wrong{
      {"--strategy", "kafka"},   {"--from", "0"},        {"--to", "65"},
      {"--bytes", "2000000"},    {"--network", "moon"},  {"--crash", "2"},
      {"--byzantine", "polite"}, {"--cpu-factor", "-1"}, {"-o", "yaml"},
      {"--bytes", "4,,hello"},
  };
  for (std::vector<std::string> words : wrong) {
    words.insert(words.begin(), {"bench", "c3b"});
    const ProgramOutcome bench = run_program(words);
    EXPECT_EQ(bench.exit_code, 2) << words[2] << " " << words.back();
    EXPECT_EQ(bench.out, "");
    EXPECT_NE(bench.err, "");
  }
}

}  // namespace
}  // namespace mallard::cli
