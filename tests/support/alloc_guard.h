// Counts heap allocations, to prove that a hot path makes none. Linking the target mallard_alloc_guard and
// using the class replaces the global operator new and delete of that test program; under sanitizers too.
#pragma once

#include <cstdint>

namespace mallard::support {

// Counts what the thread that made the guard allocates from then on, through operator new in all its forms.
// Memory taken by malloc directly (C libraries) and the allocations of other threads do not count. Guards
// nest.
//
//   const AllocGuard guard;
//   core.step(event, now, effects);
//   EXPECT_EQ(guard.allocations(), 0U);
class AllocGuard {
 public:
  AllocGuard() noexcept;
  AllocGuard(const AllocGuard&) = delete;
  AllocGuard& operator=(const AllocGuard&) = delete;

  // Calls of operator new since the guard was made.
  [[nodiscard]] std::uint64_t allocations() const noexcept;
  // The bytes that those calls asked for, freed ones included.
  [[nodiscard]] std::uint64_t bytes() const noexcept;

 private:
  std::uint64_t allocations_before_;
  std::uint64_t bytes_before_;
};

}  // namespace mallard::support
