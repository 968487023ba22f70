// The place of one replica in a pairing, taken by someone who does not keep to the protocol: with its key,
// its address and its ports.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/base/time.h"
#include "config/system/file_descriptor.h"
#include "crypto/key_pair.h"
#include "tests/integration/deployment/deployment.h"
#include "transport/channel/handshake.h"
#include "transport/channel/tls_context.h"

namespace mallard::integration {

// A connection to a gateway, after the handshake: whatever the seat's holder writes goes into the TLS session
// as it is.
class HostileChannel {
 public:
  HostileChannel(FileDescriptor socket, transport::Handshake handshake)
      : socket_(std::move(socket)), handshake_(std::move(handshake)) {}

  // Writes all, waiting at most `limit`; false when the peer has closed or does not take it.
  bool write(ByteView bytes, Duration limit);
  // One well-formed frame.
  bool write_frame(ByteView head, ByteView body, Duration limit);
  // Reads and forgets what there is, waiting at most `limit`; false when the peer has closed.
  bool read_away(Duration limit);
  [[nodiscard]] ReplicaAddress peer() const { return handshake_.peer(); }

 private:
  bool wait_for(short events, Duration limit) const;

  FileDescriptor socket_;
  transport::Handshake handshake_;
};

class HostileSeat {
 public:
  // The gateway of `self` must not run. The deployment outlives the seat. The seat is on one plane: between
  // clusters, or inside its own.
  HostileSeat(const Deployment& deployment, ReplicaAddress self,
              transport::Plane plane = transport::Plane::bridge);

  // Dials a replica's gateway on its port of the seat's plane, from a loopback address of the seat's own;
  // null when no handshake is done within `limit`. Only replicas above self are dialed by correct gateways.
  [[nodiscard]] std::unique_ptr<HostileChannel> dial(ReplicaAddress to, Duration limit) const;
  // Waits for a gateway to dial the seat's port.
  [[nodiscard]] std::unique_ptr<HostileChannel> accept(Duration limit);

 private:
  [[nodiscard]] std::uint16_t port_of(ReplicaAddress address) const;
  [[nodiscard]] std::unique_ptr<HostileChannel> shake_hands(FileDescriptor socket,
                                                            transport::TlsStream::Role role,
                                                            Duration limit) const;

  const Deployment& deployment_;
  ReplicaAddress self_;
  crypto::KeyPair key_;
  transport::TlsContext context_;
  transport::Hello hello_;
  std::vector<ReplicaAddress> peer_addresses_;
  std::vector<PublicKey> peer_keys_;
  FileDescriptor listener_;
};

// Connects to 127.0.0.1:`port` from the loopback address `from`, without blocking; not open when that fails
// at once.
[[nodiscard]] FileDescriptor connect_from(const std::string& from, std::uint16_t port);

}  // namespace mallard::integration
