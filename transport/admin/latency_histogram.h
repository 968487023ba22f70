// How long something took, counted in fixed buckets. Observing allocates nothing and takes no lock: one
// thread observes and reads.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "config/base/time.h"

namespace mallard::transport {

class LatencyHistogram {
 public:
  // Upper bounds, each included in its bucket; what is longer counts in none of them. 50 us to 1 min, two to
  // three for each decade: one list for all histograms, so that they can be compared and added.
  static constexpr std::array<Duration, 19> bounds{
      Duration::microseconds(50),  Duration::microseconds(100), Duration::microseconds(250),
      Duration::microseconds(500), Duration::milliseconds(1),   Duration::microseconds(2500),
      Duration::milliseconds(5),   Duration::milliseconds(10),  Duration::milliseconds(25),
      Duration::milliseconds(50),  Duration::milliseconds(100), Duration::milliseconds(250),
      Duration::milliseconds(500), Duration::seconds(1),        Duration::milliseconds(2500),
      Duration::seconds(5),        Duration::seconds(10),       Duration::seconds(30),
      Duration::seconds(60)};

  void observe(Duration taken) {
    const auto at =
        static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), taken) - bounds.begin());
    ++counts_[at];
    ++count_;
    sum_ = sum_ + taken;
  }

  // All observations, and their sum.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration sum() const { return sum_; }
  // How many took at most bounds[bound].
  [[nodiscard]] std::uint64_t at_most(std::size_t bound) const {
    std::uint64_t observations = 0;
    for (std::size_t i = 0; i <= bound; ++i) {
      observations += counts_[i];
    }
    return observations;
  }
  // The smallest bound that `percent` (1 .. 100) of the observations did not exceed; the largest bound where
  // they did exceed all; zero without observations.
  [[nodiscard]] Duration percentile(std::uint64_t percent) const {
    if (count_ == 0) {
      return Duration{};
    }
    const std::uint64_t wanted =
        count_ - count_ / 100 * (100 - percent) - count_ % 100 * (100 - percent) / 100;
    std::uint64_t observations = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      observations += counts_[i];
      if (observations >= wanted) {
        return bounds[i];
      }
    }
    return bounds.back();
  }

 private:
  std::array<std::uint64_t, bounds.size() + 1> counts_{};
  std::uint64_t count_ = 0;
  Duration sum_;
};

}  // namespace mallard::transport
