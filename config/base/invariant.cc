#include "config/base/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace mallard {

void invariant_broken(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "invariant broken: %s (%s:%d); this is a defect of Mallard, please report it\n", what,
               file, line);
  std::abort();
}

}  // namespace mallard
