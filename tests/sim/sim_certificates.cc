#include "tests/sim/sim_certificates.h"

#include "config/base/invariant.h"
#include "tests/sim/replica.h"
#include "tests/sim/watchers.h"

namespace mallard::sim {

SimCertificates::SimCertificates(Stage& stage, Watchers& watchers, Replica& replica, PayloadPool& pool)
    : stage_(stage), watchers_(watchers), replica_(replica), pool_(pool) {
  pending_.reserve(64);
  ready_.reserve(64);
}

bool SimCertificates::judge(const bridge::CheckCertificate& order) const {
  const LinkTruth& truth = stage_.links[order.link.value];
  const LinkShape& shape = truth.shape();
  const auto& clusters = stage_.options.clusters;
  if (clusters[shape.from].view.r == 0 && clusters[shape.to].view.r == 0) {
    return true;
  }
  return truth.is_true(order.header, pool_.view(order.payload), order.proof_bytes);
}

void SimCertificates::check(const bridge::CheckCertificate& order) {
  const PortScope scope(stage_);
  std::uint32_t place = 0;
  while (place < pending_.size() && pending_[place].used) {
    ++place;
  }
  if (place == pending_.size()) {
    pending_.emplace_back();
  }
  pending_[place] = {.used = true, .ready = false, .order = order, .valid = judge(order)};
  if (!pending_[place].valid) {
    stage_.marks.hit(Mark::certificate_refused);
  }
  if (stage_.options.check_spread == 0) {
    check_done(place);
    return;
  }
  stage_.schedule(stage_.choices.draw(Stream::certificates, stage_.options.check_spread),
                  {.b = replica_.lives, .a = place, .replica = replica_.id, .what = Happening::check_done});
}

void SimCertificates::check_done(std::uint32_t place) {
  pending_[place].ready = true;
  ready_.push_back(place);
}

std::optional<bridge::CertificateChecked> SimCertificates::poll() {
  if (ready_.empty()) {
    return std::nullopt;
  }
  const PortScope scope(stage_);
  Pending& done = pending_[ready_.front()];
  ready_.erase(ready_.begin());
  done.used = false;
  watchers_.tell(&Checker::on_checked, replica_, done.order, done.valid);
  return bridge::CertificateChecked{.link = done.order.link, .check = done.order.check, .valid = done.valid};
}

}  // namespace mallard::sim
