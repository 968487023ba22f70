// Everything that a CFT core can order. Orders only; this file and event.h are its whole language.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "config/base/fixed_vector.h"
#include "config/contract/one_sided.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/core/cft/event.h"

namespace mallard::rsm::cft {

// Post a signaled work to a link. Neighbouring posts to one link are one chain. There is always room in the
// link for it: the core counts.
struct Post {
  enum class Source : std::uint8_t {
    log,    // own log region, from local_offset
    words,  // the first bytes of `words`
    card,   // what CftCore::write_card() gives, before the next step
    none,   // a read, into own scratch region at local_offset
  };
  memory::ProcessIndex to;
  memory::WorkId id;
  memory::WorkKind kind = memory::WorkKind::write;
  memory::RegionIndex region;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  memory::GrantNumber grant;
  Source source = Source::none;
  std::uint64_t local_offset = 0;
  std::array<std::uint64_t, 2> words{};
};

// Reset the link; LinkUp once it lives again. Ordered anew while that does not come
// (CftSettings::relink_after). Reports of works posted before no longer matter. Those works
// stop reading own log memory before the next effect is carried out.
struct ResetLink {
  memory::ProcessIndex to;
};

// Give own log region to this writer; Regranted once it is done.
struct Regrant {
  memory::ProcessIndex writer;
  memory::LiveRange live;
};

// Journal: from position `from` on the log is now what lies in own ring up to `to`; what the journal had
// there before is no longer the log. As one: after a crash either all of the old or all of the new is there
// from `from` on, or a part of the new that reaches at least as far as the two agree.
struct PersistEntries {
  JournalTicket ticket = 0;
  Lsn from = 0;
  Lsn to = 0;
};

// Journal: promised not to take anything from leaders before this one.
struct PersistPromise {
  JournalTicket ticket = 0;
  Ballot promise;
};

// Watermarks rose. `committed`: in the memory of u+1 replicas. `durable`: accepted by u+1 as the durability
// demands; it is final, and alone is executed, answered, signed. Followers hear of `durable` only. Entries up
// to it lie in own ring until Applied.
struct Advanced {
  Lsn committed = 0;
  Lsn durable = 0;
};

enum class Role : std::uint8_t { follower, candidate, leader };

// Who leads as far as this replica knows; `leader` is itself unless follower, and means nothing while
// `ballot` is 0.
struct RoleChanged {
  Role role = Role::follower;
  Ballot ballot;
  memory::ProcessIndex leader;
};

// The proposal is the entry that ends at `end`: durable once Advanced.durable reaches it, unknown if Deposed
// comes before.
struct Placed {
  ProposalId proposal = 0;
  Lsn end = 0;
};

enum class Refusal : std::uint8_t {
  not_leader,
  no_room,      // try again when something was applied
  too_large,    //
  busy,         // a change of members is not decided yet, or changes nothing
  no_majority,  // too few of the members to be follow this leader
};
struct Refused {
  ProposalId proposal = 0;
  Refusal why = Refusal::not_leader;
};

// The reads up to this one may be answered by a machine that has applied the log up to `at`, and see
// everything that anybody was told before they came. For after that a majority still granted this reign: each
// had a write of it that was posted later (R6; like Mu, section 4, and with the quorum round of Raft's
// dissertation, section 6.4).
struct ReadAt {
  std::uint64_t read = 0;
  Lsn at = 0;
};

// This replica does not lead, or no longer: nothing is known for the reads up to this one that are not
// answered.
struct ReadsRefused {
  std::uint64_t read = 0;
};

// No longer the leader: what it placed beyond `after` may still be decided, or not. A leader that only
// changes to a later reign of its own says so (RoleChanged), and this only if that fails: else what it placed
// is decided where it lies.
struct Deposed {
  Lsn after = 0;
};

// The newest membership in the log changed; `decided` once it is durable.
struct MembersChanged {
  Members members;
  bool decided = false;
};

// This replica lacks log that no ring has any more: install a snapshot that reaches at least `at_least`, of
// `from` or any other. Answered by SnapshotInstalled.
struct NeedSnapshot {
  memory::ProcessIndex from;
  Lsn at_least = 0;
};

using Effect = std::variant<Post, ResetLink, Regrant, PersistEntries, PersistPromise, Advanced, RoleChanged,
                            Placed, Refused, ReadAt, ReadsRefused, Deposed, MembersChanged, NeedSnapshot>;

// For each of the 63 peers at most a reset, a card, a look, two writes of entries and a control write, and
// some for the replica itself.
inline constexpr std::size_t effects_per_step_max = 512;
using Effects = FixedVector<Effect, effects_per_step_max>;

}  // namespace mallard::rsm::cft
