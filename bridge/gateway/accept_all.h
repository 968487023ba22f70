// The certificate policy "none": every batch is what the source committed. For pairings in which neither
// cluster tolerates Byzantine faults (r = 0 on both sides).
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "bridge/gateway/certificate_checker.h"
#include "config/base/invariant.h"

namespace mallard::bridge {

// Answers each check at the next poll(), in order. The gateway polls after every step, so that what one step
// orders is the most that ever waits.
class AcceptAll final : public CertificateChecker {
 public:
  void check(const CheckCertificate& order) override {
    MALLARD_INVARIANT(size_ < answers_.size());
    answers_[(head_ + size_) % answers_.size()] = {.link = order.link, .check = order.check, .valid = true};
    ++size_;
  }
  std::optional<CertificateChecked> poll() override {
    if (size_ == 0) {
      return std::nullopt;
    }
    const CertificateChecked answer = answers_[head_];
    head_ = (head_ + 1) % answers_.size();
    --size_;
    return answer;
  }

 private:
  std::array<CertificateChecked, 2 * effects_per_step_max> answers_{};
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mallard::bridge
