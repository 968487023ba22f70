#include "cli/options.h"

#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "config/value_text.h"
#include "config/yaml/load_pairing.h"

namespace mallard::cli {

CLI::Option* add_config_option(CLI::App& command, std::string& path, const std::string& names) {
  return command.add_option(names, path, "The pairing's YAML file")
      ->envname("MALLARD_CONFIG")
      ->type_name("FILE")
      ->required();
}

CLI::Option* add_output_option(CLI::App& command, OutputFormat& format) {
  const auto read = [&format](const std::string& word) {
    if (word != "table" && word != "json") {
      throw CLI::ValidationError("--output",
                                 fmt::format("{} is neither table nor json", config::shown(word)));
    }
    format = word == "json" ? OutputFormat::json : OutputFormat::table;
  };
  return command.add_option_function<std::string>("-o,--output", read, "table for people, json for programs")
      ->type_name("table|json");
}

std::optional<config::Pairing> load_configuration(const std::string& path, ExitCode& exit_code) {
  auto pairing = config::load_pairing(path);
  if (!pairing) {
    for (const config::ConfigProblem& problem : pairing.error()) {
      fmt::print(stderr, "{}\n", config::to_text(problem));
    }
    exit_code = ExitCode::bad_configuration;
    return std::nullopt;
  }
  return std::move(*pairing);
}

std::optional<ReplicaAddress> find_replica(const config::Pairing& pairing, std::string_view cluster,
                                           std::uint64_t id, ExitCode& exit_code) {
  std::string names;
  for (std::size_t i = 0; i < pairing.clusters.size(); ++i) {
    const config::ClusterSettings& candidate = pairing.clusters[i];
    names += (names.empty() ? "" : ", ") + candidate.name;
    if (candidate.name == cluster && id < candidate.replicas.size()) {
      return ReplicaAddress{ClusterIndex(static_cast<std::uint16_t>(i)),
                            ReplicaIndex(static_cast<std::uint16_t>(id))};
    }
    if (candidate.name == cluster) {
      fmt::print(stderr, "cluster {} has no replica {}; its replicas are 0 to {}\n", cluster, id,
                 candidate.replicas.size() - 1);
      exit_code = ExitCode::not_found;
      return std::nullopt;
    }
  }
  fmt::print(stderr, "there is no cluster {}; the configuration has {}\n", config::shown(cluster), names);
  exit_code = ExitCode::not_found;
  return std::nullopt;
}

}  // namespace mallard::cli
