// Clients' sessions: a request that is repeated is executed once and answered with the same reply (RIFL, Lee
// et al., SOSP 2015; reliability.md 2.8, H5). They are part of the state: entries of the system tree.
//
//   key 1, session      u64 owner, u64 last sequence, u64 index of its last use, u64 index under which it is
//                       queued, digest of the last request, its reply
//   key 2, queued at    u64 session
//
// When the table is full, opening a session evicts the one whose last use is longest ago, by index of the
// log. The queue is put right only then: a session that was used since it was queued goes to its place, at
// most once per use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/contract/machine.h"
#include "rsm/machine/key_forest.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_limits.h"
#include "rsm/machine/kv_reply.h"

namespace mallard::rsm {

class SessionTable {
 public:
  // The system tree of the live version; both outlive the table. `sessions_max` from 1 to sessions_limit.
  SessionTable(KeyForest& forest, TreeRoot& system, std::uint32_t sessions_max);

  // A new session, numbered by the entry that opens it; no other entry opens one.
  std::uint64_t open(CommitIndex index, std::uint64_t owner);
  // ok, not_found, or session_not_owned.
  KvStatus close(std::uint64_t session, std::uint64_t owner);

  // Whether a request of a session is to be executed now.
  struct Admission {
    bool execute = false;
    KvStatus refusal = KvStatus::ok;  // if it is neither executed nor a repetition
    std::size_t reply_bytes = 0;      // a repetition: the reply of then, written to `reply`
  };
  // `request`: digest of what is asked, without the tag. `reply` has room for stored_reply_bytes_max.
  [[nodiscard]] Admission admit(const SessionTag& tag, const StateDigest& request, ByteSpan reply) const;
  // The request was executed at `index`; admit() had said so.
  void executed(const SessionTag& tag, const StateDigest& request, CommitIndex index, ByteView reply);

  // Counts again what the tree holds, which came from elsewhere. False if it is not what a table writes.
  [[nodiscard]] bool reload();

  [[nodiscard]] std::uint32_t open_sessions() const { return open_sessions_; }
  // What sessions can take of the pool.
  [[nodiscard]] static std::uint64_t units_max(std::uint32_t sessions_max);

 private:
  static constexpr std::size_t head_bytes = 64;

  struct Session {
    std::uint64_t owner = 0;
    std::uint64_t sequence = 0;
    std::uint64_t used_at = 0;
    std::uint64_t queued_at = 0;
    StateDigest request;
    std::size_t reply_bytes = 0;
  };

  // The session's record without its reply; nothing if there is none, or if it is none of ours.
  [[nodiscard]] std::optional<Session> find(std::uint64_t session) const;
  [[nodiscard]] Session read(UnitIndex leaf) const;
  void write(std::uint64_t session, const Session& record, ByteView reply);
  void queue(std::uint64_t at, std::uint64_t session);
  void evict_one();
  void remove(std::uint64_t session, const Session& record);

  KeyForest& forest_;
  TreeRoot& system_;
  std::uint32_t sessions_max_;
  std::uint32_t open_sessions_ = 0;
  TreeWalk walk_;
  std::vector<std::byte> record_;  // one that is being written
};

}  // namespace mallard::rsm
