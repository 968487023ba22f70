// The liars, one file each (attack catalogue of the reliability plan, 3.1 and 3.2).
#pragma once

#include <memory>

#include "tests/sim/choices.h"
#include "tests/sim/puppet.h"

namespace mallard::sim {

using StrategyPointer = std::unique_ptr<Strategy>;

// Of a source's replica.
StrategyPointer make_omit_sends(Choices& choices);      // S1
StrategyPointer make_forged_payload(Choices& choices);  // S3, S4
StrategyPointer make_wrong_numbers(Choices& choices);   // S5
StrategyPointer make_stale_context(Choices& choices);   // S6; also of a destination's
StrategyPointer make_early_resend(Choices& choices);    // S7, S11
StrategyPointer make_false_hint(Choices& choices);      // S10
// Of a destination's replica.
StrategyPointer make_ack_high(Choices& choices);           // R1
StrategyPointer make_ack_low(Choices& choices);            // R2
StrategyPointer make_ack_lagging(Choices& choices);        // R2
StrategyPointer make_phi_random(Choices& choices);         // R3
StrategyPointer make_phi_all_missing(Choices& choices);    // R3
StrategyPointer make_phi_all_present(Choices& choices);    // R3
StrategyPointer make_ack_storm(Choices& choices);          // R4
StrategyPointer make_stamp_spoof(Choices& choices);        // R5
StrategyPointer make_split_brain(Choices& choices);        // R6
StrategyPointer make_hoard(Choices& choices);              // R7
StrategyPointer make_selective_forward(Choices& choices);  // R8
StrategyPointer make_poisoned_share(Choices& choices);     // R9
StrategyPointer make_pull_abuse(Choices& choices);         // R10
StrategyPointer make_false_holder(Choices& choices);       // R11
StrategyPointer make_silent(Choices& choices);             // R12; also of a source's

// The one with this mark; nullptr if there is none.
StrategyPointer make_strategy(Choices& choices, Mark mark);
// One that fits what the replica's cluster does on its links.
StrategyPointer draw_strategy(Choices& choices, bool sends, bool receives);

// Whether the frame carries a batch from cluster to cluster, or one inside a cluster.
[[nodiscard]] bool sends_across(Puppet& puppet, const Outgoing& out);
[[nodiscard]] bool shares(Puppet& puppet, const Outgoing& out);
// The shape of a link that the puppet's cluster receives, drawn; nullptr if there is none.
[[nodiscard]] const LinkTruth* any_inbound(Puppet& puppet);

}  // namespace mallard::sim
