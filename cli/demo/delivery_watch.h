// Follows what arrives at the replicas of the demo's destination.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "cli/demo/demo_loader.h"
#include "config/base/result.h"
#include "config/base/time.h"

namespace mallard::cli {

class DeliveryWatch {
 public:
  virtual ~DeliveryWatch() = default;

  // Looks for what is new. The error is a sentence.
  [[nodiscard]] virtual Result<void, std::string> look(const DemoLoader& loader, Instant now) = 0;
  // Messages that one replica has, as far as it was seen.
  [[nodiscard]] virtual std::uint64_t messages(std::size_t replica) const = 0;
  [[nodiscard]] virtual std::size_t replicas() const = 0;

  // Of the furthest replica, and of the one that is furthest behind.
  [[nodiscard]] std::uint64_t furthest() const;
  [[nodiscard]] std::uint64_t least() const;
};

}  // namespace mallard::cli
