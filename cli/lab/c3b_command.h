// `mallard bench c3b`.
#pragma once

#include "cli/exit_code.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
}

namespace mallard::cli {

// As the functions of cli/commands.h, but to the group of `mallard bench`.
void add_c3b(CLI::App& bench, ExitCode& exit_code);

}  // namespace mallard::cli
