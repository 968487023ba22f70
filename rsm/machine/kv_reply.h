// What the key-value machine answers. All integers little-endian.
//
//   reply         u8 status, u64 index of the entry that was executed (of a read outside of the log: the
//                 index of its view), and where the status is ok:
//   get           value
//   scan          u8 1 if there are more, u32 entries, each: u16 key bytes, u32 value bytes, key, value
//   increment     u64 the sum
//   txn           u64 the sum for each increment, in order
//   session_open  u64 session
//   changes       u64 the index to go on from, u32 changes, each: u64 index, u8 put or erase, u16 key bytes,
//   u32
//                 value bytes, key, value
// After guard_failed comes the u16 position of the guard, from 0; after history_gone the u64 oldest index
// from which on all changes are there. After link_open and link_apply, whatever the status (but malformed):
// u64 generation, u64 last batch and u64 last k' of the link in this direction as it stands now, u64 the
// machine's fence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "config/contract/machine.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_limits.h"

namespace mallard::rsm {

// Anything but ok: nothing was changed.
enum class KvStatus : std::uint8_t {
  ok = 0,
  not_found,            // get, erase: there is no such key; session_close: no such session
  guard_failed,         // txn
  not_a_number,         // increment: the value is not of 8 bytes
  full,                 // the machine's memory is used up; erasing makes room
  too_large_for_link,   // the key goes over a link, and the write exceeds message_bytes_max
  malformed,            // not a command, or beyond a limit
  not_a_read,           // asked outside of the log
  session_gone,         // evicted, closed or never opened; whether it was executed before is unknown
  session_not_owned,    // the session is another client's
  request_changed,      // the sequence was used for another request
  request_outdated,     // a later sequence was executed; the reply is gone
  fence_outdated,       // of another promotion than the machine's, or not above it
  generation_outdated,  // of another generation of the link than the open one, or not above it
  not_next,             // link_apply: does not continue the cursor
  history_gone,         // changes: this replica does not know any more, or never did
};
inline constexpr std::uint8_t kv_statuses = 16;

struct KvReply {
  KvStatus status = KvStatus::ok;
  CommitIndex index;
  ByteView body;
};

// Nothing unless the bytes are a reply.
[[nodiscard]] std::optional<KvReply> decode_reply(ByteView bytes);

struct KvEntry {
  ByteView key;
  ByteView value;
};

// Goes through the body of a reply to a scan.
class KvEntries {
 public:
  explicit KvEntries(ByteView body);

  // The next entry; nothing at the end, or where the body is damaged.
  [[nodiscard]] std::optional<KvEntry> next();
  [[nodiscard]] bool more() const { return more_; }
  // False when next() met damage.
  [[nodiscard]] bool ok() const { return reader_.ok(); }

 private:
  ByteReader reader_;
  bool more_ = false;
  std::uint32_t left_ = 0;
};

struct KvChange {
  CommitIndex index;
  KvOperation operation = KvOperation::put;  // or erase
  KvEntry entry;                             // of erase the key
};

// Goes through the body of a reply to `changes`.
class KvChangeList {
 public:
  explicit KvChangeList(ByteView body);

  // The next change; nothing at the end, or where the body is damaged.
  [[nodiscard]] std::optional<KvChange> next();
  // Where to go on. Beyond the reply's index: nothing more has happened yet.
  [[nodiscard]] std::uint64_t go_on_from() const { return go_on_from_; }
  // False when the head or next() met damage.
  [[nodiscard]] bool ok() const { return is_whole_ && reader_.ok(); }

 private:
  ByteReader reader_;
  std::uint64_t go_on_from_ = 0;
  std::uint32_t left_ = 0;
  bool is_whole_ = true;
};

// A reply with a body of numbers, for who writes one. `out` has room for stored_reply_bytes_max.
class ReplyWriter {
 public:
  ReplyWriter(ByteSpan out, CommitIndex index) : out_(out), writer_(out.subspan(1)) {
    writer_.write(index.value);
  }
  void add(std::uint64_t number) { writer_.write(number); }
  void add_position(std::uint16_t position) { writer_.write(position); }
  // Returns the reply's length.
  std::size_t finish(KvStatus status) {
    out_[0] = static_cast<std::byte>(status);
    return 1 + writer_.used();
  }

 private:
  ByteSpan out_;
  ByteWriter writer_;
};

}  // namespace mallard::rsm
