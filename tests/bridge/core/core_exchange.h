// Two clusters of gateways in one address space, without sockets, files or threads: only their cores, the
// loop of production and, if wanted, the codec. East sends to west as fast as its window lets it.
//
// Time is counted in messages: the load is a fixed number of messages per second of the cores' clocks,
// however long this machine takes for it. So pacing, and with it the number of acknowledgements per batch, is
// what it would be at that load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bridge/core/bridge_core.h"
#include "config/base/prng.h"

namespace mallard::bridge {

struct ExchangeOptions {
  std::size_t replicas = 4;  // of each cluster
  Weight whale = 1;          // stake of replica 0; the others have 1; u = r = (total - 1) / 3
  std::uint16_t messages_per_batch = 1;
  std::uint32_t message_bytes = 100;
  std::uint32_t window_messages = 65'536;
  Duration per_message = Duration::nanoseconds(200);
  std::uint64_t loss_in_million = 0;  // of the frames between the clusters
  bool codec = true;                  // every frame is encoded and decoded
  std::uint64_t start = 0;            // what both clusters have before: batches of one message each
  std::uint64_t seed = 1;
};

// What all gateways sent.
struct Traffic {
  std::uint64_t copies = 0;        // of batches, between the clusters
  std::uint64_t resends = 0;       // among them
  std::uint64_t batches_lost = 0;  // copies that the network lost
  std::uint64_t frames_between = 0;
  std::uint64_t frames_inside = 0;
  std::uint64_t without_room = 0;  // frames that this harness was too small for
};

class CoreExchange {
 public:
  // All memory is allocated here.
  explicit CoreExchange(const ExchangeOptions& options);
  ~CoreExchange();

  // Runs until every replica of the destination has applied, and every one of the source has QUACKed, this
  // many batches, what was there before included. Returns false if that does not happen within a generous
  // number of turns.
  [[nodiscard]] bool run_until(std::uint64_t batches);
  // Commits nothing more, and lets everything end that is under way: then no core owns a payload. Returns
  // false if it does not end.
  [[nodiscard]] bool drain();

  [[nodiscard]] std::uint64_t applied() const;  // by the slowest replica
  [[nodiscard]] std::uint64_t quacked() const;  // likewise
  [[nodiscard]] Traffic traffic() const;
  [[nodiscard]] std::int64_t references_owned() const;  // by all cores
  [[nodiscard]] std::uint64_t applied_wrongly() const;  // out of order, or twice

 private:
  struct Letter;
  struct Inbox;
  struct Shell;
  struct Node;

  void turn(bool commit);
  [[nodiscard]] Shell& shell_of(ReplicaAddress address);

  ExchangeOptions options_;
  Instant now_ = Instant{} + Duration::seconds(1);
  std::uint64_t committed_ = 0;
  std::vector<std::unique_ptr<Node>> nodes_;  // east, then west
};

}  // namespace mallard::bridge
