// Always-on checks of what only our own bug could break. Nothing that a peer, a file or an operator can send
// may trip one: what they send is judged with values, never with invariants.
#pragma once

namespace mallard {

// Prints `what` with its place to stderr and aborts the process.
[[noreturn]] void invariant_broken(const char* what, const char* file, int line) noexcept;

}  // namespace mallard

#define MALLARD_INVARIANT(condition)                               \
  do {                                                             \
    if (!(condition)) [[unlikely]] {                               \
      ::mallard::invariant_broken(#condition, __FILE__, __LINE__); \
    }                                                              \
  } while (false)
