// Something that passes on one parcel at a time: a NIC in one direction, or the way between a pair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "config/base/invariant.h"
#include "config/base/time.h"

namespace mallard::lab {

// Control parcels go first; others take turns by flow, as connections share a NIC, and keep their order
// within one. What has begun is not interrupted.
class Server {
 public:
  Server(double bits_per_second, std::size_t flows) : ns_per_byte_(8e9 / bits_per_second), flows_(flows) {}

  void add(std::uint32_t parcel, bool control, std::size_t flow) {
    (control ? control_ : flows_[flow]).push_back(parcel);
    ++waiting_;
  }
  [[nodiscard]] bool can_start() const { return !busy_ && waiting_ > 0; }

  // The parcel whose turn it is; the server is busy until finish().
  std::uint32_t start() {
    MALLARD_INVARIANT(can_start());
    busy_ = true;
    --waiting_;
    if (!control_.empty()) {
      return take(control_);
    }
    while (flows_[turn_].empty()) {
      turn_ = (turn_ + 1) % flows_.size();
    }
    const std::uint32_t parcel = take(flows_[turn_]);
    turn_ = (turn_ + 1) % flows_.size();
    return parcel;
  }
  void finish() { busy_ = false; }

  [[nodiscard]] Duration time_for(std::uint64_t bytes) const {
    return Duration::nanoseconds(static_cast<std::int64_t>(static_cast<double>(bytes) * ns_per_byte_ + 0.5));
  }

 private:
  static std::uint32_t take(std::deque<std::uint32_t>& queue) {
    const std::uint32_t first = queue.front();
    queue.pop_front();
    return first;
  }

  double ns_per_byte_;
  std::deque<std::uint32_t> control_;
  std::vector<std::deque<std::uint32_t>> flows_;
  std::size_t turn_ = 0;
  std::size_t waiting_ = 0;
  bool busy_ = false;
};

}  // namespace mallard::lab
