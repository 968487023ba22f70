// What this replica says about one inbound link: the body of its acknowledgements.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "bridge/core/frame.h"
#include "config/base/limits.h"

namespace mallard::bridge {

struct AckReport {
  LinkContext context;
  BatchNumber prefix;
  BatchNumber durable;
  std::size_t phi_words = 0;  // how many of `phi` are in use; the last one is not 0
  std::array<std::uint64_t, phi_bits_max / 64> phi{};
};

}  // namespace mallard::bridge
