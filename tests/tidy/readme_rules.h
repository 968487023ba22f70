// READMEs that lead somewhere.
#pragma once

#include <vector>

#include "tests/tidy/source_tree.h"

namespace mallard::tidy {

// Each folder with sources outside of tests/ has a README.md with the headings "What it does", "Read in this
// order", "Invariants" and "Decisions"; tests/README.md names every folder of tests/ that does not mirror one
// of the house's.
[[nodiscard]] std::vector<Problem> check_readmes(const SourceTree& tree);

// Links of Markdown files resolve: files and folders exist, anchors are headings. So do paths in code quotes
// that start with one of the house's folders and end in a file name, like `config/base/ids.h`.
[[nodiscard]] std::vector<Problem> check_links(const SourceTree& tree);

// Every suite in the table of ./dev stands in tests/README.md with its budget, and none but those.
[[nodiscard]] std::vector<Problem> check_suites_are_documented(const SourceTree& tree);

}  // namespace mallard::tidy
