// C6: liars alone never cause a copy to be sent again: among those whose complaints opened an attempt is one
// that does not lie.
#include "tests/sim/checkers/complaint_ledger.h"

namespace mallard::sim {
namespace {

class NoResendByLiars final : public ComplaintLedger {
 public:
  using ComplaintLedger::ComplaintLedger;

 protected:
  [[nodiscard]] bool enough(std::uint32_t link, std::uint64_t complainers) const override {
    for (const Replica& replica : members(truth(link).shape().to)) {
      if (!replica.byzantine && ((complainers >> replica.address.replica.value) & 1U) != 0) {
        return true;
      }
    }
    return false;
  }
};

}  // namespace

CheckerPointer make_no_resend_by_liars(Stage& stage, const Replicas& replicas) {
  return std::make_unique<NoResendByLiars>(stage, replicas, "no_resend_by_liars");
}

}  // namespace mallard::sim
