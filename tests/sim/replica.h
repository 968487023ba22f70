// One replica of the world: what survives its deaths, and the life that it leads now, if any. A life is a
// production gateway between simulated ports.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bridge/gateway/frame_carrier.h"
#include "bridge/gateway/gateway.h"
#include "config/base/payload_pool.h"
#include "tests/sim/sim_attachment.h"
#include "tests/sim/sim_certificates.h"
#include "tests/sim/stage.h"

namespace mallard::sim {

class Network;
class Puppet;
class Watchers;
struct Replica;

// A gateway's door to the network. A puppet stands in it, if the replica is one.
class CarrierPort final : public bridge::FrameCarrier {
 public:
  CarrierPort(Stage& stage, Network& network, Replica& replica)
      : stage_(stage), network_(network), replica_(replica) {}
  bool send(ReplicaAddress to, ByteView head, PayloadRef body, bridge::Lane lane) override;
  void close(ReplicaAddress peer, const char* reason) override;

 private:
  Stage& stage_;
  Network& network_;
  Replica& replica_;
};

// Passes a gateway's effects to the checkers.
class EffectPort final : public bridge::GatewayObserver {
 public:
  EffectPort(Stage& stage, Watchers& watchers, Replica& replica)
      : stage_(stage), watchers_(watchers), replica_(replica) {}
  void on_effect(const bridge::Effect& effect, Instant now) override;

 private:
  Stage& stage_;
  Watchers& watchers_;
  Replica& replica_;
};

struct Life {
  Life(Stage& stage, Watchers& watchers, Network& network, Replica& replica);

  PayloadPool pool;
  SimAttachment attachment;
  SimCertificates certificates;
  CarrierPort carrier;
  EffectPort effects;
  std::unique_ptr<bridge::Gateway> gateway;
};

struct Replica {
  ReplicaId id = 0;
  ReplicaAddress address;
  Weight weight = 1;
  bool byzantine = false;         // its gateway is a puppet
  bool storage_lost = false;      // it lost its disk at least once
  bool gone = false;              // crashed for good
  std::vector<LinkStore> stores;  // by link

  std::uint64_t lives = 0;     // how many it has had
  std::unique_ptr<Life> life;  // nothing: it is dead
  std::unique_ptr<Puppet> puppet;
  Nanos paused_until = 0;
  Nanos busy_until = 0;
  Nanos cpu_cost = 0;  // of one event
  std::uint64_t disk_slowness = 1;
  Nanos wake_at = never;
  std::uint64_t wake_token = 0;
  std::int64_t clock_start = 0;  // what its clock shows when the world begins, in ns

  Replica();
  Replica(Replica&&) noexcept;
  ~Replica();

  [[nodiscard]] bool alive() const { return life != nullptr; }
  // Does what it is told and has never forgotten what it said.
  [[nodiscard]] bool correct() const { return !byzantine && !storage_lost && !gone; }
  [[nodiscard]] Instant clock(Nanos now) const {
    return Instant{clock_start + static_cast<std::int64_t>(now)};
  }
  [[nodiscard]] Nanos world_time(Instant at) const {
    return at.ns <= clock_start ? 0 : static_cast<Nanos>(at.ns - clock_start);
  }
};

}  // namespace mallard::sim
