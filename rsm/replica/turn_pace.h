// What the loop of a replica does between two turns, by the `wait` of its cluster: in `mallard replica` and
// in the benchmarks that run an engine. Others write into a replica's memory without a sign, so it has to
// look. Pure, so that it can be tested.
#pragma once

#include <cstdint>

#include "config/base/time.h"
#include "config/pairing.h"

namespace mallard::rsm {

class TurnPace {
 public:
  // Waits grow from the first to the last while nothing happens.
  static constexpr Duration first_wait = Duration::microseconds(50);
  static constexpr Duration last_wait = Duration::milliseconds(5);
  static constexpr Duration unfinished_wait = Duration::microseconds(400);  // while an entry is under way
  // Where nothing has happened for longer than this, the engine's own deadlines may wait for the next look
  // too: it notices a dead leader later, and a dozen of processes sleep.
  static constexpr Duration idle_after = Duration::milliseconds(500);
  static constexpr Duration idle_wait = Duration::milliseconds(12);

  // What the last turn left behind.
  struct Turn {
    bool log_grew = false;    // since the turn before
    bool unfinished = false;  // an entry or a request is under way
    bool knows_leader = false;
  };
  // What comes before the next one.
  struct Rest {
    enum class Kind : std::uint8_t {
      none,   // run what is ready
      yield,  // and let others have the core for a moment, if they want it
      wait,   // sleep until something is ready, at most until `until`
    };
    Kind kind = Kind::none;
    Instant until;
    friend constexpr bool operator==(const Rest&, const Rest&) = default;
  };

  TurnPace(config::Wait wait, Instant now) : wait_(wait), active_at_(now) {}

  // `deadline`: when a turn is due at the latest.
  [[nodiscard]] Rest after(const Turn& turn, Instant now, Instant deadline);

 private:
  config::Wait wait_;
  Duration pause_ = first_wait;
  Instant active_at_;
};

}  // namespace mallard::rsm
