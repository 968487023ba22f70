// Is a peer alive? Its heartbeat is read again and again; a slow network then slows the samples down instead
// of making a silent gap, so the thresholds can be small (Mu, OSDI 2020, section 4.1).
#pragma once

#include <cstdint>

namespace mallard::rsm::cft {

class PullScore {
 public:
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
};

}  // namespace mallard::rsm::cft
