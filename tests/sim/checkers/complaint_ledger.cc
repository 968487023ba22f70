#include "tests/sim/checkers/complaint_ledger.h"

#include <fmt/format.h>

#include "config/base/limits.h"

namespace mallard::sim {

void ComplaintLedger::on_start(const Replica& replica) {
  entries_.clear(replica.id);
  for (std::uint32_t link = 0; link < stage_.links.size(); ++link) {
    tapped_[place(replica, link)] = 0;
  }
}

void ComplaintLedger::on_tapped(const Replica& replica, std::uint32_t link, BatchIndex index, PayloadRef) {
  Entry& entry = entries_.at(replica.id, link, index);
  if (entry.began_us == 0) {
    entry.began_us = replica.clock(stage_.now).ns / 1000;
    tapped_[place(replica, link)] = index;
  }
}

void ComplaintLedger::on_received(const Passage& passage) {
  if (passage.to.byzantine || passage.frame.echo.value == 0) {
    return;
  }
  for (const bridge::AckSection& ack : passage.frame.acks) {
    if (!current(ack.context)) {
      continue;
    }
    const LinkShape& shape = truth(ack.context.link.value).shape();
    if (passage.from.address.cluster.value == shape.to && passage.to.address.cluster.value == shape.from) {
      complain(passage, ack);
    }
  }
}

void ComplaintLedger::complain(const Passage& passage, const bridge::AckSection& ack) {
  const std::uint32_t link = ack.context.link.value;
  const LinkTruth& link_truth = truth(link);
  const bridge::OutboundLink& sender = *passage.to.life->gateway->core().outbound(ack.context.link);
  const BatchIndex prefix = link_truth.index_of(ack.prefix);
  const BatchIndex end = tapped_[place(passage.to, link)];
  const auto echo_us = static_cast<std::int64_t>(passage.frame.echo.value);
  const std::int64_t rto_us = stage_.options.rto_min.ns / 1000;
  for (BatchIndex i = std::max(link_truth.index_of(sender.quacked()), prefix) + 1; i <= end; ++i) {
    const std::uint64_t bit = link_truth.number(i).value - ack.prefix.value - 1;
    if (bit >= phi_bits_max) {
      return;
    }
    Entry& entry = entries_.at(passage.to.id, link, i);
    const bool has = ((ack.phi.word(bit / 64) >> (bit % 64)) & 1U) != 0;
    if (has || entry.began_us == 0 || echo_us < entry.began_us + rto_us) {
      continue;
    }
    entry.complainers |= 1ULL << passage.from.address.replica.value;
    if (enough(link, entry.complainers)) {
      entry.complainers = 0;
      entry.began_us = passage.to.clock(stage_.now).ns / 1000;
      ++entry.opened;
    }
  }
}

void ComplaintLedger::on_effect(const Replica& replica, const bridge::Effect& effect) {
  const auto* frame = std::get_if<bridge::SendFrame>(&effect);
  if (frame == nullptr || !frame->has_batch || replica.byzantine ||
      frame->to.cluster == replica.address.cluster) {
    return;
  }
  const std::uint32_t link = frame->batch.context.link.value;
  const BatchIndex index = truth(link).index_of(frame->batch.header.batch);
  const Entry& entry = entries_.at(replica.id, link, index);
  const auto& walk = replica.life->gateway->core().outbound(frame->batch.context.link)->walk();
  const std::uint64_t opened =
      std::uint64_t{frame->batch.round} * walk.length(frame->batch.header.batch) + frame->batch.attempt;
  if (opened > entry.opened) {
    fail(fmt::format("replica {} sends batch {} of link {} as attempt {} of round {}, on complaints for {}",
                     replica.id, index, link, frame->batch.attempt, frame->batch.round, entry.opened));
  }
}

}  // namespace mallard::sim
