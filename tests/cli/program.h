// Runs the built program, as a user would, and keeps what it said.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace mallard::cli {

struct ProgramOutcome {
  int exit_code = -1;  // -1 when a signal ended it
  std::string out;
  std::string err;
  long resident_kib_max = 0;  // its largest resident set
};

// Runs `mallard ARGUMENTS` with these variables added to the environment, from which MALLARD_CONFIG is
// removed, and waits for its end. Throws std::system_error when it cannot be started.
[[nodiscard]] ProgramOutcome run_program(const std::vector<std::string>& arguments,
                                         const std::map<std::string, std::string>& environment = {});

}  // namespace mallard::cli
