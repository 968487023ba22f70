#include "tests/sim/byzantine/strategies.h"

#include <array>
#include <vector>

namespace mallard::sim {

bool sends_across(Puppet& puppet, const Outgoing& out) { return out.frame.has_batch && puppet.cross(out.to); }

bool shares(Puppet& puppet, const Outgoing& out) { return out.frame.has_batch && !puppet.cross(out.to); }

const LinkTruth* any_inbound(Puppet& puppet) {
  std::vector<const LinkTruth*> inbound;
  for (const LinkTruth& link : puppet.stage().links) {
    if (link.shape().to == puppet.self().address.cluster.value) {
      inbound.push_back(&link);
    }
  }
  return inbound.empty() ? nullptr : inbound[puppet.draw(inbound.size())];
}

namespace {

constexpr std::array of_senders{make_omit_sends,    make_forged_payload, make_wrong_numbers,
                                make_stale_context, make_early_resend,   make_false_hint,
                                make_silent};
constexpr std::array of_receivers{
    make_ack_high,          make_ack_low,         make_ack_lagging,    make_phi_random,
    make_phi_all_missing,   make_phi_all_present, make_ack_storm,      make_stamp_spoof,
    make_split_brain,       make_hoard,           make_poisoned_share, make_pull_abuse,
    make_selective_forward, make_false_holder,    make_silent,         make_stale_context};

}  // namespace

StrategyPointer make_strategy(Choices& choices, Mark mark) {
  for (const auto make : of_senders) {
    if (StrategyPointer strategy = make(choices); strategy->mark() == mark) {
      return strategy;
    }
  }
  for (const auto make : of_receivers) {
    if (StrategyPointer strategy = make(choices); strategy->mark() == mark) {
      return strategy;
    }
  }
  return nullptr;
}

StrategyPointer draw_strategy(Choices& choices, bool sends, bool receives) {
  const bool as_sender = sends && (!receives || choices.draw(Stream::byzantine, 2) == 0);
  return as_sender ? of_senders[choices.draw(Stream::byzantine, of_senders.size())](choices)
                   : of_receivers[choices.draw(Stream::byzantine, of_receivers.size())](choices);
}

}  // namespace mallard::sim
