// `mallard demo` as a user runs it: the main job, with every bar of its result.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/deployment/child_process.h"
#include "tests/integration/deployment/scratch_folder.h"

namespace mallard::integration {
namespace {

struct Outcome {
  int status = -1;
  std::string out;
  std::string errors;
};

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Runs the program to its end. The run has its own limits of time; ctest has the last one.
Outcome run_program(const std::vector<std::string>& arguments) {
  const ScratchFolder folder("demo");
  std::string line = std::string("'") + MALLARD_PROGRAM + "'";
  for (const std::string& argument : arguments) {
    line += " '" + argument + "'";
  }
  const std::string errors = (folder.path() / "errors").string();
  std::FILE* pipe = ::popen((line + " 2>'" + errors + "'").c_str(), "r");
  Outcome outcome;
  std::array<char, 4096> piece{};
  for (std::size_t got = 0; (got = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;) {
    outcome.out.append(piece.data(), got);
  }
  outcome.status = WEXITSTATUS(::pclose(pipe));
  outcome.errors = contents(errors);
  return outcome;
}

void expect_exact(const nlohmann::json& result) {
  EXPECT_TRUE(result.at("identical").get<bool>());
  EXPECT_EQ(result.at("missing"), 0);
  EXPECT_EQ(result.at("different"), 0);
  EXPECT_EQ(result.at("delivered_twice"), 0);
}

// Records in a file; fewer than a machine has, so that less is to be written.
std::string write_records(const ScratchFolder& folder, int count) {
  const std::filesystem::path path = folder.path() / "records";
  std::ofstream records(path);
  for (int i = 0; i < count; ++i) {
    records << "Package: p" << i << "\nVersion: " << i << "\n\n";
  }
  return path.string();
}

void expect_bars(const nlohmann::json& result) {
  expect_exact(result);
  ASSERT_EQ(result.at("faults").size(), 2U);
  for (const nlohmann::json& fault : result.at("faults")) {
    EXPECT_LE(fault.at("delivered_at_kill").get<double>(), 0.8) << fault;
    EXPECT_FALSE(fault.at("what").get<std::string>().empty());
  }
  EXPECT_GE(result.at("cross_cluster_copies_per_message").get<double>(), 1.0);
  EXPECT_LE(result.at("cross_cluster_copies_per_message").get<double>(), 1.05);
  EXPECT_LT(result.at("elapsed_s").get<double>(), 60);
  for (const char* field : {"from", "to", "updates", "deletes", "increments", "values_per_second",
                            "lag_ms_p50", "lag_ms_p99", "resends"}) {
    EXPECT_TRUE(result.contains(field)) << field;
  }
}

TEST(Demo, everything_arrives_once_and_in_order_while_processes_are_killed) {
  const Outcome outcome = run_program({"demo", "-o", "json"});
  ASSERT_EQ(outcome.status, 0) << outcome.errors;
  const nlohmann::json result = nlohmann::json::parse(outcome.out);
  expect_bars(result);
  EXPECT_EQ(result.at("from"), "cft");
  EXPECT_EQ(result.at("to"), "cft");
  EXPECT_GT(result.at("values").get<std::uint64_t>(), 0U);
  EXPECT_NE(result.at("faults").at(0).at("what").get<std::string>().find("(leader)"), std::string::npos);
}

class Kinds : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Kinds, of_clusters_go_together) {
  const ScratchFolder folder("demo");
  const Outcome outcome = run_program({"demo", "--from", GetParam().first, "--to", GetParam().second,
                                       "--input", write_records(folder, 20'000), "-o", "json"});
  ASSERT_EQ(outcome.status, 0) << outcome.errors;
  const nlohmann::json result = nlohmann::json::parse(outcome.out);
  expect_bars(result);
  EXPECT_EQ(result.at("from"), GetParam().first);
  EXPECT_EQ(result.at("to"), GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(Demo, Kinds,
                         ::testing::Values(std::pair{"file", "file"}, std::pair{"file", "cft"},
                                           std::pair{"cft", "file"}));

TEST(Demo, without_faults_every_message_crosses_once) {
  const ScratchFolder folder("demo");
  const Outcome outcome =
      run_program({"demo", "--from", "file", "--to", "file", "--input", write_records(folder, 5'000),
                   "--replicas", "5", "--faults", "none", "-o", "json"});
  ASSERT_EQ(outcome.status, 0) << outcome.errors;
  const nlohmann::json result = nlohmann::json::parse(outcome.out);
  expect_exact(result);
  EXPECT_EQ(result.at("values"), 5'000);
  EXPECT_EQ(result.at("faults").size(), 0U);
  EXPECT_LE(result.at("cross_cluster_copies_per_message").get<double>(), 1.05);
}

TEST(Demo, ctrl_c_ends_it_and_its_processes_and_leaves_nothing) {
  const ScratchFolder folder("demo");
  ::setenv("TMPDIR", folder.path().c_str(), 1);
  ChildProcess demo({MALLARD_PROGRAM, "demo"}, {.output = folder.path() / "output"});
  ::unsetenv("TMPDIR");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (contents(folder.path() / "output").find("processes run") == std::string::npos) {
    ASSERT_TRUE(demo.running()) << contents(folder.path() / "output");
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    ::sched_yield();
  }
  demo.signal(SIGINT);
  EXPECT_EQ(demo.wait(), 1);
  EXPECT_NE(contents(folder.path() / "output").find("interrupted"), std::string::npos);
  std::size_t left = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    left += entry.path().filename() == "output" ? 0U : 1U;
  }
  EXPECT_EQ(left, 0U);
}

TEST(Demo, what_comes_later_is_refused_in_plain_words) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"demo", "--from", "bft"},
                                                    {"demo", "--to", "etcd"},
                                                    {"demo", "--faults", "byzantine"},
                                                    {"demo", "--memory", "verbs"},
                                                    {"demo", "--replicas", "2"},
                                                    {"demo", "--replicas", "8"},
                                                    {"demo", "--from", "paper"}}) {
    const Outcome outcome = run_program(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments.back();
    EXPECT_TRUE(outcome.out.empty());
    EXPECT_FALSE(outcome.errors.empty());
  }
}

TEST(Demo, input_that_cannot_be_used_is_named) {
  const Outcome outcome = run_program({"demo", "--input", "/nowhere/at/all"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.errors.find("/nowhere/at/all: cannot be read"), std::string::npos) << outcome.errors;
}

}  // namespace
}  // namespace mallard::integration
