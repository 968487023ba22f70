// Every noun has its test at the mirrored path, and every source is compiled.
#pragma once

#include <vector>

#include "tests/tidy/source_tree.h"

namespace mallard::tidy {

// For each X.h or X.cc under config, crypto, bridge, rsm and transport there is tests/<folder>/X_test.cc.
// Headers that only declare types are excused by a list in mirror_rules.cc, with a reason each.
[[nodiscard]] std::vector<Problem> check_mirrors(const SourceTree& tree);

// No excuse of that list is stale.
[[nodiscard]] std::vector<Problem> check_excuses(const SourceTree& tree);

// Each .cc is named in the CMakeLists.txt of its folder or of one above: a test that nobody compiles passes
// forever.
[[nodiscard]] std::vector<Problem> check_sources_are_built(const SourceTree& tree);

}  // namespace mallard::tidy
