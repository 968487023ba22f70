// The language of the key-value machine: what a log entry orders. All integers little-endian; [k] stands for
// u16 key bytes.
//
//   command        u8 operation, u8 1 if it runs in a session, then (if so) u64 session, u64 sequence,
//                  u64 owner, then what the operation says:
//   get            [k], key
//   scan           u32 entries at most, u32 bytes at most, u16 prefix bytes, u16 after bytes, prefix, after
//   put            [k], u32 value bytes, key, value
//   erase          [k], key
//   increment      [k], u64 amount, key
//   txn            u16 guards, u16 writes, the guards, the writes: each u8 operation and then as above; the
//                  writes within txn_bytes_max
//   a guard        u8 condition, then absent, present: [k], key; fence: u64;
//                  equals: [k], u32 value bytes, key, value
//   session_open   u64 owner
//   session_close  u64 session, u64 owner
//   fence_raise    u64 fence
//   changes        u64 from, u32 bytes at most, u16 prefix bytes, prefix
//   link_open, link_apply: see link_command.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/ids.h"

namespace mallard::rsm {

enum class KvOperation : std::uint8_t {
  get = 1,
  scan,
  put,
  erase,
  increment,  // adds to a value of 8 bytes, modulo 2^64; a key that is not there counts as 0
  txn,        // all writes if all guards hold, else nothing
  session_open,
  session_close,
  fence_raise,
  link_open,
  link_apply,
  changes,  // what entries did to keys under a prefix; asked outside of the log only
};

// Ties a command to a client's session: it is executed at most once, and a repetition gets the same reply.
struct SessionTag {
  std::uint64_t session = 0;  // what session_open answered
  std::uint64_t sequence =
      0;                    // the client's count of its commands, from 1 on; each higher than the one before
  std::uint64_t owner = 0;  // who sent it; written by the door that authenticated it (write_owner)
  friend constexpr bool operator==(const SessionTag&, const SessionTag&) = default;
};

// put, erase or increment of one key. Bytes are borrowed, as in everything that is decoded here.
struct KvWrite {
  KvOperation operation = KvOperation::put;
  ByteView key;
  ByteView value;            // put
  std::uint64_t amount = 0;  // increment
};

enum class KvCondition : std::uint8_t { absent = 1, present, equals, fence };

struct KvGuard {
  KvCondition condition = KvCondition::absent;
  ByteView key;
  ByteView value;  // equals
  Fence fence;     // fence: holds if it is the machine's
};

// The entries whose key starts with `prefix` and comes behind `after`, in order: as many as both limits
// allow, and at least one where there is one. The next page's `after` is the last key of this one.
struct KvScan {
  ByteView prefix;
  ByteView after;  // empty: from the first
  std::uint32_t entries_max = UINT32_MAX;
  std::uint32_t bytes_max = UINT32_MAX;  // of entries in the reply; above scan_bytes_max it is that
};

// What the entries from an index on changed under the prefix, whole entries, oldest first: as many as the
// limit allows, and at least one where there is one.
struct KvChanges {
  std::uint64_t from = 0;  // 0: nothing but the index from which on nothing has happened yet
  ByteView prefix;
  std::uint32_t bytes_max = UINT32_MAX;  // of changes in the reply; above scan_bytes_max it is that
};

// Checked when it was decoded: the parts can be read without asking.
struct KvTxn {
  std::uint16_t guard_count = 0;
  std::uint16_t write_count = 0;  // their keys rise strictly, so that none comes twice
  ByteView guards;
  ByteView writes;
};

struct KvCommand {
  KvOperation operation = KvOperation::get;
  std::optional<SessionTag> session;  // only on put, erase, increment, txn
  KvWrite write;                      // put, erase, increment; of get the key
  KvScan scan;
  KvChanges changes;
  KvTxn txn;
  std::uint64_t number = 0;  // session_open: owner; session_close: session; fence_raise: fence
  std::uint64_t owner = 0;   // session_close
  ByteView body;  // everything after the operation and the session; what makes two requests the same
};

// Nothing unless the bytes are exactly one command within the limits of kv_limits.h.
[[nodiscard]] std::optional<KvCommand> decode_command(ByteView bytes);

// The next part of a transaction that was decoded.
[[nodiscard]] KvGuard next_guard(ByteReader& guards);
[[nodiscard]] KvWrite next_write(ByteReader& writes);

// The same bytes again for what decode_command() gave (of links, only the body). A value above its limit is
// encoded as it is and refused by who decodes it.
[[nodiscard]] std::vector<std::byte> encode_command(const KvCommand& command);
[[nodiscard]] std::vector<std::byte> encode_txn(std::span<const KvGuard> guards,
                                                std::span<const KvWrite> writes,
                                                const std::optional<SessionTag>& session);

// Overwrites the owner of a command, if it names one, with whom the door authenticated.
void write_owner(ByteSpan command, std::uint64_t owner);

// What a client may do: true if every key that the command reads or writes starts with one of the prefixes
// (an empty list allows all keys), and it is none of the system's (fence_raise, link_open, link_apply).
[[nodiscard]] bool is_within(const KvCommand& command, std::span<const std::string_view> prefixes);

[[nodiscard]] constexpr bool is_read_operation(KvOperation operation) {
  return operation == KvOperation::get || operation == KvOperation::scan || operation == KvOperation::changes;
}

}  // namespace mallard::rsm
