#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
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

// What `mallard ARGUMENTS` writes to a terminal of five rows until `enough` of it is there and Ctrl-C is
// pressed.
std::string watch_on_terminal(std::vector<std::string> arguments, const std::string& last,
                              std::size_t times) {
  const winsize size{.ws_row = 5, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    std::string program = MALLARD_PROGRAM;
    std::vector<char*> words{program.data()};
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    ::execv(program.c_str(), words.data());
    ::_exit(127);
  }
  const auto count = [&](const std::string& text) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(last, at)) != std::string::npos; at += last.size()) ++found;
    return found;
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::string written;
  std::array<char, 4096> piece{};
  while (count(written) < times && std::chrono::steady_clock::now() < end) {
    pollfd source{.fd = terminal, .events = POLLIN, .revents = 0};
    if (::poll(&source, 1, 1000) != 1) continue;
    const ssize_t got = ::read(terminal, piece.data(), piece.size());
    if (got <= 0) break;
    written.append(piece.data(), static_cast<std::size_t>(got));
  }
  EXPECT_EQ(::write(terminal, "\x03", 1), 1);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
  ::close(terminal);
  return written;
}

TEST(Status, WatchFillsATerminalAgainAndAgainUntilCtrlC) {
  const TemporaryFolder folder;
  const std::string path = folder.file("pairing.yaml", pairing_text());
  for (const char* command : {"status", "lag"}) {
    const std::string written = watch_on_terminal({command, "--watch", "--config", path}, "\033[?7h", 2);
    EXPECT_TRUE(written.starts_with("\033[H")) << written;
    EXPECT_THAT(written, HasSubstr("every second; Ctrl-C ends it\033[K"));
    EXPECT_THAT(written,
                HasSubstr(command == std::string("status") ? "... 6 more lines" : "note: 3 replicas"));
  }
}

TEST(Status, NeedsAGoodConfiguration) {
  const ProgramOutcome outcome = run_program({"status", "--config", "no/such/file"});
  EXPECT_EQ(outcome.exit_code, 78);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("no/such/file: cannot be opened"));
}

}  // namespace
}  // namespace mallard::cli
