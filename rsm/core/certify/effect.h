// Everything that a certify core can order. Orders only; this file and event.h are its whole language.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "config/base/fixed_vector.h"
#include "config/base/ids.h"
#include "rsm/core/certify/event.h"
#include "rsm/core/certify/share.h"
#include "rsm/core/certify/sign_guard.h"

namespace mallard::rsm::certify {

// Make the mark durable, in place of the link's earlier one. Answer with MarkPersisted; a link has at most
// one under way. Where it cannot be made durable, the process ends: it may not be tried again, and nothing
// may be signed.
struct PersistMark {
  LinkIndex link;
  Mark mark;
};

// Sign the bytes of statement(link, batch), asked for before the next step. Answer with Signed, always, and
// in the order of the orders. The mark that covers it is durable.
struct Sign {
  LinkIndex link;
  LinkLife life = 0;
  BatchNumber batch;
};

// Is this the signer's, over the bytes of statement(link, batch), asked for before the next step? Answer with
// ShareChecked, always, in any order.
struct CheckShare {
  LinkIndex link;
  LinkLife life = 0;
  BatchNumber batch;
  ReplicaIndex signer;
  crypto::Signature signature;
};

// Send own_share(link, batch) of each of these, asked for before the next step, under context(link): to one
// replica of the cluster, or to all others. What cannot be sent is lost; they ask for it.
struct SendShares {
  LinkIndex link;
  std::optional<ReplicaIndex> to;  // none: everyone
  BatchSet batches;
};

// Ask the replica for its shares of these batches, under context(link).
struct AskShares {
  LinkIndex link;
  ReplicaIndex to;
  BatchSet batches;
};

// From here on certificate() answers for every batch up to this one that is not released.
struct Certified {
  LinkIndex link;
  BatchNumber through;
};

// A replica of the own cluster says that it has signed another batch under this number than the one that is
// decided here: it lies, or one of the two has diverged. Evidence, for people; told once for each batch and
// replica.
struct Contradicted {
  LinkIndex link;
  ReplicaIndex by;
  Share share;
};

enum class HaltReason : std::uint8_t {
  contradicts_mark,  // this replica signed another chain in an earlier life
  older_than_mark,   // it signed a later numbering of the link in an earlier life
  diverged,          // replicas that could certify it say that another batch was decided
};

// Nothing is signed and nothing certified on the link from now on, until it is started under a generation of
// its own, or with the log that is meant.
struct LinkHalted {
  LinkIndex link;
  HaltReason reason = HaltReason::diverged;
};

using Effect =
    std::variant<PersistMark, Sign, CheckShare, SendShares, AskShares, Certified, Contradicted, LinkHalted>;

// Of one link a step orders at most signs_max signatures, checks_max checks, 64 contradictions or requests,
// and a few more. What does not fit waits for an immediate deadline.
inline constexpr std::size_t effects_per_step_max = 256;
using Effects = FixedVector<Effect, effects_per_step_max>;

}  // namespace mallard::rsm::certify
