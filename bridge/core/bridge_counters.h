// What one link of a bridge core has counted since start. Plain numbers; the shell exports them.
#pragma once

#include <cstdint>

namespace mallard::bridge {

struct OutboundCounters {
  std::uint64_t batches_admitted = 0;
  std::uint64_t messages_admitted = 0;
  std::uint64_t bytes_admitted = 0;
  std::uint64_t first_sends = 0;  // copies sent as attempt 0 of round 0
  std::uint64_t first_send_messages = 0;
  std::uint64_t resends = 0;  // copies sent as any later attempt
  std::uint64_t resend_messages = 0;
  std::uint64_t bytes_sent = 0;       // payload of both
  std::uint64_t attempts_opened = 0;  // duplicate QUACKs, whoever's turn it was
  std::uint64_t rounds_opened = 0;
  std::uint64_t probes_sent = 0;
  std::uint64_t acks_ahead = 0;  // acknowledgements beyond what this replica had committed
};

struct InboundCounters {
  std::uint64_t batches_received = 0;  // first valid copy of each
  std::uint64_t messages_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t copies_from_source = 0;  // every copy that came from the other cluster
  std::uint64_t duplicates_dropped = 0;
  std::uint64_t beyond_window_dropped = 0;
  std::uint64_t no_room_dropped = 0;  // found no room, or made room for a nearer one
  std::uint64_t verify_failures = 0;
  std::uint64_t discontinuous_dropped = 0;
  std::uint64_t shares_sent = 0;
  std::uint64_t pulls_sent = 0;     // batches asked for
  std::uint64_t pulls_by_hint = 0;  // of these, asked for because of a hint only
  std::uint64_t pulls_served = 0;
  std::uint64_t pulls_refused = 0;
  std::uint64_t batches_applied = 0;
  std::uint64_t messages_applied = 0;
};

struct PeerCounters {
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t stale_context_dropped = 0;  // sections of another epoch or generation
  std::uint64_t stale_frames = 0;           // reports overtaken by a newer one of the same peer
  std::uint64_t violations = 0;             // led to ClosePeer
};

}  // namespace mallard::bridge
