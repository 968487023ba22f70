// `mallard bench c3b`: every strategy on the same simulated network, Picsou with its real core.
#include "cli/lab/c3b_command.h"

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/options.h"
#include "cli/table.h"
#include "tests/sim/lab/exchange.h"
#include "tests/sim/lab/run_shape.h"

namespace mallard::cli {
namespace {

using lab::RunFigures;
using lab::RunShape;

constexpr std::size_t replicas_least = 1;
constexpr std::size_t replicas_most = 64;
constexpr std::uint32_t message_least = 1;
constexpr std::uint32_t message_most = 1'000'000;
constexpr std::size_t rows_max = 1'000;

struct C3bOptions {
  std::vector<std::string> strategies;
  std::vector<std::size_t> from{4};
  std::vector<std::size_t> to;  // empty: as many as `from`
  std::vector<std::uint32_t> bytes{100};
  std::vector<std::string> networks{"lan"};
  std::vector<double> crash{0};
  std::vector<std::string> byzantine{"none"};
  std::vector<double> cpu_factor{1};
  OutputFormat format = OutputFormat::table;
};

template <class Word>
std::vector<std::string> words_of(std::size_t count) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < count; ++i) {
    words.emplace_back(lab::word_of(static_cast<Word>(i)));
  }
  return words;
}

template <class Word>
Word value_of(const std::string& word, std::size_t count) {
  std::size_t i = 0;
  while (i + 1 < count && lab::word_of(static_cast<Word>(i)) != word) {
    ++i;
  }
  return static_cast<Word>(i);
}

// Every combination, strategies innermost, so that what is compared stands together.
std::vector<RunShape> shapes_of(const C3bOptions& options) {
  std::vector<RunShape> shapes{RunShape{}};
  const auto extend = [&shapes](const auto& values, auto set) {
    std::vector<RunShape> extended;
    for (const RunShape& shape : shapes) {
      for (const auto& value : values) {
        extended.push_back(shape);
        set(extended.back(), value);
      }
    }
    shapes = std::move(extended);
  };
  extend(options.networks, [](RunShape& shape, const std::string& word) {
    shape.network = word == "geo" ? &lab::geo : &lab::lan;
  });
  extend(options.bytes, [](RunShape& shape, std::uint32_t bytes) { shape.bytes = bytes; });
  extend(options.from, [](RunShape& shape, std::size_t n) { shape.from = shape.to = n; });
  if (!options.to.empty()) {
    extend(options.to, [](RunShape& shape, std::size_t n) { shape.to = n; });
  }
  extend(options.crash, [](RunShape& shape, double share) { shape.crash = share; });
  extend(options.byzantine, [](RunShape& shape, const std::string& word) {
    shape.byzantine = value_of<lab::Byzantine>(word, lab::byzantine_count);
  });
  extend(options.cpu_factor, [](RunShape& shape, double factor) { shape.cpu_factor = factor; });
  extend(options.strategies, [](RunShape& shape, const std::string& word) {
    shape.strategy = value_of<lab::Strategy>(word, lab::strategies_count);
  });
  return shapes;
}

nlohmann::ordered_json json_of(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

nlohmann::ordered_json row_of(const RunShape& shape, const RunFigures& figures) {
  return {{"strategy", lab::word_of(shape.strategy)},
          {"from", shape.from},
          {"to", shape.to},
          {"bytes", shape.bytes},
          {"network", shape.network->name},
          {"crash", shape.crash},
          {"byzantine", lab::word_of(shape.byzantine)},
          {"cpu_factor", shape.cpu_factor},
          {"messages_per_second", figures.messages_per_second},
          {"cross_cluster_copies_per_message", figures.copies_per_message},
          {"header_bytes_per_message", figures.header_bytes_per_message},
          {"resends_per_message", figures.resends_per_message},
          {"quack_ms_p50", json_of(figures.quack_ms_p50)},
          {"quack_ms_p99", json_of(figures.quack_ms_p99)},
          {"delivery_ms_p50", json_of(figures.delivery_ms_p50)},
          {"delivery_ms_p99", json_of(figures.delivery_ms_p99)},
          {"cpu_ns_per_message", figures.cpu_ns_per_message},
          {"window_bytes", figures.window_bytes}};
}

Table empty_table() {
  using Align = Table::Align;
  return Table({{"strategy"},
                {"replicas"},
                {"bytes", Align::right},
                {"network"},
                {"crash", Align::right},
                {"byzantine"},
                {"cpu x", Align::right},
                {"messages/s", Align::right},
                {"of limit", Align::right},
                {"copies", Align::right},
                {"header B", Align::right},
                {"resends", Align::right},
                {"quack ms p50", Align::right},
                {"p99", Align::right},
                {"delivery ms p50", Align::right},
                {"p99", Align::right},
                {"cpu ns", Align::right},
                {"window kB", Align::right}});
}

std::string cell(const std::optional<double>& value) { return value ? fmt::format("{:.2f}", *value) : "-"; }

void add_row(Table& table, const RunShape& shape, const RunFigures& figures) {
  table.add_row({std::string(lab::word_of(shape.strategy)), fmt::format("{}->{}", shape.from, shape.to),
                 std::to_string(shape.bytes), std::string(shape.network->name),
                 fmt::format("{:.2f}", shape.crash), std::string(lab::word_of(shape.byzantine)),
                 fmt::format("{:.1f}", shape.cpu_factor), fmt::format("{:.0f}", figures.messages_per_second),
                 fmt::format("{:.3f}", figures.messages_per_second / figures.closed_form),
                 fmt::format("{:.3f}", figures.copies_per_message),
                 fmt::format("{:.2f}", figures.header_bytes_per_message),
                 fmt::format("{:.4f}", figures.resends_per_message), cell(figures.quack_ms_p50),
                 cell(figures.quack_ms_p99), cell(figures.delivery_ms_p50), cell(figures.delivery_ms_p99),
                 fmt::format("{:.1f}", figures.cpu_ns_per_message),
                 fmt::format("{:.0f}", static_cast<double>(figures.window_bytes) / 1e3)});
}

ExitCode bench_c3b(const C3bOptions& options) {
  const std::vector<RunShape> shapes = shapes_of(options);
  if (shapes.size() > rows_max) {
    fmt::print(stderr, "mallard bench c3b: {} rows are more than {}; give fewer values\n", shapes.size(),
               rows_max);
    return ExitCode::usage;
  }
  std::map<std::pair<std::size_t, std::size_t>, double> event_ns;
  auto rows = nlohmann::ordered_json::array();
  Table table = empty_table();
  ExitCode exit_code = ExitCode::ok;
  for (const RunShape& shape : shapes) {
    const auto clusters = std::make_pair(shape.from, shape.to);
    if (!event_ns.contains(clusters)) {
      event_ns[clusters] = lab::measure_event_ns(shape);
      fmt::print(stderr, "{}->{} replicas: an event of the core takes {:.0f} ns\n", shape.from, shape.to,
                 event_ns[clusters]);
    }
    const RunFigures figures = lab::run_exchange(shape, event_ns[clusters]);
    fmt::print(stderr, "{} {}->{} {} B {} x{}: {:.3f} of its closed form, {:.0f} messages/s\n",
               lab::word_of(shape.strategy), shape.from, shape.to, shape.bytes, shape.network->name,
               shape.cpu_factor, figures.messages_per_second / figures.closed_form, figures.closed_form);
    if (!figures.problem.empty()) {
      fmt::print(stderr, "mallard bench c3b: {}\n", figures.problem);
      exit_code = ExitCode::failed;
      continue;
    }
    rows.push_back(row_of(shape, figures));
    add_row(table, shape, figures);
  }
  if (options.format == OutputFormat::json) {
    fmt::print("{}\n", rows.dump(1));
  } else {
    fmt::print("{}", table.text());
  }
  return exit_code;
}

}  // namespace

void add_c3b(CLI::App& bench, ExitCode& exit_code) {
  CLI::App* command = bench.add_subcommand(
      "c3b", "What Picsou and its alternatives carry between clusters, in simulation; lists by comma");
  const auto options = std::make_shared<C3bOptions>();
  options->strategies = words_of<lab::Strategy>(lab::strategies_count);
  command->add_option("--strategy", options->strategies, "Which; all of them if not given")
      ->delimiter(',')
      ->check(CLI::IsMember(options->strategies))
      ->type_name("S");
  const auto count = CLI::Range(replicas_least, replicas_most);
  command->add_option("--from", options->from, "Replicas of the source, 1 to 64 (4)")
      ->delimiter(',')
      ->check(count)
      ->type_name("N");
  command->add_option("--to", options->to, "Replicas of the destination (as many)")
      ->delimiter(',')
      ->check(count)
      ->type_name("N");
  command->add_option("--bytes", options->bytes, "Bytes of a message, 1 to 1000000 (100)")
      ->delimiter(',')
      ->check(CLI::Range(message_least, message_most))
      ->type_name("B");
  command->add_option("--network", options->networks, "lan or geo (lan)")
      ->delimiter(',')
      ->check(CLI::IsMember({"lan", "geo"}))
      ->type_name("W");
  command
      ->add_option("--crash", options->crash, "Share of the replicas that crash, at most u of a cluster (0)")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("F");
  command->add_option("--byzantine", options->byzantine, "How r of each cluster misbehave (none)")
      ->delimiter(',')
      ->check(CLI::IsMember(words_of<lab::Byzantine>(lab::byzantine_count)))
      ->type_name("S");
  command
      ->add_option("--cpu-factor", options->cpu_factor, "Times the measured cost of an event, 0 to 100 (1)")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 100.0))
      ->type_name("F");
  add_output_option(*command, options->format);
  command->callback([options, &exit_code] { exit_code = bench_c3b(*options); });
}

}  // namespace mallard::cli
