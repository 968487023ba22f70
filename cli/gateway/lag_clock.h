// For how long a link has been behind: remembers when which message was the newest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/base/time.h"

namespace mallard::cli {

// Bounded: keeps some instants of the last while, coarser the further behind the link is, and answers from
// those. The error is at most the distance of two of them; an answer is never longer than the truth by more
// than that.
class LagClock {
 public:
  // The newest message at `now`; neither goes back.
  void observe(std::uint64_t newest, Instant now);
  // How long the oldest message after `applied` has been there; nothing behind: zero, however long nothing
  // has happened.
  [[nodiscard]] Duration lag(std::uint64_t applied, Instant now);

 private:
  struct Sample {
    std::uint64_t newest = 0;
    Instant at;
  };

  void thin_out();

  std::array<Sample, 256> samples_{};
  std::size_t size_ = 0;
  Duration spacing_ = Duration::milliseconds(1);
};

}  // namespace mallard::cli
