// `mallard demo`: the main job on one machine, with real records and real crashes.
#include <fmt/format.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/demo/child_process.h"
#include "cli/demo/demo_run.h"
#include "cli/demo/demo_workload.h"
#include "cli/options.h"
#include "config/value_text.h"

namespace mallard::cli {
namespace {

struct DemoOptions {
  std::string from = "cft";
  std::string to = "cft";
  std::uint16_t replicas = 3;
  std::string memory;
  std::string input;
  std::uint64_t seconds = 0;
  std::string faults = "crash";
  bool stay = false;
  std::string keep;
  OutputFormat format = OutputFormat::table;
};

volatile std::sig_atomic_t interrupted = 0;

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    ::sigaction(number, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
}

// Why these options cannot be had, if they cannot.
std::optional<std::string> refuse(const DemoOptions& options) {
  for (const std::string& kind : {options.from, options.to}) {
    if (kind == "bft" || kind == "etcd") {
      return fmt::format("clusters of kind {} come with a later version; today there are cft and file", kind);
    }
    if (kind != "file" && kind != "cft") {
      return fmt::format("there is no kind {}; today there are cft and file", config::shown(kind));
    }
  }
  if (!options.memory.empty() && options.memory != "auto" && options.memory != "shm") {
    return fmt::format("there is no memory {} in this version; today there is shm",
                       config::shown(options.memory));
  }
  if (options.faults == "byzantine") {
    return "--faults byzantine needs clusters of kind bft, which come with a later version; today: none, "
           "crash";
  }
  if (options.faults != "none" && options.faults != "crash") {
    return fmt::format("there are no faults {}; today: none, crash", config::shown(options.faults));
  }
  return std::nullopt;
}

// The directory of a run; one of its own goes when the run ends.
class RunDirectory {
 public:
  explicit RunDirectory(const std::string& keep) {
    if (!keep.empty()) {
      path_ = std::filesystem::absolute(keep);
      kept_ = true;
      std::filesystem::create_directories(path_);
      return;
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "mallard-demo-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), pattern);
    }
    path_ = pattern;
  }
  ~RunDirectory() {
    if (!kept_) {
      std::error_code ignored;
      std::filesystem::remove_all(path_, ignored);
    }
  }
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) {
    digits.insert(at - 3, ",");
  }
  return digits;
}

void print_json(const DemoOptions& options, const DemoResult& result) {
  nlohmann::ordered_json out;
  out["from"] = options.from;
  out["to"] = options.to;
  out["values"] = result.counts.values;
  out["updates"] = result.counts.updates;
  out["deletes"] = result.counts.deletes;
  out["increments"] = result.counts.increments;
  out["identical"] = result.identical();
  out["missing"] = result.logs.missing;
  out["different"] = result.logs.different;
  out["delivered_twice"] = result.logs.delivered_twice;
  out["faults"] = nlohmann::ordered_json::array();
  for (const DemoFault& fault : result.faults) {
    out["faults"].push_back(
        {{"at_s", fault.at_s}, {"what", fault.what}, {"delivered_at_kill", fault.delivered_at_kill}});
  }
  out["values_per_second"] = result.values_per_second;
  out["lag_ms_p50"] = result.lag_ms_p50;
  out["lag_ms_p99"] = result.lag_ms_p99;
  out["cross_cluster_copies_per_message"] = result.copies_per_message;
  out["resends"] = result.resends;
  out["longest_stall_s"] = result.longest_stall_s;
  out["elapsed_s"] = result.elapsed_s;
  fmt::print("{}\n", out.dump());
}

void print_table(const DemoOptions& options, const DemoResult& result, const std::string& records) {
  fmt::print(
      "{} {}, {} updates, {} deletes, {} increments: east ({}, {} replicas) -> west ({}, {} replicas)\n",
      grouped(result.counts.values), records, grouped(result.counts.updates), grouped(result.counts.deletes),
      grouped(result.counts.increments), options.from, options.replicas, options.to, options.replicas);
  for (const DemoFault& fault : result.faults) {
    fmt::print("{:5.1f}s  {}     {:.0f} % delivered by then\n", fault.at_s, fault.what,
               fault.delivered_at_kill * 100);
  }
  fmt::print("every acknowledged write is on all {} replicas: {}     writes stalled {:.1f}s at most\n",
             2 * options.replicas, result.identical() ? "yes" : "NO", result.longest_stall_s);
  fmt::print(
      "lost {}   different {}   delivered twice {}   lag p50 {:.0f} ms, p99 {:.0f} ms   {:.2f} copies per "
      "message\n",
      result.logs.missing, result.logs.different, result.logs.delivered_twice, result.lag_ms_p50,
      result.lag_ms_p99, result.copies_per_message);
}

// Leaves everything running until Ctrl-C.
void stay(const DemoRun& run) {
  const DemoDeployment& deployment = run.deployment();
  fmt::print(stderr, "\nEverything goes on running. Live pages:\n");
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t r = 0; r < deployment.replicas(); ++r) {
      fmt::print(stderr, "  {}  http://127.0.0.1:{}/\n", deployment.name(c, r), deployment.admin_port(c, r));
      if (deployment.has_replicas(c)) {
        fmt::print(stderr, "  {}  http://127.0.0.1:{}/ (the replica)\n", deployment.name(c, r),
                   deployment.replica_admin_port(c, r));
      }
    }
  }
  fmt::print(stderr, "Try in another terminal:\n  {1} status --config {0}\n  {1} lag --config {0} --watch\n",
             deployment.configuration().string(), own_program().string());
  for (std::size_t c = 0; c < 2; ++c) {
    if (deployment.has_replicas(c)) {
      std::string doors;
      for (const std::filesystem::path& directory : deployment.directories(c)) {
        doors += " --data " + directory.string();
      }
      fmt::print(stderr, "  {} kv {}{}\n", own_program().string(), c == 0 ? "put hello world" : "get hello",
                 doors);
    }
  }
  fmt::print(stderr, "Ctrl-C ends it.\n");
  while (interrupted == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

// Runs and reports; false when it could not be brought to an end.
bool run_and_report(const DemoOptions& options, DemoWorkload& workload, const std::string& records,
                    const RunDirectory& directory, ExitCode& exit_code) {
  const auto kind_of = [](const std::string& word) {
    return word == "cft" ? config::ClusterKind::cft : config::ClusterKind::file;
  };
  const DemoSettings settings{.root = directory.path(),
                              .kinds = {kind_of(options.from), kind_of(options.to)},
                              .replicas = options.replicas,
                              .seconds = options.seconds,
                              .crash = options.faults == "crash"};
  DemoRun run(settings, workload, interrupted);
  const auto result = run.run();
  if (!result) {
    fmt::print(stderr, "mallard demo: {}\n", result.error());
    return false;
  }
  if (options.format == OutputFormat::json) {
    print_json(options, *result);
  } else {
    print_table(options, *result, records);
  }
  std::fflush(stdout);
  exit_code = result->identical() ? ExitCode::ok : ExitCode::failed;
  if (options.stay) {
    stay(run);
  }
  if (const auto stopped = run.stop(); !stopped) {
    fmt::print(stderr, "mallard demo: {}\n", stopped.error());
    return false;
  }
  return true;
}

ExitCode run_demo(const DemoOptions& options) {
  if (const std::optional<std::string> why = refuse(options)) {
    fmt::print(stderr, "mallard demo: {}\n", *why);
    return ExitCode::usage;
  }
  catch_interrupts();
  auto input = read_demo_input(options.input);
  if (!input) {
    fmt::print(stderr, "mallard demo: {}\n", input.error());
    return ExitCode::failed;
  }
  auto workload = DemoWorkload::from_records(input->text);
  if (!workload) {
    fmt::print(stderr, "mallard demo: {}\n", workload.error());
    return ExitCode::failed;
  }
  input->text = {};
  if (input->name == "installed packages") {
    fmt::print(
        stderr,
        "The package index is empty (run apt-get update for more records); using the installed packages.\n");
  }
  RunDirectory directory(options.keep);
  if (!std::filesystem::is_empty(directory.path())) {
    fmt::print(stderr, "mallard demo: {} is not empty; give a new directory\n", directory.path().string());
    return ExitCode::refused;
  }
  ExitCode exit_code = ExitCode::failed;
  const bool ended = run_and_report(options, *workload, input->name, directory, exit_code);
  if (!ended || exit_code != ExitCode::ok) {
    exit_code = ExitCode::failed;
    if (interrupted == 0) {
      directory.keep();
      fmt::print(stderr, "Everything is kept for inspection in {}\n", directory.path().string());
    }
  }
  return exit_code;
}

}  // namespace

void add_demo(CLI::App& program, ExitCode& exit_code) {
  CLI::App* command = program.add_subcommand(
      "demo", "Run two clusters on this machine, copy one to the other, and crash some of them");
  command->group(group_run);
  const auto options = std::make_shared<DemoOptions>();
  command->add_option("--from", options->from, "Kind of the source cluster: cft or file")->type_name("KIND");
  command->add_option("--to", options->to, "Kind of the destination cluster: cft or file")->type_name("KIND");
  command->add_option("--replicas", options->replicas, "Replicas of each cluster, 3 to 7")
      ->check(CLI::Range(3, 7))
      ->type_name("N");
  command->add_option("--memory", options->memory, "Memory of clusters of kind cft: shm")->type_name("M");
  command->add_option("--input", options->input, "Records instead of this machine's Debian package index")
      ->type_name("FILE");
  command->add_option("--seconds", options->seconds, "Seconds of writes after the records")
      ->check(CLI::Range(0, 86'400))
      ->type_name("N");
  command
      ->add_option("--faults", options->faults, "none, or crash: kill a replica and its gateway on each side")
      ->type_name("KIND");
  command->add_flag("--stay", options->stay, "Leave everything running until Ctrl-C");
  command->add_option("--keep", options->keep, "Use this new directory, and leave it there")
      ->type_name("DIR");
  add_output_option(*command, options->format);
  command->callback([options, &exit_code] { exit_code = run_demo(*options); });
}

}  // namespace mallard::cli
