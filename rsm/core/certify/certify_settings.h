// What a certify core is told at start.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/ids.h"
#include "config/base/time.h"
#include "crypto/signer_roster.h"
#include "rsm/core/certify/sign_guard.h"

namespace mallard::rsm::certify {

// Orders of one link that are not answered. Who signs and checks takes them in the order in which they came,
// so no link waits for more than these of each other one.
inline constexpr std::uint32_t signs_max = 16;
inline constexpr std::uint32_t checks_max = 32;

// One outbound link whose batches are to be certified: one with r > 0 at either end.
struct LinkSettings {
  LinkIndex link;
  Mark mark;  // durable
  // An earlier life may have signed beyond it (SignGuard); so in each life until a mark became durable in
  // one.
  bool mark_lost = false;
};

struct CertifySettings {
  crypto::SignerRoster roster;       // of the own cluster
  std::optional<ReplicaIndex> self;  // none: this replica is no member (yet, or any more)
  std::vector<LinkSettings> links;
  // A power of two, 64 .. window_batches_max: batches of a link that are kept here, counted from the last
  // QUACKed one. A link takes (96 bytes for each signer + 200) * window.
  std::uint32_t window_batches = 1024;
  std::uint32_t signers_max = replicas_max;  // of any roster to come
  // Own shares wait so long for others to go with, at most; they do not wait where nothing is being signed.
  Duration gather = Duration::microseconds(500);
  // So long after a batch became durable here the others' shares may take, 100 us .. 1 min: signing, sending,
  // and how much later they get there. Then they are asked for, and again after twice the time each.
  Duration ask_after = Duration::milliseconds(20);
  Duration ask_again_max = Duration::seconds(2);  // ask_after .. 10 min
};

}  // namespace mallard::rsm::certify
