// What a ChannelSet tells the process that owns it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/base/payload_ref.h"

namespace mallard::transport {

// Why a channel that was up went down.
enum class CloseReason : std::uint8_t {
  by_observer,      // ChannelSet::close()
  by_peer,          // the peer closed it in order
  lost,             // the connection broke: reset, timed out, ended in the middle of a record
  replaced,         // the same replica opened a newer one
  malformed_frame,  // lengths that contradict each other, or a frame where none may be
  oversized_frame,  // a head or body above its limit
  frame_deadline,   // a frame began and did not go on
  write_deadline,   // the peer does not read
  too_many_key_updates,
  tls_failed,  // a record did not verify, or TLS was broken otherwise
};
inline constexpr std::size_t close_reasons = 10;

// A label for metrics and logs: the name of the enumerator.
[[nodiscard]] std::string_view close_reason_name(CloseReason reason);

// Called on the thread that runs the io_context, never from inside a call into the ChannelSet, so every call
// into it is allowed from here. up and down alternate for each peer.
class ChannelObserver {
 public:
  // Both sides have proved their keys and agree on the configuration. Nothing of an earlier channel to the
  // same peer arrives any more.
  virtual void on_peer_up(ReplicaAddress peer, Incarnation incarnation) = 0;
  // Frames still queued are lost.
  virtual void on_peer_down(ReplicaAddress peer, CloseReason reason) = 0;
  // `head` (1 to frame_head_bytes_max bytes) is good during the call only. `body` (bytes 0: none) comes with
  // one reference, which is the observer's to release.
  virtual void on_frame(ReplicaAddress from, ByteView head, PayloadRef body) = 0;

 protected:
  ~ChannelObserver() = default;
};

}  // namespace mallard::transport
