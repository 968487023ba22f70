// Is a peer alive? Its heartbeat is read again and again; a slow network then slows the samples down instead
// of making a silent gap, so the thresholds can be small (Mu, OSDI 2020, section 4.1).
#pragma once

#include <algorithm>
#include <cstdint>

#include "config/base/time.h"

namespace mallard::rsm::cft {

class PullScore {
 public:
  // A look that was ordered at `at` and found a new beat, or not. Who has nothing to do sleeps and beats more
  // slowly than others look: nothing new counts only once the time has passed that its beats lately took, but
  // no more than `longest`. So the detection slows down with whom it watches, and is quick again with it.
  void look(Instant at, bool changed, Duration longest) {
    if (!changed) {
      if (at - counted_at_ < pace_ * 3 / 4) return;
    } else {
      const Duration gap = beaten_ && alive_ ? std::min(at - changed_at_, longest) : Duration{};
      pace_ = std::max(gap, pace_ - pace_ / 8);
      changed_at_ = at;
      beaten_ = true;
    }
    counted_at_ = at;
    sample(changed);
  }
  // One sample: the beat differed from that of the sample before, or it did not (or no answer came for long).
  void sample(bool changed) {
    if (changed) {
      if (score_ < score_max) ++score_;
    } else if (score_ > 0) {
      --score_;
    }
    if (score_ < dead_below) alive_ = false;
    if (score_ > alive_above) alive_ = true;
  }
  // Between the two thresholds what was believed stays. A peer of which nothing is known yet is believed
  // alive, a few samples from being dead.
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] int score() const { return score_; }

  static constexpr int score_max = 15;
  static constexpr int dead_below = 2;
  static constexpr int alive_above = 6;

 private:
  int score_ = 4;
  bool alive_ = true;
  bool beaten_ = false;
  Instant changed_at_;  // the look that found the last new beat
  Instant counted_at_;  // the last look that counted
  Duration pace_;       // between two of its beats, the longest lately
};

}  // namespace mallard::rsm::cft
