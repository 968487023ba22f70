// Stands for the simulator: two checkers, and the line that they report a failure with. And for a program of
// unit tests: one of them.
#include <cstdio>
#include <cstring>

#include "tests/mutants/toy/tally.h"

namespace {

int run_seed(unsigned seed) {
  mallard::toy::Tally tally;
  for (unsigned i = 0; i < seed; ++i) tally.add();
  if (tally.count() > 5) {
    std::printf("FAIL seed=%u checker=bounded count=%u\n", seed, tally.count());
    return 1;
  }
  if (seed <= 5 && tally.count() != seed) {
    std::printf("FAIL seed=%u checker=exact count=%u\n", seed, tally.count());
    return 1;
  }
  return 0;
}

int run_test() {
  mallard::toy::Tally tally;
  for (unsigned i = 0; i < 9; ++i) tally.add();
  const bool ok = tally.count() == 5;
  std::printf("%s Tally.KeepsItsLimit (0 ms)\n", ok ? "[       OK ]" : "[  FAILED  ]");
  return ok ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--gtest_filter=Tally.KeepsItsLimit") == 0) return run_test();
  if (argc == 2 && std::strcmp(argv[1], "--gtest_filter=Tally.IsNoTest") == 0) return 0;
  if (argc < 3 || argc > 4 || std::strcmp(argv[1], "--seeds") != 0) return 2;
  const bool stop_at_first = argc == 4;
  if (stop_at_first && std::strcmp(argv[3], "--stop-at-first") != 0) return 2;
  unsigned seeds = 0;
  for (const char* c = argv[2]; *c != '\0'; ++c) seeds = seeds * 10 + static_cast<unsigned>(*c - '0');
  int status = 0;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    if (run_seed(seed) == 0) continue;
    status = 1;
    if (stop_at_first) break;
  }
  return status;
}
