// Who may sign for a cluster in one epoch, what each signature weighs, and how much is enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "config/base/fixed_vector.h"
#include "config/base/ids.h"
#include "config/base/limits.h"
#include "config/base/result.h"
#include "config/contract/public_key.h"
#include "crypto/digest.h"

namespace mallard::crypto {

// One member: the key that checks its signatures, and its weight, at least 1.
struct Signer {
  PublicKey key;
  Weight weight = 1;
  friend constexpr auto operator<=>(const Signer&, const Signer&) = default;
};

// Which cluster, in which epoch, with which fault budget (UpRight; config::FaultBudget).
struct RosterHead {
  ClusterIndex cluster;
  Epoch epoch{1};
  Weight u = 0;
  Weight r = 0;
  friend constexpr bool operator==(const RosterHead&, const RosterHead&) = default;
};

// Why a list of signers is not a roster.
enum class RosterProblem : std::uint8_t {
  no_epoch,         // epoch 0
  no_members,       // or more than replicas_max
  no_weight,        // a member that weighs nothing
  too_much_weight,  // the total is above cluster_weight_max
  bad_budget,       // r > u, or the total is below 2u + 1: the correct ones could not reach the threshold
  bad_key,          // not a sound Ed25519 key (is_sound_key)
  repeated_key,     // one thief would count twice
};
inline constexpr std::size_t roster_problems = 7;

// A checked roster. Every value of this type can be verified against: there is no empty one, and none with a
// threshold of 0.
class SignerRoster {
 public:
  // Starts libsodium. Members in the order of their ReplicaIndex.
  [[nodiscard]] static Result<SignerRoster, RosterProblem> make(const RosterHead& head,
                                                                std::span<const Signer> members);

  [[nodiscard]] ClusterIndex cluster() const { return head_.cluster; }
  [[nodiscard]] Epoch epoch() const { return head_.epoch; }
  [[nodiscard]] std::size_t size() const { return members_.size(); }
  // `replica` is below size().
  [[nodiscard]] const Signer& member(ReplicaIndex replica) const { return members_[replica.value]; }
  // Signatures of this weight contain one of a replica that neither lies nor lost its key to a thief: r + 1
  // (design.md 4.2). Where nobody is expected to lie (r = 0) it is u + 1, so that one stolen key is not
  // enough wherever the cluster is more than one replica.
  [[nodiscard]] Weight threshold() const { return head_.r > 0 ? head_.r + 1 : head_.u + 1; }
  // Of everything above. Rosters with equal digests are equal.
  [[nodiscard]] const Digest& digest() const { return digest_; }

 private:
  SignerRoster() = default;

  RosterHead head_;
  FixedVector<Signer, replicas_max> members_;
  Digest digest_;
};

}  // namespace mallard::crypto
