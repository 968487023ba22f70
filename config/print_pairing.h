// A pairing as YAML text, with every default written out.
#pragma once

#include <string>

#include "config/pairing.h"

namespace mallard::config {

// Loading the text gives the same pairing again.
[[nodiscard]] std::string print_pairing(const Pairing& pairing);

}  // namespace mallard::config
