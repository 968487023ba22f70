#include "tests/sim/trace.h"

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <variant>

#include "tests/sim/puppet.h"

namespace mallard::sim {
namespace {

class Trace final : public Checker {
 public:
  Trace(Stage& stage, const Replicas& replicas, std::FILE* out)
      : Checker(stage, replicas, "trace"), out_(out) {}

  void on_start(const Replica& replica) override {
    line("{} starts, life {} {}", name_of(replica), replica.lives,
         replica.byzantine ? replica.puppet->name() : "");
  }
  void on_crash(const Replica& replica) override { line("{} crashes", name_of(replica)); }
  void on_sent(const Passage& passage) override {
    line("{} -> {} {}", name_of(passage.from), name_of(passage.to), describe(passage.frame));
  }
  void on_received(const Passage& passage) override {
    line("{} <- {} {}", name_of(passage.to), name_of(passage.from), describe(passage.frame));
  }
  void on_checked(const Replica& replica, const bridge::CheckCertificate& order, bool valid) override {
    line("{} finds batch {} of link {} {}", name_of(replica), index(order.link, order.header.batch),
         order.link.value, valid ? "valid" : "invalid");
  }
  void on_durable(const Replica& replica, std::uint32_t link) override {
    line("{} has {} of link {} durably", name_of(replica), replica.stores[link].durable, link);
  }
  void on_effect(const Replica& replica, const bridge::Effect& effect) override {
    if (const auto* quacked = std::get_if<bridge::Quacked>(&effect)) {
      line("{} QUACKs {} of link {}", name_of(replica), index(quacked->link, quacked->through),
           quacked->link.value);
    } else if (const auto* tap = std::get_if<bridge::StartTap>(&effect)) {
      line("{} taps link {} after {}", name_of(replica), tap->link.value, index(tap->link, tap->after));
    } else if (const auto* close = std::get_if<bridge::ClosePeer>(&effect)) {
      line("{} closes {}.{}: {}", name_of(replica), close->peer.cluster.value, close->peer.replica.value,
           close->reason);
    }
  }
  void on_heal() override { line("the faults are over"); }

 private:
  template <class... Arguments>
  void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::print(out_, "{:>12.3f} ", static_cast<double>(stage_.now) / 1e6);
    fmt::print(out_, format, std::forward<Arguments>(arguments)...);
    fmt::print(out_, "\n");
  }

  static std::string name_of(const Replica& replica) {
    return fmt::format("{}.{}", replica.address.cluster.value, replica.address.replica.value);
  }
  // The batch's index, or its number if that is not the link's.
  [[nodiscard]] std::string index(LinkIndex link, BatchNumber batch) const {
    if (link.value >= stage_.links.size() ||
        truth(link.value).index_of(batch) > truth(link.value).shape().batches) {
      return fmt::format("#{}", batch.value);
    }
    return fmt::format("{}", truth(link.value).index_of(batch));
  }

  [[nodiscard]] std::string describe(const bridge::Frame& frame) const {
    std::string text =
        fmt::format("stamp {} echo {}{}", frame.stamp.value, frame.echo.value, frame.wants_ack ? " ?" : "");
    const auto out = std::back_inserter(text);
    if (frame.has_batch) {
      const bridge::BatchSection& batch = frame.batch;
      fmt::format_to(out, " | batch {}:{} round {} attempt {} hint {}", batch.context.link.value,
                     index(batch.context.link, batch.header.batch), batch.round, batch.attempt,
                     index(batch.context.link, batch.quacked));
    }
    for (const bridge::PositionSection& position : frame.positions) {
      fmt::format_to(out, " | position {}: quacked {} committed {}", position.context.link.value,
                     index(position.context.link, position.quacked),
                     index(position.context.link, position.committed));
    }
    for (const bridge::AckSection& ack : frame.acks) {
      fmt::format_to(out, " | ack {}: prefix {} durable {}", ack.context.link.value,
                     index(ack.context.link, ack.prefix), index(ack.context.link, ack.durable));
      for (std::size_t i = 0; i < ack.phi.words(); ++i) {
        fmt::format_to(out, " {:x}", ack.phi.word(i));
      }
    }
    if (frame.has_pull) {
      fmt::format_to(out, " | pull {}:", frame.pull.context.link.value);
      for (const BatchNumber batch : frame.pull.batches) {
        fmt::format_to(out, " {}", index(frame.pull.context.link, batch));
      }
    }
    return text;
  }

  std::FILE* out_;
};

}  // namespace

CheckerPointer make_trace(Stage& stage, const Replicas& replicas, std::FILE* out) {
  return std::make_unique<Trace>(stage, replicas, out);
}

}  // namespace mallard::sim
