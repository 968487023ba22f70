// `mallard demo --stay` with its usual records, once everything has arrived: what its processes take while
// nobody asks anything of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/deployment/child_process.h"
#include "tests/integration/deployment/deployment.h"
#include "tests/integration/deployment/scratch_folder.h"
#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

constexpr Duration patience = Duration::seconds(120);
constexpr Duration settle_time = Duration::seconds(3);
constexpr Duration measured_time = Duration::seconds(10);
constexpr std::size_t processes = 12;
constexpr std::uint64_t pss_max = 128ULL << 20U;
constexpr double core_share_max = 0.05;  // of one core, all together

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> children_of(pid_t parent) {
  const std::string id = std::to_string(parent);
  std::istringstream in(contents("/proc/" + id + "/task/" + id + "/children"));
  return {std::istream_iterator<std::string>(in), {}};
}

std::uint64_t pss_of(const std::string& process) {
  const std::string all = contents("/proc/" + process + "/smaps_rollup");
  const std::size_t at = all.find("\nPss:");
  return at == std::string::npos ? 0 : std::stoull(all.substr(at + 5)) << 10U;
}

// Processor time so far, in clock ticks: fields 14 and 15 of the process's state.
std::uint64_t ticks_of(const std::string& process) {
  const std::string all = contents("/proc/" + process + "/stat");
  std::istringstream rest(all.substr(all.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  rest >> user >> system;
  return user + system;
}

TEST(Idle, ProcessesTakeLittle) {
  const ScratchFolder folder("idle");
  ::setenv("TMPDIR", folder.path().c_str(), 1);
  ChildProcess demo({built_program().string(), "demo", "--stay"}, {.output = folder.path() / "output"});
  ::unsetenv("TMPDIR");
  ASSERT_TRUE(wait_until(patience, [&] {
    return !demo.running() || contents(folder.path() / "output").find("Ctrl-C ends it") != std::string::npos;
  }));
  ASSERT_TRUE(demo.running()) << contents(folder.path() / "output");
  const std::vector<std::string> all = children_of(demo.pid());
  ASSERT_EQ(all.size(), processes);
  let_pass(settle_time);
  std::uint64_t before = 0;
  for (const std::string& one : all) before += ticks_of(one);
  let_pass(measured_time);
  std::uint64_t after = 0;
  std::uint64_t largest = 0;
  for (const std::string& one : all) {
    after += ticks_of(one);
    const std::uint64_t pss = pss_of(one);
    EXPECT_GT(pss, 0U);
    EXPECT_LT(pss, pss_max) << contents("/proc/" + one + "/cmdline");
    largest = std::max(largest, pss);
  }
  const double seconds = static_cast<double>(after - before) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double share = seconds * 1e9 / static_cast<double>(measured_time.ns);
  EXPECT_LT(share, core_share_max);
  std::printf("%zu processes: the largest takes %.1f MiB (PSS), all together %.2f %% of one core\n",
              all.size(), static_cast<double>(largest) / (1 << 20), 100 * share);
  demo.signal(SIGINT);
  demo.wait();
}

}  // namespace
}  // namespace mallard::integration
