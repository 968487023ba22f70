#include "tests/sim/checkers/checkers.h"

#include <array>

#include "bridge/wire/frame_codec.h"

namespace mallard::sim {

std::span<const Replica> Checker::members(std::uint16_t cluster) const {
  std::size_t begin = 0;
  while (begin < replicas_.size() && replicas_[begin].address.cluster.value != cluster) {
    ++begin;
  }
  return std::span(replicas_).subspan(begin, this->cluster(cluster).size());
}

void add_checkers(Watchers& watchers, Stage& stage, const Replicas& replicas) {
  constexpr std::array makers{make_integrity,
                              make_at_most_once,
                              make_agreement,
                              make_order_gap_free,
                              make_no_silent_skip,
                              make_checked_before_use,
                              make_quack_sound,
                              make_quack_within_committed,
                              make_gc_sound,
                              make_durable_acks,
                              make_anti_entropy,
                              make_phi_exact,
                              make_duplicate_causality,
                              make_no_resend_by_liars,
                              make_round_bound,
                              make_rounds_paced,
                              make_turns_by_stake,
                              make_quiet_when_healthy,
                              make_pull_justified,
                              make_pull_budget,
                              make_window_bound,
                              make_frames_canonical};
  for (const auto make : makers) {
    watchers.add(make(stage, replicas));
  }
}

void watch_received(Watchers& watchers, const Replica& from, const Replica& to, ByteView head,
                    ByteView body) {
  const PayloadRef shown{.slot = 0, .bytes = static_cast<std::uint32_t>(body.size())};
  const Result<bridge::Frame, bridge::wire::FrameError> frame = bridge::wire::decode_head(head, shown);
  if (frame) {
    watchers.tell(&Checker::on_received, Passage{from, to, *frame, head, body});
  }
}

}  // namespace mallard::sim
