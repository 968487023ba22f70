// `mallard replica`: one process of a cluster that Mallard runs.
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/process_options.h"
#include "cli/replica/replica_process.h"
#include "crypto/sodium.h"

namespace mallard::cli {
namespace {

struct ReplicaOptions : ProcessOptions {
  std::string memory;
  bool founding = false;
};

ExitCode run_replica(const ReplicaOptions& options) {
  ExitCode exit_code = ExitCode::ok;
  const std::optional<config::Pairing> pairing = load_configuration(options.configuration, exit_code);
  if (!pairing) {
    return exit_code;
  }
  const std::optional<ReplicaAddress> self = find_replica(*pairing, options.cluster, options.id, exit_code);
  if (!self) {
    return exit_code;
  }
  if (pairing->clusters[self->cluster.value].kind != config::ClusterKind::cft) {
    fmt::print(stderr, "mallard replica: cluster {} is one that you run; its replicas are not Mallard's\n",
               options.cluster);
    exit_code = ExitCode::refused;
    return exit_code;
  }
  prepare_process();
  crypto::start_sodium();
  const ReplicaPlace place{*self, options.directory, options.memory, options.founding};
  if (const auto process = ReplicaProcess::open(*pairing, place, exit_code)) {
    exit_code = process->run();
  }
  return exit_code;
}

}  // namespace

void add_replica(CLI::App& program, ExitCode& exit_code) {
  CLI::App* command = program.add_subcommand("replica", "Run one replica of a cluster that Mallard runs");
  command->group(group_run);
  const auto options = std::make_shared<ReplicaOptions>();
  add_process_options(*command, *options, "its keys, its journal and its door");
  command
      ->add_option("--memory", options->memory,
                   "The folder where the replicas of the cluster find each other's memory (one in /dev/shm)")
      ->type_name("DIR");
  command->add_flag("--found", options->founding,
                    "The cluster is being founded: an empty directory is new, not lost");
  command->callback([options, &exit_code] { exit_code = run_replica(*options); });
}

}  // namespace mallard::cli
