#include "cli/process_options.h"

#include <sys/resource.h>

#include <csignal>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "cli/options.h"

namespace mallard::cli {

void add_process_options(CLI::App& command, ProcessOptions& options, const std::string& contents) {
  add_config_option(command, options.configuration);
  command.add_option("--cluster", options.cluster, "The replica's cluster")->required()->type_name("NAME");
  command.add_option("--id", options.id, "The replica's id in its cluster")->required()->type_name("N");
  command.add_option("--data", options.directory, "The directory with " + contents)
      ->required()
      ->type_name("DIR");
}

void prepare_process() {
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("mallard"));
}

}  // namespace mallard::cli
