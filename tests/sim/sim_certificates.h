// The certificate checker of a simulated gateway. Where a cluster may lie (r > 0 on either side of the link)
// it knows the truth; where none can, it accepts everything, as production does. Answers may come late and in
// any order.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bridge/gateway/certificate_checker.h"
#include "config/base/payload_pool.h"
#include "tests/sim/stage.h"

namespace mallard::sim {

struct Replica;
class Watchers;

class SimCertificates final : public bridge::CertificateChecker {
 public:
  SimCertificates(Stage& stage, Watchers& watchers, Replica& replica, PayloadPool& pool);

  void check(const bridge::CheckCertificate& order) override;
  std::optional<bridge::CertificateChecked> poll() override;

  // The check in this place of pending() has been made.
  void check_done(std::uint32_t place);

 private:
  struct Pending {
    bool used = false;
    bool ready = false;
    bridge::CheckCertificate order;
    bool valid = false;
  };

  [[nodiscard]] bool judge(const bridge::CheckCertificate& order) const;

  Stage& stage_;
  Watchers& watchers_;
  Replica& replica_;
  PayloadPool& pool_;
  std::vector<Pending> pending_;
  std::vector<std::uint32_t> ready_;  // places, in the order in which they became ready
};

}  // namespace mallard::sim
