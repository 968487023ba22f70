// All checkers of the simulator: one property each, one file each. A failure names its checker, and a mutant
// names the checker that must kill it, so these names are stable. Letters and numbers are those of the
// reliability plan.
#pragma once

#include <memory>
#include <vector>

#include "tests/sim/watchers.h"

namespace mallard::sim {

using CheckerPointer = std::unique_ptr<Checker>;
using Replicas = std::vector<Replica>;

// A: what is delivered.
CheckerPointer make_integrity(Stage& stage, const Replicas& replicas);           // A1
CheckerPointer make_at_most_once(Stage& stage, const Replicas& replicas);        // A2, F1
CheckerPointer make_agreement(Stage& stage, const Replicas& replicas);           // A3
CheckerPointer make_order_gap_free(Stage& stage, const Replicas& replicas);      // A4, F4
CheckerPointer make_no_silent_skip(Stage& stage, const Replicas& replicas);      // A7
CheckerPointer make_checked_before_use(Stage& stage, const Replicas& replicas);  // A8, and every hop checks
// B: acknowledgements, QUACKs, garbage collection.
CheckerPointer make_quack_sound(Stage& stage, const Replicas& replicas);             // A9, B1, B6, B10
CheckerPointer make_quack_within_committed(Stage& stage, const Replicas& replicas);  // B5
CheckerPointer make_gc_sound(Stage& stage, const Replicas& replicas);                // B2
CheckerPointer make_durable_acks(Stage& stage, const Replicas& replicas);            // B4
CheckerPointer make_anti_entropy(Stage& stage, const Replicas& replicas);            // B8
CheckerPointer make_phi_exact(Stage& stage, const Replicas& replicas);               // B9
// C: retransmission and pulls.
CheckerPointer make_duplicate_causality(Stage& stage, const Replicas& replicas);  // B7
CheckerPointer make_no_resend_by_liars(Stage& stage, const Replicas& replicas);   // C6
CheckerPointer make_round_bound(Stage& stage, const Replicas& replicas);          // C1
CheckerPointer make_rounds_paced(Stage& stage, const Replicas& replicas);         // C3
CheckerPointer make_turns_by_stake(Stage& stage, const Replicas& replicas);       // first sends
CheckerPointer make_quiet_when_healthy(Stage& stage, const Replicas& replicas);   // C5, C9
CheckerPointer make_pull_justified(Stage& stage, const Replicas& replicas);  // A7: hints need weight r + 1
CheckerPointer make_pull_budget(Stage& stage, const Replicas& replicas);     // C8, C9
// D: resources.
CheckerPointer make_window_bound(Stage& stage, const Replicas& replicas);  // D1, D7
CheckerPointer make_frames_canonical(Stage& stage, const Replicas& replicas);

// The world itself reports these: eventual_delivery (A5, A6, C4, and no payload left behind), no_allocation,
// correct_peers_kept, comes_to_rest.
void add_checkers(Watchers& watchers, Stage& stage, const Replicas& replicas);

// Tells all checkers of a frame that a gateway is about to get.
void watch_received(Watchers& watchers, const Replica& from, const Replica& to, ByteView head, ByteView body);

}  // namespace mallard::sim
