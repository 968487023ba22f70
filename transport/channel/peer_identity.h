// Who can be at the other end of a channel, and where.
#pragma once

#include <cstdint>
#include <string>

#include "config/base/ids.h"
#include "config/contract/public_key.h"

namespace mallard::transport {

// What a channel is for. A replica has one channel to each peer on each plane.
enum class Plane : std::uint8_t {
  bridge = 1,    // between clusters
  local = 2,     // inside one cluster, between gateways
  replicas = 3,  // inside one cluster, between replicas
};

struct PeerIdentity {
  ReplicaAddress address;
  PublicKey key;     // its gateway key, on the plane of replicas its replica key; who proves it is this peer
  std::string host;  // IPv4 or IPv6 address, or a name that is looked up again at each dial
  std::uint16_t port = 0;  // where it listens on this plane
};

}  // namespace mallard::transport
