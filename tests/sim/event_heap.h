// What is going to happen in a simulated world, earliest first. Things that happen at the same instant come
// in an order that the seed draws.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "config/base/invariant.h"

namespace mallard::sim {

// Virtual time: nanoseconds since the world began.
using Nanos = std::uint64_t;
inline constexpr Nanos microsecond = 1'000;
inline constexpr Nanos millisecond = 1'000'000;
inline constexpr Nanos second = 1'000'000'000;
inline constexpr Nanos never = UINT64_MAX;

enum class Happening : std::uint8_t {
  frame_arrives,  // a: index of the frame in flight
  wake,           // replica: its gateway takes a turn
  dial,           // a: pair of replicas
  session_up,     // a: pair, b: session << 1 | side
  session_down,   // a: pair, b: session << 1 | side
  sync_done,      // replica, a: link, b: life
  check_done,     // replica, a: slot of the check, b: life
  commit,         // a: link
  log_grows,      // replica, a: link
  fault_strikes,  //
  fault_ends,     // a: index of the fault
  restart,        // replica
  puppet_acts,    // replica, b: life
  heal,           //
  deadline,       // end of the drain
  watch           // the checkers look at the clock
};

struct SimEvent {
  Nanos at = 0;
  std::uint64_t order = 0;  // drawn tie-break, then age
  std::uint64_t b = 0;
  std::uint32_t a = 0;
  std::uint16_t replica = 0;
  Happening what = Happening::wake;
};

class EventHeap {
 public:
  explicit EventHeap(std::size_t room) { events_.reserve(room); }

  // `tie` below 2^16 decides among events of one instant; equal ties come in the order of their push.
  void push(SimEvent event, std::uint64_t tie) {
    event.order = (tie << 48) | next_age_++;
    events_.push_back(event);
    std::push_heap(events_.begin(), events_.end(), later);
  }
  SimEvent pop() {
    MALLARD_INVARIANT(!events_.empty());
    std::pop_heap(events_.begin(), events_.end(), later);
    const SimEvent event = events_.back();
    events_.pop_back();
    return event;
  }
  [[nodiscard]] bool empty() const { return events_.empty(); }
  [[nodiscard]] std::size_t size() const { return events_.size(); }

 private:
  static bool later(const SimEvent& x, const SimEvent& y) {
    return x.at != y.at ? x.at > y.at : x.order > y.order;
  }

  std::vector<SimEvent> events_;
  std::uint64_t next_age_ = 0;
};

}  // namespace mallard::sim
