// `mallard status` and `mallard lag`: what the processes on this machine say of themselves.
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/status/process_status.h"
#include "cli/status/status_text.h"

namespace mallard::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration patience = Duration::seconds(2);
constexpr std::chrono::seconds watch_pause{1};

struct StatusOptions {
  std::string path;
  OutputFormat format = OutputFormat::table;
  bool watch = false;
};

Json status_json(const LocalProcesses& local) {
  Json processes = Json::array();
  for (const ReplicaStatus& replica : local.replicas) {
    Json process{{"process", replica.kind == ProcessKind::gateway ? "gateway" : "replica"},
                 {"cluster", replica.cluster},
                 {"id", replica.id},
                 {"answered", replica.answer.has_value()}};
    if (replica.answer) {
      process["status"] = Json::parse(replica.page);
    } else {
      process["error"] = replica.answer.error();
    }
    processes.push_back(std::move(process));
  }
  return {{"processes", std::move(processes)}, {"elsewhere", local.elsewhere}};
}

Json lag_json(const LocalProcesses& local) {
  Json links = Json::array();
  for (const LinkLag& lag : link_lags(local)) {
    links.push_back({{"link", lag.name},
                     {"committed", lag.committed_message},
                     {"quacked", lag.quacked_message},
                     {"applied", lag.applied_message},
                     {"lag_seconds", lag.lag_seconds},
                     {"lag_messages", lag.lag_messages},
                     {"lag_bytes", lag.lag_bytes},
                     {"quack_p99_ms", lag.quack_p99_ms},
                     {"apply_p99_ms", lag.apply_p99_ms}});
  }
  return {{"links", std::move(links)}};
}

// What one of the two commands shows of an answer.
struct View {
  std::string (*text)(const LocalProcesses& local);
  Json (*json)(const LocalProcesses& local);
};

std::string elsewhere_note(const LocalProcesses& local) {
  return local.elsewhere == 0
             ? ""
             : fmt::format("note: {} replicas are on other machines; ask there too\n", local.elsewhere);
}

std::string clock_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

std::size_t terminal_rows() {
  constexpr std::size_t usual = 24;
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : usual;
}

// Once, or every second until the user stops it. On a terminal each turn replaces the last; elsewhere it
// follows it.
ExitCode show(const StatusOptions& options, const View& view) {
  ExitCode exit_code = ExitCode::ok;
  const auto pairing = load_configuration(options.path, exit_code);
  if (!pairing) {
    return exit_code;
  }
  const bool as_json = options.format == OutputFormat::json;
  const bool replaces = options.watch && !as_json && ::isatty(STDOUT_FILENO) == 1;
  for (bool first = true;; first = false) {
    const LocalProcesses local = ask_local_processes(*pairing, patience);
    exit_code = status_exit_code(local);
    const std::string body = as_json ? view.json(local).dump() + "\n" : view.text(local);
    if (replaces) {
      const std::string title = fmt::format("{}, every second; Ctrl-C ends it\n\n", clock_text());
      fmt::print("{}", screen_text(title + body + elsewhere_note(local), terminal_rows()));
    } else {
      fmt::print("{}{}", first || as_json ? "" : "\n", body);
    }
    std::fflush(stdout);
    if (first && !replaces) {
      fmt::print(stderr, "{}", elsewhere_note(local));
    }
    if (!options.watch || std::ferror(stdout) != 0) {
      return exit_code;
    }
    std::this_thread::sleep_for(watch_pause);
  }
}

void add_view(CLI::App& program, ExitCode& exit_code, const char* name, const char* purpose, View view) {
  CLI::App* command = program.add_subcommand(name, purpose);
  const auto options = std::make_shared<StatusOptions>();
  add_config_option(*command, options->path);
  add_output_option(*command, options->format);
  command->add_flag("--watch", options->watch, "Show it again every second until Ctrl-C");
  command->group(group_watch);
  command->callback([options, view, &exit_code] { exit_code = show(*options, view); });
}

}  // namespace

void add_status(CLI::App& program, ExitCode& exit_code) {
  add_view(program, exit_code, "status",
           "Show the gateways, replicas and links of this machine and what they wait for",
           {status_text, status_json});
}

void add_lag(CLI::App& program, ExitCode& exit_code) {
  add_view(program, exit_code, "lag", "Show how far each link is behind",
           {[](const LocalProcesses& local) { return lag_text(link_lags(local)); }, lag_json});
}

}  // namespace mallard::cli
