// The one program, `mallard`: parses the command line, runs one command, and turns its outcome into an exit
// status.
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/bench/bench_command.h"
#include "cli/commands.h"
#ifdef MALLARD_LAB
#include "cli/lab/c3b_command.h"
#endif
#include "config/value_text.h"

namespace mallard::cli {
namespace {

void add_commands(CLI::App& program, ExitCode& exit_code) {
  add_demo(program, exit_code);
  add_gateway(program, exit_code);
  add_replica(program, exit_code);
  add_kv(program, exit_code);
  add_bench(program, exit_code);
#ifdef MALLARD_LAB
  add_c3b(*program.get_subcommand("bench"), exit_code);
#endif
  add_validate(program, exit_code);
  add_config(program, exit_code);
  add_keys(program, exit_code);
  add_status(program, exit_code);
  add_lag(program, exit_code);
}

// The command that was given, as far as it was understood.
const CLI::App& deepest_command(const CLI::App& program) {
  const CLI::App* at = &program;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
  }
  return *at;
}

// "mallard config print".
std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

// What is wrong with the command line, for stderr.
std::string explain(const CLI::App& program, const CLI::ParseError& wrong) {
  const CLI::App& command = deepest_command(program);
  const auto verbs = command.get_subcommands([](const CLI::App*) { return true; });
  const std::vector<std::string> rest = command.remaining();
  std::string what = wrong.what();
  if (!verbs.empty() && rest.empty()) {
    const CLI::App* parent = command.get_parent();
    return command.help(parent == nullptr ? "" : full_name(*parent));
  }
  if (!verbs.empty() && !rest.front().starts_with('-')) {
    std::vector<std::string> names;
    names.reserve(verbs.size());
    for (const CLI::App* verb : verbs) {
      names.push_back(verb->get_name());
    }
    const std::vector<std::string_view> known(names.begin(), names.end());
    const auto close = config::closest_word(rest.front(), known);
    what = fmt::format("there is no command {}", config::shown(rest.front()));
    what += close ? fmt::format("; did you mean {}?", config::shown(*close)) : "";
  }
  return fmt::format("{0}: {1}\nRun '{0} --help' to see what can be given.\n", full_name(command), what);
}

ExitCode run(int argc, char** argv) {
  ExitCode exit_code = ExitCode::ok;
  CLI::App program(
      "Lets two replicated state machines talk to each other: what one cluster commits, the other delivers.",
      "mallard");
  program.set_version_flag("--version", "mallard " MALLARD_VERSION);
  program.require_subcommand(1);
  add_commands(program, exit_code);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version: data, to stdout
    program.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    fmt::print(stderr, "{}", explain(program, wrong));
    exit_code = ExitCode::usage;
  }
  return exit_code;
}

}  // namespace
}  // namespace mallard::cli

int main(int argc, char** argv) {
  try {
    return static_cast<int>(mallard::cli::run(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mallard: %s\n", error.what());
    return static_cast<int>(mallard::cli::ExitCode::failed);
  }
}
