// Throughput of real gateways over the loopback device: TLS on, files and syncs as in production.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/base/limits.h"
#include "tests/bench/loopback/run.h"

namespace mallard::bench {
namespace {

struct Options {
  std::vector<std::uint16_t> replicas = {4, 3};
  std::vector<std::size_t> bytes = {100, 1024, 102'400};
  std::uint64_t megabytes = 400;  // of messages in each run
  std::uint64_t batch_bytes = 1U << 18;
  bool live = false;
  bool json = false;
};

RunSettings settings_of(const Options& options, std::uint16_t replicas, std::size_t bytes) {
  RunSettings settings;
  settings.from = settings.to = replicas;
  settings.message_bytes = bytes;
  settings.live = options.live;
  settings.messages = std::clamp<std::uint64_t>(options.megabytes * 1'000'000 / bytes, 100, 3'000'000);
  settings.messages_per_entry =
      std::clamp<std::uint64_t>(options.batch_bytes / (bytes + 4), 1, batch_messages_max);
  return settings;
}

nlohmann::ordered_json row(const RunSettings& settings, const RunFigures& figures) {
  return {{"from", settings.from},
          {"to", settings.to},
          {"bytes", settings.message_bytes},
          {"messages", settings.messages},
          {"messages_per_batch", settings.messages_per_entry},
          {"window_messages", settings.window_messages},
          {"window_bytes", settings.window_bytes},
          {"seconds", figures.seconds},
          {"messages_per_second", figures.messages_per_second},
          {"cpu_ns_per_message", figures.cpu_ns_per_message},
          {"pss_mib_max", figures.pss_mib_max},
          {"problem", figures.problem}};
}

int run(const Options& options) {
  auto rows = nlohmann::ordered_json::array();
  bool correct = true;
  if (!options.json) {
    fmt::print("{:>8} {:>8} {:>9} {:>7} {:>8} {:>12} {:>10} {:>9} {:>8}\n", "replicas", "bytes", "messages",
               "batch", "seconds", "messages/s", "MB/s", "ns cpu/m", "PSS MiB");
  }
  for (const std::uint16_t replicas : options.replicas) {
    for (const std::size_t bytes : options.bytes) {
      const RunSettings settings = settings_of(options, replicas, bytes);
      const RunFigures figures = run_loopback(settings);
      correct = correct && figures.problem.empty();
      rows.push_back(row(settings, figures));
      if (!options.json) {
        fmt::print("{:>8} {:>8} {:>9} {:>7} {:>8.2f} {:>12.0f} {:>10.1f} {:>9.0f} {:>8.1f} {}\n",
                   fmt::format("{}->{}", replicas, replicas), bytes, settings.messages,
                   settings.messages_per_entry, figures.seconds, figures.messages_per_second,
                   figures.messages_per_second * static_cast<double>(bytes) / 1e6, figures.cpu_ns_per_message,
                   figures.pss_mib_max, figures.problem);
        std::fflush(stdout);
      }
    }
  }
  if (options.json) fmt::print("{}\n", rows.dump(1));
  return correct ? 0 : 1;
}

}  // namespace
}  // namespace mallard::bench

int main(int argc, char** argv) {
  mallard::bench::Options options;
  CLI::App program("Throughput of gateways over the loopback device.", "loopback");
  program.add_option("--replicas", options.replicas, "on each side")->delimiter(',');
  program.add_option("--bytes", options.bytes, "of a message")->delimiter(',');
  program.add_option("--megabytes", options.megabytes, "of messages in each run");
  program.add_option("--batch-bytes", options.batch_bytes, "of messages in each entry of the source's log");
  program.add_flag("--live", options.live, "append to the source's log while it is sent");
  program.add_flag("--json", options.json);
  try {
    program.parse(argc, argv);
    return mallard::bench::run(options);
  } catch (const CLI::ParseError& wrong) {
    return program.exit(wrong);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "loopback: {}\n", problem.what());
    return 1;
  }
}
