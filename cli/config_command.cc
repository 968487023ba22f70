// `mallard config template|print`: a file to start from, and the file with every default written out.
#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "config/pairing_template.h"
#include "config/print_pairing.h"

namespace mallard::cli {

void add_config(CLI::App& program, ExitCode& exit_code) {
  CLI::App* command =
      program.add_subcommand("config", "Write a first YAML file; print one with its defaults");
  command->group(group_configure);
  command->require_subcommand(1);

  CLI::App* start = command->add_subcommand("template", "Print a commented file to start from");
  start->callback([] { fmt::print("{}", config::pairing_template()); });

  CLI::App* print =
      command->add_subcommand("print", "Print the configuration in effect, defaults written out");
  const auto path = std::make_shared<std::string>();
  add_config_option(*print, *path, "FILE,--config");
  print->callback([path, &exit_code] {
    if (const auto pairing = load_configuration(*path, exit_code)) {
      fmt::print("{}", config::print_pairing(*pairing));
    }
  });
}

}  // namespace mallard::cli
