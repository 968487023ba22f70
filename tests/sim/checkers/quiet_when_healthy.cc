// C5, C9: where nothing is lost and nobody fails, and delays stay below the RTO, each batch crosses from
// cluster to cluster exactly once, however frames are reordered, and from one replica of the destination to
// another at most twice: shared, and pulled before the share came.
#include <fmt/format.h>

#include <variant>

#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {
namespace {

constexpr std::size_t peers_max = 8;

class QuietWhenHealthy final : public Checker {
 public:
  QuietWhenHealthy(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name), copies_(stage, replicas.size() * peers_max + 1) {}

  void on_sent(const Passage& passage) override {
    if (!stage_.options.healthy || !passage.frame.has_batch) {
      return;
    }
    const bridge::BatchSection& batch = passage.frame.batch;
    const std::uint32_t link = batch.context.link.value;
    const BatchIndex index = truth(link).index_of(batch.header.batch);
    const bool cross = passage.from.address.cluster != passage.to.address.cluster;
    const std::size_t pair = passage.from.id * peers_max + passage.to.address.replica.value;
    const auto row = static_cast<ReplicaId>(cross ? replicas_.size() * peers_max : pair);
    const unsigned copies = ++copies_.at(row, link, index);
    if (copies > (cross ? 1U : 2U)) {
      fail(fmt::format("batch {} of link {} is sent to {} for the {}. time (attempt {}, round {})", index,
                       link, cross ? "the other cluster" : fmt::format("replica {}", passage.to.id), copies,
                       batch.attempt, batch.round));
    }
  }

 private:
  Grid<std::uint8_t> copies_;  // by pair of one cluster; the last row is for copies between the clusters
};

}  // namespace

CheckerPointer make_quiet_when_healthy(Stage& stage, const Replicas& replicas) {
  return std::make_unique<QuietWhenHealthy>(stage, replicas, "quiet_when_healthy");
}

}  // namespace mallard::sim
