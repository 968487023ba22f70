// `mallard bench`.
#pragma once

#include "cli/exit_code.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
}

namespace mallard::cli {

// As the functions of cli/commands.h.
void add_bench(CLI::App& program, ExitCode& exit_code);

}  // namespace mallard::cli
