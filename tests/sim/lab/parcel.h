// One frame in the laboratory, from the step that sends it to the step that receives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "config/base/time.h"

namespace mallard::lab {

// A replica of either cluster: those of the source first, then those of the destination.
using NodeId = std::uint16_t;

struct Parcel {
  NodeId from = 0;
  NodeId to = 0;
  bool control = false;          // overtakes others in queues
  bool resend = false;           // a copy between the clusters that is not the first attempt
  std::uint64_t batch = 0;       // 0: none
  std::uint32_t payload = 0;     // bytes of the batch
  std::uint32_t head_bytes = 0;  // what precedes them
  // What it says besides, for strategies without a codec.
  std::uint8_t kind = 0;
  NodeId origin = 0;
  std::uint64_t view = 0;
  std::uint64_t next = 0;
  // The encoded head, for those that have one.
  std::vector<std::byte> head;
};

// Parcels by index; those that are done are used again.
class ParcelPool {
 public:
  std::uint32_t take() {
    if (free_.empty()) {
      parcels_.emplace_back();
      return static_cast<std::uint32_t>(parcels_.size() - 1);
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }
  void give_back(std::uint32_t index) {
    std::vector<std::byte> kept = std::move(parcels_[index].head);
    kept.clear();
    parcels_[index] = Parcel{};
    parcels_[index].head = std::move(kept);
    free_.push_back(index);
  }
  [[nodiscard]] Parcel& operator[](std::uint32_t index) { return parcels_[index]; }

 private:
  std::deque<Parcel> parcels_;
  std::vector<std::uint32_t> free_;
};

}  // namespace mallard::lab
