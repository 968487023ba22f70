// The commands of the program. Each is a function in a file of its own that adds one subcommand to the
// command line; when that subcommand was given, its callback does the work and leaves the status in
// `exit_code`. A new command is declared here, listed in main.cc, and named in CMakeLists.txt.
#pragma once

#include "cli/exit_code.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
}

namespace mallard::cli {

// Groups of `mallard --help`.
inline constexpr const char* group_run = "Run";
inline constexpr const char* group_use = "Use";
inline constexpr const char* group_configure = "Configure";
inline constexpr const char* group_watch = "Watch";

void add_demo(CLI::App& program, ExitCode& exit_code);
void add_gateway(CLI::App& program, ExitCode& exit_code);
void add_replica(CLI::App& program, ExitCode& exit_code);
void add_kv(CLI::App& program, ExitCode& exit_code);
void add_validate(CLI::App& program, ExitCode& exit_code);
void add_config(CLI::App& program, ExitCode& exit_code);
void add_keys(CLI::App& program, ExitCode& exit_code);
void add_status(CLI::App& program, ExitCode& exit_code);
void add_lag(CLI::App& program, ExitCode& exit_code);

}  // namespace mallard::cli
