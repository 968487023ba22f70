#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/print_pairing.h"
#include "tests/cli/program.h"
#include "tests/cli/temporary_folder.h"
#include "tests/config/pairings.h"

namespace mallard::cli {
namespace {

using testing::HasSubstr;

// A pairing whose west is on this machine, at a port that nothing listens on.
std::string pairing_text() {
  config::Pairing pairing = config::small_pairing();
  pairing.clusters[1].replicas[0].host = "127.0.0.1";
  pairing.clusters[1].replicas[0].ports.admin = 1;
  for (config::ReplicaSettings& replica : pairing.clusters[0].replicas) {
    replica.ports.admin = 1;
  }
  return config::print_pairing(pairing);
}

TEST(Status, ExitsThreeWhenNoProcessAnswers) {
  const TemporaryFolder folder;
  const std::string path = folder.file("pairing.yaml", pairing_text());
  const ProgramOutcome status = run_program({"status", "--config", path});
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_THAT(status.out, HasSubstr("west 0   no answer"));
  EXPECT_EQ(status.err, "note: 3 replicas are on other machines; ask there too\n");
  const ProgramOutcome json = run_program({"status", "-o", "json"}, {{"MALLARD_CONFIG", path}});
  EXPECT_EQ(json.exit_code, 3);
  const auto report = nlohmann::json::parse(json.out);
  EXPECT_EQ(report["processes"][0]["cluster"], "west");
  EXPECT_EQ(report["processes"][0]["answered"], false);
  const ProgramOutcome lag = run_program({"lag", "-o", "json", "--config", path});
  EXPECT_EQ(lag.exit_code, 3);
  EXPECT_EQ(nlohmann::json::parse(lag.out)["links"].size(), 0U);
}

TEST(Status, NeedsAGoodConfiguration) {
  const ProgramOutcome outcome = run_program({"status", "--config", "no/such/file"});
  EXPECT_EQ(outcome.exit_code, 78);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("no/such/file: cannot be opened"));
}

}  // namespace
}  // namespace mallard::cli
