// B7: a batch is sent again only after replicas of weight r + 1 missed it, in words that causally follow the
// attempt before.
#include "bridge/core/quorum.h"
#include "tests/sim/checkers/complaint_ledger.h"

namespace mallard::sim {
namespace {

class DuplicateCausality final : public ComplaintLedger {
 public:
  using ComplaintLedger::ComplaintLedger;

 protected:
  [[nodiscard]] bool enough(std::uint32_t link, std::uint64_t complainers) const override {
    const bridge::ClusterView& view = cluster(truth(link).shape().to);
    const Weight weight = bridge::weight_of(complainers, view.weights);
    if (weight == view.r + 1) {
      stage_.marks.hit(Mark::complaint_by_exactly_r_plus_1);
    }
    return weight >= view.r + 1;
  }
};

}  // namespace

CheckerPointer make_duplicate_causality(Stage& stage, const Replicas& replicas) {
  return std::make_unique<DuplicateCausality>(stage, replicas, "duplicate_causality");
}

}  // namespace mallard::sim
