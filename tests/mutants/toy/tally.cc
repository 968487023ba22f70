#include "tests/mutants/toy/tally.h"

namespace mallard::toy {

void Tally::add() noexcept {
  if (count_ == tally_max) return;
  ++count_;
}

}  // namespace mallard::toy
