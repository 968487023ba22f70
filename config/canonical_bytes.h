// The part of a pairing that all its processes must agree on, as bytes to be digested. Two processes talk
// only when the digests of these bytes are equal.
#pragma once

#include <cstddef>
#include <vector>

#include "config/pairing.h"

namespace mallard::config {

// One encoding for one pairing: a domain string, then every field in the order of its struct, integers
// little-endian, strings and lists preceded by their 32-bit length. Left out is what may be changed on one
// machine after another without harm: hosts, ports, clients and operators, and how replicas wait.
[[nodiscard]] std::vector<std::byte> canonical_bytes(const Pairing& pairing);

}  // namespace mallard::config
