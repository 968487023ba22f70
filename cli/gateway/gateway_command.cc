// `mallard gateway`: one process of the deployment, the sidecar at one replica.
#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/gateway/gateway_process.h"
#include "cli/options.h"

namespace mallard::cli {
namespace {

struct GatewayOptions {
  std::string configuration;
  std::string cluster;
  std::uint64_t id = 0;
  std::string directory;
  std::string replica;
};

// Keys must not end up in a core dump; a peer that closes a socket must not end the process.
void prepare_process() {
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("mallard"));
}

ExitCode run_gateway(const GatewayOptions& options) {
  ExitCode exit_code = ExitCode::ok;
  const std::optional<config::Pairing> pairing = load_configuration(options.configuration, exit_code);
  if (!pairing) {
    return exit_code;
  }
  const std::optional<ReplicaAddress> self = find_replica(*pairing, options.cluster, options.id, exit_code);
  if (!self) {
    return exit_code;
  }
  prepare_process();
  const GatewayPlace place{*self, options.directory,
                           options.replica.empty() ? options.directory : options.replica};
  if (const auto process = GatewayProcess::open(*pairing, place, exit_code)) {
    exit_code = process->run();
  }
  return exit_code;
}

}  // namespace

void add_gateway(CLI::App& program, ExitCode& exit_code) {
  CLI::App* command = program.add_subcommand("gateway", "Run the gateway beside one replica");
  command->group(group_run);
  const auto options = std::make_shared<GatewayOptions>();
  add_config_option(*command, options->configuration);
  command->add_option("--cluster", options->cluster, "The replica's cluster")->required()->type_name("NAME");
  command->add_option("--id", options->id, "The replica's id in its cluster")->required()->type_name("N");
  command->add_option("--data", options->directory, "The directory with its keys and logs")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--replica", options->replica,
                   "The directory of its replica process, if Mallard runs the cluster (that of --data)")
      ->type_name("DIR");
  command->callback([options, &exit_code] { exit_code = run_gateway(*options); });
}

}  // namespace mallard::cli
