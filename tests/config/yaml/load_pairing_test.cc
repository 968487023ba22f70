#include "config/yaml/load_pairing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "config/pairing_template.h"
#include "config/print_pairing.h"
#include "config/yaml/document.h"
#include "tests/support/datadriven.h"

namespace mallard::config {
namespace {

using testing::HasSubstr;

const std::string broken_folder = "tests/config/yaml/testdata/broken/";

// A file that goes with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content)
      : path_(testing::TempDir() + "load_pairing_test." + std::to_string(::getpid()) + ".yaml") {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string problems_of(const Result<Pairing, std::vector<ConfigProblem>>& loaded) {
  std::string text = loaded ? "loaded" : "";
  for (const ConfigProblem& problem : loaded ? std::vector<ConfigProblem>{} : loaded.error()) {
    text += to_text(problem) + "\n";
  }
  return text;
}

std::string template_with(std::string_view what, std::string_view instead) {
  std::string text(pairing_template());
  const std::size_t at = text.find(what);
  if (at == std::string::npos) {
    throw support::StoryError("the template does not contain " + std::string(what));
  }
  return text.replace(at, what.size(), instead);
}

TEST(LoadPairing, TellsEveryProblemOfTheBrokenFiles) {
  std::set<std::string> told;
  support::run_story("tests/config/yaml/testdata/broken_files.txt",
                     [&](const support::StoryCommand& command) {
                       const std::string& file = command.text("file");
                       told.insert(file);
                       std::string text = problems_of(load_pairing(broken_folder + file));
                       for (std::size_t at = text.find(broken_folder); at != std::string::npos;
                            at = text.find(broken_folder)) {
                         text.erase(at, broken_folder.size());
                       }
                       return text;
                     });
  for (const auto& entry : std::filesystem::directory_iterator(broken_folder)) {
    EXPECT_TRUE(told.contains(entry.path().filename())) << entry.path() << " is not in the story";
  }
  EXPECT_GE(told.size(), 25U);
}

TEST(LoadPairing, FillsEverySetting) {
  const auto loaded = parse_pairing(R"(
clusters:
  east:
    attach: {file: {}}
    faults: {u: 2, r: 1}
    replicas:
      - {id: 1, host: east-1.example, stake: 2,
         keys: {gateway: "ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         replica: "ed25519:AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         signing: "ed25519:AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}
      - {id: 0, host: 10.0.0.1, stake: 4, ports: {bridge: 1, local: 2, clients: 3, admin: 4},
         admin_address: 0.0.0.0,
         keys: {gateway: "ed25519:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         replica: "ed25519:BQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         signing: "ed25519:BgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}
  west:
    attach: {file: {}}
    replicas:
      - {id: 0, host: "fd00::1", keys: {gateway: "ed25519:BwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         replica: "ed25519:CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         signing: "ed25519:CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}
links:
  - {name: west-east, from: west, to: east, include: [/a/, "/ü b/"], apply: mirror,
     window: {messages: 7, bytes: 2MiB}}
clients:
  - {key: "ed25519:CgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", prefixes: [/a/]}
operators:
  - {key: "ed25519:CwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
)",
                                    "whole.yaml");
  ASSERT_TRUE(loaded) << problems_of(loaded);
  const auto key = [](std::uint8_t first) {
    PublicKey made;
    made.bytes[0] = first;
    return made;
  };
  Pairing wanted;
  wanted.clusters.resize(2);
  wanted.clusters[0].name = "east";
  wanted.clusters[0].faults = {.u = 2, .r = 1};
  wanted.clusters[0].replicas = {
      {ReplicaIndex(0), "10.0.0.1", {1, 2, 3, 4}, {key(4), key(5), key(6)}, 4, "0.0.0.0"},
      {ReplicaIndex(1), "east-1.example", {}, {key(1), key(2), key(3)}, 2},
  };
  wanted.clusters[1].name = "west";
  wanted.clusters[1].replicas = {{ReplicaIndex(0), "fd00::1", {}, {key(7), key(8), key(9)}, 1}};
  wanted.links = {
      {"west-east", ClusterIndex(1), ClusterIndex(0), {"/a/", "/ü b/"}, Apply::mirror, {7, 2U << 20}}};
  wanted.clients = {{key(10), {"/a/"}}};
  wanted.operators = {{key(11)}};
  EXPECT_EQ(*loaded, wanted);
  EXPECT_EQ(*parse_pairing(print_pairing(wanted), "printed"), wanted);
}

TEST(LoadPairing, FaultsFollowFromTheStakes) {
  const auto three = parse_pairing(pairing_template(), "template");
  ASSERT_TRUE(three) << problems_of(three);
  EXPECT_EQ(three->clusters[0].faults, (FaultBudget{.u = 1, .r = 0}));
  const auto weighted = parse_pairing(template_with("# stake: 1  ", "stake: 1001"), "weighted");
  ASSERT_TRUE(weighted) << problems_of(weighted);
  EXPECT_EQ(weighted->clusters[0].faults, (FaultBudget{.u = 501, .r = 0}));  // of 1,003
}

TEST(LoadPairing, MirrorsThatFaceEachOtherMayHavePrefixesApart) {
  const std::string back =
      "    include: [/east/]\n  - {name: back, from: west, to: east, include: [/west/], apply: mirror}\n";
  const auto loaded = parse_pairing(template_with("    # include: [/app/]", back + "    #"), "two ways");
  EXPECT_TRUE(loaded) << problems_of(loaded);
}

TEST(LoadPairing, FilesThatCannotBeReadAreProblems) {
  EXPECT_THAT(problems_of(load_pairing("no/such/file.yaml")),
              HasSubstr("no/such/file.yaml: cannot be opened: No such file or directory; "));
  EXPECT_THAT(problems_of(load_pairing("tests")), HasSubstr("tests: cannot be read: Is a directory; "));
  const TemporaryFile empty("");
  EXPECT_THAT(problems_of(load_pairing(empty.path())),
              HasSubstr(": is empty; start from `mallard config template`"));
}

TEST(LoadPairing, EndlessFilesAreRefusedAfterTheLimit) {
  const std::string refused = "is larger than 1MiB; name the pairing's YAML file";
  EXPECT_THAT(problems_of(load_pairing("/dev/zero")), HasSubstr(refused));
  const std::string text(pairing_template());
  const TemporaryFile fits(text + "#" + std::string(file_bytes_max - text.size() - 2, 'x') + "\n");
  EXPECT_EQ(problems_of(load_pairing(fits.path())), "loaded");
  const TemporaryFile over(text + "#" + std::string(file_bytes_max - text.size() - 1, 'x') + "\n");
  EXPECT_THAT(problems_of(load_pairing(over.path())), HasSubstr(refused));
}

}  // namespace
}  // namespace mallard::config
