#include "cli/gateway/lag_clock.h"

#include <algorithm>

namespace mallard::cli {

void LagClock::observe(std::uint64_t newest, Instant now) {
  if (size_ > 0 && (newest <= samples_[size_ - 1].newest || now - samples_[size_ - 1].at < spacing_)) {
    return;
  }
  if (size_ == samples_.size()) {
    thin_out();
  }
  samples_[size_++] = {newest, now};
}

Duration LagClock::lag(std::uint64_t applied, Instant now) {
  // Samples that were reached are done with.
  const auto* const first =
      std::find_if(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(size_),
                   [applied](const Sample& sample) { return sample.newest > applied; });
  const auto done = static_cast<std::size_t>(first - samples_.begin());
  std::move(samples_.begin() + static_cast<std::ptrdiff_t>(done),
            samples_.begin() + static_cast<std::ptrdiff_t>(size_), samples_.begin());
  size_ -= done;
  if (size_ == 0) {
    spacing_ = Duration::milliseconds(1);
    return Duration{};
  }
  return now - samples_[0].at;
}

// Keeps the oldest, then every other one.
void LagClock::thin_out() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size_; i += 2) {
    samples_[kept++] = samples_[i];
  }
  size_ = kept;
  spacing_ = spacing_ * 2;
}

}  // namespace mallard::cli
