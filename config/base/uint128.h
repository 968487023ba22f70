// Twice 64 bits, for products of weights and of random numbers: both of our compilers have it, ISO C++ does
// not.
#pragma once

namespace mallard {

using Uint128 = __uint128_t;

}  // namespace mallard
