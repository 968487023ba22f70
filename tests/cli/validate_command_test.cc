#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "config/yaml/load_pairing.h"
#include "tests/cli/program.h"
#include "tests/cli/temporary_folder.h"

namespace mallard::cli {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

const std::string example = "config/examples/two_clusters.yaml";
const std::string broken_folder = "tests/config/yaml/testdata/broken";

TEST(Validate, ShowsWhatFollowsFromAGoodFile) {
  const ProgramOutcome good = run_program({"validate", example});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.out,
            "CLUSTER  REPLICAS  N  U  R  QUACK AT  DUPLICATE QUACK AT\n"
            "east            3  3  1  0         2                   1\n"
            "west            3  3  1  0         2                   1\n"
            "\n"
            "LINK       FROM  TO    APPLY   MESSAGES  BYTES  R_MAX\n"
            "east-west  east  west  mirror      4096  64MiB      3\n");
  EXPECT_THAT(good.err, StartsWith("note: 18 keys are the template's"));
  EXPECT_EQ(run_program({"validate", "--config", example}).out, good.out);
  EXPECT_EQ(run_program({"validate"}, {{"MALLARD_CONFIG", example}}).out, good.out);
}

TEST(Validate, SaysTheSameInJson) {
  const ProgramOutcome good = run_program({"validate", example, "-o", "json"});
  const auto report = nlohmann::json::parse(good.out);
  EXPECT_EQ(report["valid"], true);
  EXPECT_EQ(report["clusters"][1]["name"], "west");
  EXPECT_EQ(report["clusters"][1]["n"], 3);
  EXPECT_EQ(report["clusters"][1]["u"], 1);
  EXPECT_EQ(report["clusters"][1]["r"], 0);
  EXPECT_EQ(report["clusters"][1]["quack_threshold"], 2);
  EXPECT_EQ(report["clusters"][1]["duplicate_quack_threshold"], 1);
  EXPECT_EQ(report["links"][0]["window"]["bytes"], 64 << 20);
  EXPECT_EQ(report["links"][0]["r_max"], 3);
  const ProgramOutcome bad = run_program({"validate", broken_folder + "/many_problems.yaml", "-o", "json"});
  EXPECT_EQ(bad.exit_code, 78);
  const auto refusal = nlohmann::json::parse(bad.out);
  EXPECT_EQ(refusal["valid"], false);
  EXPECT_EQ(refusal["problems"].size(), 5U);
  EXPECT_EQ(refusal["problems"][1]["line"], 14);
  EXPECT_EQ(refusal["problems"][1]["column"], 9);
  EXPECT_EQ(refusal["problems"][1]["what"], "unknown key \"stakes\"");
  EXPECT_EQ(refusal["problems"][1]["advice"], "did you mean \"stake\"?");
}

TEST(Validate, ShowsWhoMayComeInAndToWhat) {
  const TemporaryFolder folder;
  const std::string path = folder.path("pairing.yaml");
  const std::string key = "ed25519:replace/me/laptop/AAAAAAAAAAAAAAAAAAAAAAAAA=";
  std::ofstream(path) << std::ifstream(example).rdbuf() << "\nclients:\n  - key: \"" << key
                      << "\"\n    prefixes: [/app/, /shared/]\n";
  const ProgramOutcome good = run_program({"validate", path});
  EXPECT_EQ(good.exit_code, 0) << good.out;
  EXPECT_THAT(good.out, HasSubstr(key + "  /app/, /shared/\n"));
  EXPECT_THAT(good.err, StartsWith("note: 19 keys are the template's")) << "a client's counts, too";
  const auto report = nlohmann::json::parse(run_program({"validate", path, "-o", "json"}).out);
  EXPECT_EQ(report["clients"][0]["key"], key);
  EXPECT_EQ(report["clients"][0]["prefixes"].size(), 2U);
}

TEST(Validate, SaysWhatAPowerLossCosts) {
  const TemporaryFolder folder;
  const auto output_with = [&folder](const std::string& durability) {
    const std::string text =
        "clusters:\n  solo:\n    engine: cft\n    durability: " + durability +
        "\n    replicas:\n"
        "      - {id: 0, host: 127.0.0.1, keys: {\n"
        "          gateway: \"ed25519:test/key/of/east0/gateway/AAAAAAAAAAAAAAAAA=\",\n"
        "          replica: \"ed25519:test/key/of/east0/replica/AAAAAAAAAAAAAAAAA=\",\n"
        "          signing: \"ed25519:test/key/of/east0/signing/AAAAAAAAAAAAAAAAA=\"}}\n";
    return run_program({"validate", folder.file(durability + ".yaml", text)}).out;
  };
  EXPECT_THAT(output_with("disk"), HasSubstr("solo: durability disk: a power loss of all replicas loses no"));
  EXPECT_THAT(output_with("replicated"), HasSubstr("a power loss of more than u replicas at once loses"));
}

TEST(Validate, SaysWhatOpenAdminPortsMean) {
  const TemporaryFolder folder;
  const auto validate_with = [&folder](const std::string& address, const std::string& format) {
    const std::string text =
        "clusters:\n  solo:\n    engine: cft\n    replicas:\n"
        "      - {id: 0, host: 127.0.0.1, admin_address: \"" +
        address +
        "\", keys: {\n"
        "          gateway: \"ed25519:test/key/of/east0/gateway/AAAAAAAAAAAAAAAAA=\",\n"
        "          replica: \"ed25519:test/key/of/east0/replica/AAAAAAAAAAAAAAAAA=\",\n"
        "          signing: \"ed25519:test/key/of/east0/signing/AAAAAAAAAAAAAAAAA=\"}}\n";
    return run_program({"validate", folder.file("pairing.yaml", text), "-o", format}).out;
  };
  EXPECT_THAT(validate_with("0.0.0.0", "table"),
              HasSubstr("\nsolo 0: status and metrics at 0.0.0.0, port 9780 and 9781\n"
                        "these ports are open to the network: who reaches them may read"));
  EXPECT_EQ(nlohmann::json::parse(validate_with("::", "json"))["clusters"][0]["open_admin"],
            nlohmann::json::array({0}));
  EXPECT_THAT(validate_with("127.0.0.2", "table"), testing::Not(HasSubstr("open to the network")));
  EXPECT_EQ(nlohmann::json::parse(validate_with("::1", "json"))["clusters"][0]["open_admin"].size(), 0U);
}

// Unequal clusters need more attempts than u_s + u_r + 1.
TEST(Validate, ShowsTheLongestWalkOfUnequalClusters) {
  std::string text = "clusters:\n";
  std::uint8_t next_key = 1;
  const auto add_cluster = [&](const std::string& name, const std::string& network, int size) {
    text += "  " + name + ":\n    attach: {file: {}}\n    replicas:\n";
    for (int i = 0; i < size; ++i) {
      text +=
          "      - {id: " + std::to_string(i) + ", host: " + network + std::to_string(i + 1) + ", keys: {";
      for (const char* role : {"gateway: ", ", replica: ", ", signing: "}) {
        text +=
            role + ("\"ed25519:" + std::string(1, static_cast<char>('A' + next_key / 26)) +
                    std::string(1, static_cast<char>('A' + next_key % 26)) + std::string(41, 'A') + "=\"");
        ++next_key;
      }
      text += "}}\n";
    }
  };
  add_cluster("three", "10.0.0.", 3);
  add_cluster("five", "10.1.0.", 5);
  text += "links:\n  - {name: up, from: three, to: five, apply: mirror}\n";
  const TemporaryFolder folder;
  const ProgramOutcome outcome = run_program({"validate", folder.file("unequal.yaml", text), "-o", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.out;
  EXPECT_GT(nlohmann::json::parse(outcome.out)["links"][0]["r_max"], 1 + 2 + 1);
}

TEST(Validate, RefusesEveryBrokenFileWithPlaceAndAdvice) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(broken_folder)) {
    const std::string path = entry.path().string();
    const ProgramOutcome outcome = run_program({"validate", path});
    EXPECT_EQ(outcome.exit_code, 78) << path;
    EXPECT_EQ(outcome.err, "") << path;
    std::string expected;
    const auto loaded = config::load_pairing(path);
    ASSERT_FALSE(loaded) << path;
    for (const config::ConfigProblem& problem : loaded.error()) {
      expected += to_text(problem) + "\n";
    }
    EXPECT_EQ(outcome.out, expected);
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) {
      if (path.ends_with("/only_comments.yaml")) continue;  // nothing in it has a place
      EXPECT_THAT(line, MatchesRegex(path + ":[0-9]+:[0-9]+: .+; .+"));
    }
    ++files;
  }
  EXPECT_GE(files, 25);
}

TEST(Validate, RefusesAHundredMegabytesOfGarbageInLittleMemory) {
  const TemporaryFolder folder;
  const std::string path = folder.path("garbage.yaml");
  {
    std::ofstream file(path, std::ios::binary);
    std::string chunk(1'000'000, '\0');
    std::uint32_t state = 1;
    for (char& c : chunk) {
      state = state * 1'664'525 + 1'013'904'223;
      c = static_cast<char>(state >> 24);
    }
    for (int i = 0; i < 100; ++i) file << chunk;
  }
  ASSERT_EQ(std::filesystem::file_size(path), 100'000'000U);
  const ProgramOutcome outcome = run_program({"validate", path});
  EXPECT_EQ(outcome.exit_code, 78);
  EXPECT_EQ(outcome.out,
            path + ": is larger than 1MiB; name the pairing's YAML file; a real one is a few KiB\n");
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LE(outcome.resident_kib_max, 64 * 1024);
#endif
}

// As large as a file may be, and as nasty as the fuzzer and the sources of yaml-cpp suggest.
TEST(Validate, RefusesTheWorstFilesInLittleMemory) {
  const TemporaryFolder folder;
  for (const char* piece :
       {"[", "{a: ", "- ", "? ", "a: 1\n", "- a\n", "\"", "|", "&a ", "!", "a,", "{},", "x\n", "---\n"}) {
    std::string content;
    while (content.size() < 1'000'000) content += piece;
    const ProgramOutcome outcome = run_program({"validate", folder.file("nasty.yaml", content)});
    EXPECT_EQ(outcome.exit_code, 78) << piece;
    EXPECT_THAT(outcome.out, HasSubstr("nasty.yaml:")) << piece;
#ifndef __SANITIZE_ADDRESS__
    EXPECT_LE(outcome.resident_kib_max, 64 * 1024) << piece;
#endif
  }
}

TEST(Validate, RefusesFilesThatCannotBeRead) {
  const ProgramOutcome outcome = run_program({"validate", "no/such/file"});
  EXPECT_EQ(outcome.exit_code, 78);
  EXPECT_EQ(
      outcome.out,
      "no/such/file: cannot be opened: No such file or directory; check the path and its permissions\n");
}

}  // namespace
}  // namespace mallard::cli
