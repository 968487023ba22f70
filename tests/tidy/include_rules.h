// Who may include whom: the layers of the house, and what cores must not know.
#pragma once

#include <vector>

#include "tests/tidy/source_tree.h"

namespace mallard::tidy {

// Checks every #include of every C++ file:
// - quoted includes are paths from the root of the repository and exist;
// - each room includes only the rooms that the table in include_rules.cc grants it;
// - config/base includes only the standard library and tl::expected; cores and codecs only what is free of
//   clocks, threads, random sources, input and output, allocation by stealth and unordered containers;
// - each third-party library stays in the rooms that the second table names.
// Tests may include anything, production code no tests (cli/lab: tests/sim).
[[nodiscard]] std::vector<Problem> check_includes(const SourceTree& tree);

// In cores and codecs: no std::string, std::function, std::shared_ptr, which would come in by other headers.
[[nodiscard]] std::vector<Problem> check_core_types(const SourceTree& tree);

}  // namespace mallard::tidy
