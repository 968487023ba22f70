#include "crypto/signer_roster.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "config/base/bytes.h"
#include "crypto/signature.h"
#include "crypto/sodium.h"

namespace mallard::crypto {
namespace {

constexpr std::string_view roster_domain = "mallard.roster.v1";
constexpr std::size_t member_bytes = public_key_bytes + 8;
constexpr std::size_t roster_bytes_max =
    roster_domain.size() + 2 + 4 + 8 + 8 + 2 + replicas_max * member_bytes;

Digest digest_of_roster(const RosterHead& head, std::span<const Signer> members) {
  std::array<std::byte, roster_bytes_max> bytes{};
  ByteWriter writer(bytes);
  writer.write_bytes(std::as_bytes(std::span(roster_domain)));
  writer.write(head.cluster.value);
  writer.write(head.epoch.value);
  writer.write(head.u);
  writer.write(head.r);
  writer.write(static_cast<std::uint16_t>(members.size()));
  for (const Signer& member : members) {
    writer.write_bytes(std::as_bytes(std::span(member.key.bytes)));
    writer.write(member.weight);
  }
  return digest_of(ByteView(bytes).first(writer.used()));
}

// r <= u and 2u + 1 <= total, without a sum that could overflow.
bool carries(Weight total, const RosterHead& head) {
  return head.r <= head.u && head.u < total && head.u < total - head.u;
}

}  // namespace

Result<SignerRoster, RosterProblem> SignerRoster::make(const RosterHead& head,
                                                       std::span<const Signer> members) {
  start_sodium();
  if (head.epoch.value == 0) {
    return Failure<RosterProblem>(RosterProblem::no_epoch);
  }
  if (members.empty() || members.size() > replicas_max) {
    return Failure<RosterProblem>(RosterProblem::no_members);
  }
  Weight total = 0;
  for (const Signer& member : members) {
    if (member.weight == 0) {
      return Failure<RosterProblem>(RosterProblem::no_weight);
    }
    if (member.weight > cluster_weight_max - total) {
      return Failure<RosterProblem>(RosterProblem::too_much_weight);
    }
    total += member.weight;
  }
  if (!carries(total, head)) {
    return Failure<RosterProblem>(RosterProblem::bad_budget);
  }
  SignerRoster roster;
  for (const Signer& member : members) {
    if (!is_sound_key(member.key)) {
      return Failure<RosterProblem>(RosterProblem::bad_key);
    }
    const auto same_key = [&member](const Signer& earlier) { return earlier.key == member.key; };
    if (std::any_of(roster.members_.begin(), roster.members_.end(), same_key)) {
      return Failure<RosterProblem>(RosterProblem::repeated_key);
    }
    roster.members_.push_back(member);
  }
  roster.head_ = head;
  roster.digest_ = digest_of_roster(head, members);
  return roster;
}

}  // namespace mallard::crypto
