// Everything that can happen to a certify core. Facts only; this file and effect.h are its whole language.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "config/base/ids.h"
#include "crypto/commit_certificate.h"
#include "rsm/core/certify/share.h"

namespace mallard::rsm::certify {

// One start of a link in the core; answers to orders of an earlier one are too late.
using LinkLife = std::uint32_t;

// The link has this numbering, and BatchDurable tells its batches from the one behind `after` on: at the
// start of the process, once the link was opened, after a snapshot was installed, and after RosterChanged.
// What was held of the link is forgotten. Batches that are not QUACKed must come: others may need this
// replica's signature of each. `root`: of `after`; where `after` is 0 it means nothing.
struct LinkStarted {
  crypto::CertifiedLink link;
  Epoch destination_epoch;
  BatchNumber after;
  crypto::Digest root;
};

// The next batch of the link is decided, executed and durable here, as the cluster's durability says: a fact
// that stays (E4). Batches come in order without gaps, and only while accepts_batch(link).
struct BatchDurable {
  LinkIndex link;
  crypto::BatchRange range;
  crypto::Digest payload;  // crypto::payload_digest() of its messages
};

// The answer to PersistMark: the mark survives this process, and any crash of the machine.
struct MarkPersisted {
  LinkIndex link;
};

// The answer to Sign: own signature over statement(link, batch), as it stood when it was ordered.
struct Signed {
  LinkIndex link;
  LinkLife life = 0;
  BatchNumber batch;
  crypto::Signature signature;
};

// The answer to CheckShare: whether the signature is the signer's, over statement(link, batch).
struct ShareChecked {
  LinkIndex link;
  LinkLife life = 0;
  BatchNumber batch;
  ReplicaIndex signer;
  bool valid = false;
};

// Another replica of the own cluster sent shares, at most shares_per_message_max. Its channel authenticated
// it. The span is borrowed for the step.
struct SharesArrived {
  ReplicaIndex from;
  ShareContext context;
  std::span<const Share> shares;
};

// Another replica of the own cluster lacks this replica's shares of these batches.
struct SharesWanted {
  ReplicaIndex from;
  ShareContext context;
  BatchSet batches;
};

// A channel to the peer is open: what was sent before may be lost.
struct PeerUp {
  ReplicaIndex peer;
};

// Nobody needs certificates up to here any more: the batches are QUACKed. May be beyond what came so far, and
// may be told again.
struct Released {
  LinkIndex link;
  Generation generation;
  BatchNumber through;
};

// The own cluster is in the next epoch. Every link stops until it is started again, and what is signed from
// then on is signed as a member of this roster, which is borrowed for the step. `self`: none if this replica
// is no member.
struct RosterChanged {
  const crypto::SignerRoster* roster = nullptr;
  std::optional<ReplicaIndex> self;
};

using Event = std::variant<LinkStarted, BatchDurable, MarkPersisted, Signed, ShareChecked, SharesArrived,
                           SharesWanted, PeerUp, Released, RosterChanged>;

}  // namespace mallard::rsm::certify
