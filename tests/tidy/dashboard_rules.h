// Boards and alerts that ask only for what is there.
#pragma once

#include <vector>

#include "tests/tidy/source_tree.h"

namespace mallard::tidy {

// Each metric that a file of dashboards/ names is a string of a source of the program; of a histogram, also
// with _bucket, _count or _sum. Each alert of dashboards/rules.yml stands in dashboards/README.md and, so
// that it is known when it fires, in dashboards/rules_test.yml.
[[nodiscard]] std::vector<Problem> check_dashboards(const SourceTree& tree);

}  // namespace mallard::tidy
