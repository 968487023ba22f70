// All channels of one process on one plane: dials, listens, authenticates, frames.
//
// A channel is TLS 1.3 with both sides' pinned Ed25519 keys (certificate.h, tls_context.h), a hello each way
// (hello.h), then frames (frame_header.h). Of two peers the one with the smaller ReplicaAddress dials, the
// other listens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/base/payload_pool.h"
#include "config/base/result.h"
#include "crypto/digest.h"
#include "crypto/key_pair.h"
#include "transport/channel/channel_counters.h"
#include "transport/channel/channel_limits.h"
#include "transport/channel/channel_observer.h"
#include "transport/channel/hello.h"
#include "transport/channel/lane_queue.h"
#include "transport/channel/peer_identity.h"

namespace asio {
class io_context;
}

namespace mallard::transport {

class PeerTable;

struct ChannelSettings {
  Plane plane = Plane::bridge;
  ReplicaAddress self;
  std::string listen_host;          // as for Acceptor::open() (acceptor.h)
  std::uint16_t listen_port = 0;    // 0: any; listening_port() tells
  std::vector<PeerIdentity> peers;  // distinct addresses, distinct keys, self not among them
  crypto::Digest configuration;     // of what all processes of a pairing must have in common
  WireVersions versions;            // that this process can speak
  Incarnation incarnation;          // not 0, and larger than in any earlier life of this replica
  ChannelLimits limits;
  std::uint64_t seed = 0;  // of the redial jitter
};

// Why a ChannelSet could not be opened, and what to do about it.
struct ChannelProblem {
  std::string what;
  std::string advice;
};

// One line of status.
struct PeerStatus {
  ReplicaAddress address;
  bool up = false;
  Incarnation incarnation;         // of the channel that is up, or of the last one; 0: never up
  std::uint16_t wire_version = 0;  // agreed for it; the highest that both speak
  std::string_view last_error;     // why it is not up, or why it last was not; empty: never failed
  std::size_t queued_frames = 0;   // both lanes
  std::size_t queued_bytes = 0;
};

// Not thread-safe: constructed, called and destroyed on the thread that runs the io_context; not destroyed
// from inside a call to the observer. After the destructor the io_context may go on running; the observer is
// not called any more.
class ChannelSet {
 public:
  // All three outlive the set.
  struct Ports {
    asio::io_context& io;
    PayloadPool& pool;
    ChannelObserver& observer;
  };

  // Listens and starts to dial. Fails when the address cannot be listened on or the settings contradict each
  // other. The secret in `key` is copied into OpenSSL's memory.
  [[nodiscard]] static Result<std::unique_ptr<ChannelSet>, ChannelProblem> open(
      const ChannelSettings& settings, const crypto::KeyPair& key, const Ports& ports);

  // Closes everything and gives all bodies back to the pool. on_peer_down is not called.
  ~ChannelSet();
  ChannelSet(const ChannelSet&) = delete;
  ChannelSet& operator=(const ChannelSet&) = delete;

  // Queues one frame. `head` (1 to frame_head_bytes_max bytes) is copied; a reference of its own to `body`
  // (at most frame_body_bytes_max bytes, of the set's pool) is kept until the bytes are out. False, and
  // counted, when the peer is unknown or down or its lane is full: the frame is lost, nothing else happens. A
  // control frame above 64 KiB goes with the data.
  bool send(ReplicaAddress to, ByteView head, PayloadRef body, Lane lane);

  // Writes what send() queued. Happens by itself when the io_context runs next; call it at the end of a turn
  // to save that round.
  void flush();

  // Closes the channel to `peer`, if there is one; on_peer_down follows from the io_context. It may be opened
  // anew, after a pause. `reason` (at most 128 bytes are kept) becomes the peer's last error.
  void close(ReplicaAddress peer, std::string_view reason);

  // Tells the set that the pool has free slots again. Peers that it had stopped reading are read again, from
  // the io_context. Without this call they are tried again every 100 ms.
  void resume_reads();

  [[nodiscard]] std::uint16_t listening_port() const;
  [[nodiscard]] std::size_t peers() const;
  // `index` counts along ChannelSettings::peers. The status's text is good until the io_context runs again.
  [[nodiscard]] PeerStatus status(std::size_t index) const;
  [[nodiscard]] const PeerCounters& counters(std::size_t index) const;
  [[nodiscard]] const AcceptCounters& accept_counters() const;

 private:
  explicit ChannelSet(std::shared_ptr<PeerTable> table);
  std::shared_ptr<PeerTable> table_;
};

}  // namespace mallard::transport
