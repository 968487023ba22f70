#include "cli/demo/delivery_watch.h"

#include <algorithm>

namespace mallard::cli {

std::uint64_t DeliveryWatch::furthest() const {
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < replicas(); ++i) {
    most = std::max(most, messages(i));
  }
  return most;
}

std::uint64_t DeliveryWatch::least() const {
  std::uint64_t least = messages(0);
  for (std::size_t i = 1; i < replicas(); ++i) {
    least = std::min(least, messages(i));
  }
  return least;
}

}  // namespace mallard::cli
