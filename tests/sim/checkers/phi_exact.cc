// B9: an acknowledgement of a correct replica says exactly what it has: everything up to the prefix, bit i of
// the phi-list for batch prefix + 1 + i, nothing hidden behind empty words.
#include <fmt/format.h>

#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {
namespace {

class PhiExact final : public Checker {
 public:
  PhiExact(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name),
        has_(stage, replicas.size()),
        prefix_(replicas.size() * stage.links.size()),
        highest_(replicas.size() * stage.links.size()) {}

  void on_start(const Replica& replica) override {
    has_.clear(replica.id);
    for (std::uint32_t link = 0; link < replica.stores.size(); ++link) {
      prefix_[place(replica, link)] = replica.stores[link].durable;
      highest_[place(replica, link)] = replica.stores[link].durable;
      for (BatchIndex i = 0; i <= replica.stores[link].durable; ++i) {
        has_.at(replica.id, link, i) = 1;
      }
    }
  }
  void on_checked(const Replica& replica, const bridge::CheckCertificate& order, bool valid) override {
    if (valid) {
      const std::uint32_t link = order.link.value;
      const BatchIndex index = truth(link).index_of(order.header.batch);
      has_.at(replica.id, link, index) = 1;
      highest_[place(replica, link)] = std::max(highest_[place(replica, link)], index);
    }
  }
  void on_sent(const Passage& passage) override {
    if (!passage.from.byzantine) {
      for (const bridge::AckSection& ack : passage.frame.acks) {
        judge(passage.from, ack);
      }
    }
  }

 private:
  [[nodiscard]] std::size_t place(const Replica& replica, std::uint32_t link) const {
    return replica.id * stage_.links.size() + link;
  }

  void judge(const Replica& replica, const bridge::AckSection& ack) {
    const std::uint32_t link = ack.context.link.value;
    const BatchIndex prefix = truth(link).index_of(ack.prefix);
    BatchIndex& checked_up_to = prefix_[place(replica, link)];
    while (checked_up_to < prefix) {
      if (has_.at(replica.id, link, ++checked_up_to) == 0) {
        return fail(fmt::format("replica {} calls batch {} of link {} received, which it lacks", replica.id,
                                checked_up_to, link));
      }
    }
    const bridge::InboundCounters& counters =
        replica.life->gateway->core().inbound(ack.context.link)->counters();
    const bool may_lack =
        counters.no_room_dropped + counters.beyond_window_dropped + counters.discontinuous_dropped != 0;
    const BatchIndex end =
        std::min<BatchIndex>(highest_[place(replica, link)] + 2, truth(link).shape().batches);
    for (BatchIndex i = prefix + 1; i <= end; ++i) {
      const BatchIndex bit = i - prefix - 1;
      const bool says = ((ack.phi.word(bit / 64) >> (bit % 64)) & 1U) != 0;
      const bool has = has_.at(replica.id, link, i) != 0;
      if (says != has && !(has && (may_lack || bit >= phi_bits_max))) {
        return fail(fmt::format("replica {} says {} of batch {} of link {} (prefix {})", replica.id,
                                says ? "received" : "missing", i, link, prefix));
      }
    }
    if (prefix + 64 * ack.phi.words() >= end + 64 + 64) {
      fail(fmt::format("replica {} sends a phi-list of {} words for {} batches", replica.id, ack.phi.words(),
                       end - prefix));
    }
  }

  Grid<std::uint8_t> has_;
  std::vector<BatchIndex> prefix_;   // checked up to here in this life
  std::vector<BatchIndex> highest_;  // batch that it has
};

}  // namespace

CheckerPointer make_phi_exact(Stage& stage, const Replicas& replicas) {
  return std::make_unique<PhiExact>(stage, replicas, "phi_exact");
}

}  // namespace mallard::sim
