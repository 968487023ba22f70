// Twice 64 bits, for products of weights and of random numbers: both of our compilers have it, ISO C++ does
// not.
#pragma once

namespace mallard {

__extension__ typedef unsigned __int128 Uint128;

}  // namespace mallard
