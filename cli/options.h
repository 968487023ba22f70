// Options that many commands share, spelled and described once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/exit_code.h"
#include "config/pairing.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
class Option;
}  // namespace CLI

namespace mallard::cli {

enum class OutputFormat : std::uint8_t { table, json };

// `--config FILE`, or MALLARD_CONFIG; one of them must be given. `names` may add another way to give it.
CLI::Option* add_config_option(CLI::App& command, std::string& path, const std::string& names = "--config");

// `-o table|json`.
CLI::Option* add_output_option(CLI::App& command, OutputFormat& format);

// The pairing in the file at `path`. When anything is wrong with it: prints every problem to stderr, sets
// `exit_code` to bad_configuration, and returns nothing.
[[nodiscard]] std::optional<config::Pairing> load_configuration(const std::string& path, ExitCode& exit_code);

// A replica's place in `pairing`, from `--cluster` and `--id` of a command line. When there is no such
// replica: prints which there are to stderr, sets `exit_code` to not_found, and returns nothing.
[[nodiscard]] std::optional<ReplicaAddress> find_replica(const config::Pairing& pairing,
                                                         std::string_view cluster, std::uint64_t id,
                                                         ExitCode& exit_code);

}  // namespace mallard::cli
