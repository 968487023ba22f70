// A reference to the bytes of one batch. The bytes stay where they were first put; cores pass the reference
// around and never look behind it. Who owns it is said where it is passed; the pool behind it counts owners.
#pragma once

#include <cstdint>

namespace mallard {

struct PayloadRef {
  std::uint32_t slot = 0;   // meaning private to the pool that made it
  std::uint32_t bytes = 0;  // length of the payload
  friend constexpr bool operator==(PayloadRef, PayloadRef) = default;
};

}  // namespace mallard
