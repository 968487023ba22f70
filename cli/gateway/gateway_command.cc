// `mallard gateway`: one process of the deployment, the sidecar at one replica.
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/gateway/gateway_process.h"
#include "cli/options.h"
#include "cli/process_options.h"

namespace mallard::cli {
namespace {

struct GatewayOptions : ProcessOptions {
  std::string replica;
};

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
  add_process_options(*command, *options, "its keys and logs");
  command
      ->add_option("--replica", options->replica,
                   "The directory of its replica process, if Mallard runs the cluster (that of --data)")
      ->type_name("DIR");
  command->callback([options, &exit_code] { exit_code = run_gateway(*options); });
}

}  // namespace mallard::cli
