// Names that say nothing, and constructs that the house does not use.
#pragma once

#include <vector>

#include "tests/tidy/source_tree.h"

namespace mallard::tidy {

// No type and no file is called Manager, Helper, Util, Impl, Processor, plain Handler, or something ending in
// Base, Info or Data.
[[nodiscard]] std::vector<Problem> check_names(const SourceTree& tree);

// Headers have #pragma once and no `using namespace`; nothing uses assert (MALLARD_INVARIANT is always on),
// std::format or std::source_location (they break one of our compilers) or coroutines; codecs have no
// reinterpret_cast; tests do not sleep.
[[nodiscard]] std::vector<Problem> check_constructs(const SourceTree& tree);

}  // namespace mallard::tidy
