// One run of a strategy: two clusters, a network and one processor for each replica, in simulated time.
//
// A replica's processor does one thing after another: the end of a channel, a frame that came in, a deadline,
// the next batch of its log, in this order of preference. Each costs its events, and what it sends leaves
// when it is done. A frame then passes the sender's NIC, the way of its pair if that has a rate of its own,
// the latency, and the receiver's NIC.
#pragma once

#include "tests/sim/lab/run_figures.h"
#include "tests/sim/lab/run_shape.h"

namespace mallard::lab {

// `event_ns`: what an event costs on a processor, before the shape's cpu_factor.
[[nodiscard]] RunFigures run_exchange(const RunShape& shape, double event_ns);

// What an event of the real core costs on this machine, in nanoseconds: its share of the time that the steps
// of a fault-free Picsou run of this shape's clusters take, with messages of 100 bytes, codec and loop
// included. Steps that were interrupted are left out.
[[nodiscard]] double measure_event_ns(const RunShape& shape);

}  // namespace mallard::lab
