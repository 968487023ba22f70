#include "transport/memory/shm/grant_word.h"

#include <chrono>

namespace mallard::memory {

std::uint64_t first_grant_sequence() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count());
}

}  // namespace mallard::memory
