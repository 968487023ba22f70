// `mallard bench`: figures of the real thing, each with the check without which it does not count.
#include "cli/bench/bench_command.h"

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/bench/commit_run.h"
#include "cli/bench/etcd_cluster.h"
#include "cli/bench/etcd_mirror.h"
#include "cli/bench/failover_run.h"
#include "cli/bench/mirror_run.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/table.h"
#include "config/value_text.h"
#include "crypto/sodium.h"

namespace mallard::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void prepare_bench() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    ::sigaction(number, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
  crypto::start_sodium();
}

// One object, or its fields below each other.
void print_figures(const nlohmann::ordered_json& figures, OutputFormat format) {
  if (format == OutputFormat::json) {
    fmt::print("{}\n", figures.dump());
    return;
  }
  Table table({{"figure"}, {"value", Table::Align::right}});
  for (const auto& [name, value] : figures.items()) {
    table.add_row({name, value.is_string()         ? value.get<std::string>()
                         : value.is_number_float() ? fmt::format("{:.1f}", value.get<double>())
                         : value.is_null()         ? "-"
                                                   : value.dump()});
  }
  fmt::print("{}", table.text());
}

ExitCode fail(const char* what, const std::string& why) {
  fmt::print(stderr, "mallard bench {}: {}\n", what, why);
  return ExitCode::failed;
}

// Words that an option takes, and what this version does not have yet.
CLI::Validator one_of(const std::vector<std::string>& words, const std::vector<std::string>& later) {
  return CLI::Validator(
      [words, later](const std::string& word) {
        for (const std::string& known : words) {
          if (word == known) {
            return std::string();
          }
        }
        for (const std::string& known : later) {
          if (word == known) {
            return fmt::format("{} comes with a later version; today: {}", word, fmt::join(words, ", "));
          }
        }
        return fmt::format("there is no {}; today: {}", config::shown(word), fmt::join(words, ", "));
      },
      "");
}

struct ClusterWords {
  std::string engine = "cft";
  std::string memory = "shm";
  std::string durability = "replicated";
  std::string wait = std::thread::hardware_concurrency() > 3 ? "spin" : "adaptive";

  [[nodiscard]] config::Durability durability_value() const {
    return durability == "disk" ? config::Durability::disk : config::Durability::replicated;
  }
  [[nodiscard]] config::Wait wait_value() const {
    return wait == config::word_of(config::Wait::spin) ? config::Wait::spin : config::Wait::adaptive;
  }
};

void add_cluster_options(CLI::App& command, ClusterWords& words) {
  command.add_option("--engine", words.engine, "The engine: cft")
      ->check(one_of({"cft"}, {"bft"}))
      ->type_name("ENGINE");
  command.add_option("--memory", words.memory, "How replicas reach each other: shm")
      ->check(one_of({"shm"}, {"tcp", "verbs"}))
      ->type_name("MEMORY");
  command.add_option("--durability", words.durability, "When a write counts: replicated or disk")
      ->check(one_of({"replicated", "disk"}, {}))
      ->type_name("D");
  command
      .add_option(
          "--wait", words.wait,
          "What idle replicas do: spin, where each of them has a core, or adaptive (" + words.wait + ")")
      ->check(one_of({"spin", "adaptive"}, {}))
      ->type_name("W");
}

template <class Number>
struct Limits {
  Number least;
  Number most;
};

template <class Number>
CLI::Option* add_count(CLI::App& command, const char* name, Number& value,
                       Limits<std::type_identity_t<Number>> limits, const char* what) {
  return command
      .add_option(name, value, fmt::format("{}, {} to {} ({})", what, limits.least, limits.most, value))
      ->check(CLI::Range(limits.least, limits.most))
      ->type_name("N");
}

// ---- commit

struct CommitOptions : ClusterWords {
  CommitSettings settings;
  OutputFormat format = OutputFormat::table;
};

ExitCode bench_commit(CommitOptions& options) {
  prepare_bench();
  options.settings.durability = options.durability_value();
  options.settings.wait = options.wait_value();
  const auto figures = run_commit(options.settings, interrupted);
  if (!figures) {
    return fail("commit", figures.error());
  }
  nlohmann::ordered_json out;
  out["engine"] = options.engine;
  out["memory"] = options.memory;
  out["durability"] = options.durability;
  out["replicas"] = options.settings.replicas;
  out["bytes"] = options.settings.bytes;
  out["commit_ns_p50"] = figures->commit_ns_p50;
  out["commit_ns_p99"] = figures->commit_ns_p99;
  out["commit_ns_p999"] = figures->commit_ns_p999;
  out["client_ns_p50"] = figures->client_ns_p50;
  out["client_ns_p99"] = figures->client_ns_p99;
  out["commits_per_second"] = figures->commits_per_second;
  out["cpu_ns_per_commit"] = figures->cpu_ns_per_commit;
  print_figures(out, options.format);
  return ExitCode::ok;
}

void add_commit(CLI::App& group, ExitCode& exit_code) {
  CLI::App* command = group.add_subcommand("commit", "What a commit costs");
  const auto options = std::make_shared<CommitOptions>();
  CommitSettings& settings = options->settings;
  add_cluster_options(*command, *options);
  add_count(*command, "--replicas", settings.replicas, {3, 7}, "Replicas");
  add_count(*command, "--bytes", settings.bytes, {16, 65'536}, "Bytes of a write");
  add_count(*command, "--seconds", settings.seconds, {1, 60}, "Seconds of measuring");
  add_count(*command, "--commits", settings.commits, {1, 4'000'000},
            "Commits that are timed one at a time, at most");
  add_output_option(*command, options->format);
  command->callback([options, &exit_code] { exit_code = bench_commit(*options); });
}

// ---- failover

struct FailoverOptions : ClusterWords {
  FailoverSettings settings;
  OutputFormat format = OutputFormat::table;
};

ExitCode bench_failover(FailoverOptions& options) {
  prepare_bench();
  options.settings.durability = options.durability_value();
  options.settings.wait = options.wait_value();
  const auto figures = run_failover(options.settings, interrupted);
  if (!figures) {
    return fail("failover", figures.error());
  }
  nlohmann::ordered_json out;
  out["rounds"] = figures->rounds;
  out["failover_us_p50"] = figures->failover_us_p50;
  out["failover_us_p99"] = figures->failover_us_p99;
  print_figures(out, options.format);
  return ExitCode::ok;
}

void add_failover(CLI::App& group, ExitCode& exit_code) {
  CLI::App* command = group.add_subcommand("failover", "How long nobody writes when a leader is gone");
  const auto options = std::make_shared<FailoverOptions>();
  add_cluster_options(*command, *options);
  add_count(*command, "--rounds", options->settings.rounds, {1, 1'000},
            "Leaders that are killed or stopped, in turn");
  add_count(*command, "--quiet-seconds", options->settings.quiet_seconds, {0, 600},
            "Seconds without a fault, in which changes of the leader are counted");
  add_output_option(*command, options->format);
  command->callback([options, &exit_code] { exit_code = bench_failover(*options); });
}

// ---- mirror

struct MirrorOptions {
  MirrorSettings settings;
  OutputFormat format = OutputFormat::table;
};

ExitCode bench_mirror(const MirrorOptions& options) {
  const MirrorSettings& settings = options.settings;
  if (settings.values * settings.bytes > mirror_bytes_max) {
    fmt::print(stderr,
               "mallard bench mirror: {} values of {} bytes are more than {} bytes in all; give fewer\n",
               settings.values, settings.bytes, mirror_bytes_max);
    return ExitCode::usage;
  }
  prepare_bench();
  const auto figures = run_mirror(settings, interrupted);
  if (!figures) {
    return fail("mirror", figures.error());
  }
  nlohmann::ordered_json peer;
  if (has_etcd()) {
    const auto rate = run_etcd_mirror(settings, interrupted);
    if (!rate) {
      return fail("mirror", "the peer: " + rate.error());
    }
    peer = *rate;
  } else {
    fmt::print(stderr, "no peer: install etcd-server and etcd-client to compare with etcdctl make-mirror\n");
  }
  nlohmann::ordered_json out;
  out["values"] = settings.values;
  out["bytes"] = settings.bytes;
  out["durability"] = "disk";
  out["tls"] = true;
  out["members"] = mirror_members;
  out["values_per_second"] = figures->values_per_second;
  out["peer_values_per_second"] = peer;
  out["ratio"] =
      peer.is_null() ? peer : nlohmann::ordered_json(figures->values_per_second / peer.get<double>());
  out["lag_ms_p50"] = figures->lag_ms_p50;
  out["lag_ms_p99"] = figures->lag_ms_p99;
  out["cpu_us_per_value"] = figures->cpu_us_per_value;
  print_figures(out, options.format);
  return ExitCode::ok;
}

void add_mirror(CLI::App& group, ExitCode& exit_code) {
  CLI::App* command = group.add_subcommand("mirror", "What a mirror carries, beside etcdctl make-mirror");
  const auto options = std::make_shared<MirrorOptions>();
  add_count(*command, "--values", options->settings.values, {100, 50'000}, "Values");
  add_count(*command, "--bytes", options->settings.bytes, {16, 65'536}, "Bytes of a value");
  add_output_option(*command, options->format);
  command->callback([options, &exit_code] { exit_code = bench_mirror(*options); });
}

}  // namespace

void add_bench(CLI::App& program, ExitCode& exit_code) {
  CLI::App* group = program.add_subcommand("bench", "Measure what commits, failures and mirrors cost here");
  group->group(group_watch);
  group->require_subcommand(1);
  add_commit(*group, exit_code);
  add_failover(*group, exit_code);
  add_mirror(*group, exit_code);
}

}  // namespace mallard::cli
