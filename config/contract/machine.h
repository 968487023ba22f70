// The port between a replica and the state machine that it replicates. Whoever holds a Machine feeds it the
// decided log and asks it for replies, views, roots and snapshots; it knows nothing of what commands mean.
//
// Rules for both sides:
// - One thread. All calls come from the loop of the replica. No call blocks, waits or throws.
// - Determinism. Machines that were made with equal settings and fed the same commands at the same indexes
//   have the same state, give the same replies and emit the same link messages, on every computer and
//   compiler (reliability.md 2.8, H2). Views, exports and how often anything is asked change nothing of that:
//   memory is accounted by content, never by what the allocator happens to hold.
// - No aborts. Commands and chunks are foreign bytes. Whatever they say is answered by a status in the reply
//   or by a MachineFault. Only a caller that breaks a rule of this header trips an invariant.
// - Bounds. Everything is allocated when the machine is made. A full machine answers `full` in replies.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/base/result.h"

namespace mallard {

// Position of an entry in a cluster's decided log. The first is 1; 0 means "nothing applied yet".
using CommitIndex = StrongId<struct CommitIndexTag, std::uint64_t>;

// The largest command a machine can be given; also the most that a log entry need carry. A batch of a link
// with its proof fits.
inline constexpr std::size_t command_bytes_max = (1U << 20) + (64U << 10);
// Room for the largest reply.
inline constexpr std::size_t reply_bytes_max = (1U << 20) + (64U << 10);
// The largest chunk of an export: what one export_chunk() writes and one import_chunk() takes.
inline constexpr std::size_t chunk_bytes_max = 256U << 10;
inline constexpr std::size_t export_cursor_bytes_max = 1040;
// Views that may be open at a time.
inline constexpr std::size_t machine_views_max = 16;

// A BLAKE2b-256 digest of state. All zeros stands for "no entries".
struct StateDigest {
  std::array<std::uint8_t, 32> bytes{};
  friend constexpr auto operator<=>(const StateDigest&, const StateDigest&) = default;
};

// The keys k with from <= k < to in the order of unsigned bytes, a key before its extensions. Without `to`
// there is no upper end. Borrowed bytes of any length.
struct KeyRange {
  ByteView from;
  std::optional<ByteView> to;
};

// Names an open view. ViewId{} is the current state, always open, never lost.
struct ViewId {
  std::uint32_t slot = 0;
  std::uint32_t opened = 0;
  friend constexpr bool operator==(ViewId, ViewId) = default;
};

enum class MachineFault : std::uint8_t {
  view_lost,         // the view was closed, or given up for memory (see open_view); open another
  no_view_left,      // machine_views_max are open
  chunk_damaged,     // wrong format or checksum: not a chunk, or broken on its way; nothing changed
  chunk_unexpected,  // of another state, or not the one that continues the import; nothing changed
  chunk_hostile,     // cannot be part of any state: disorder, or beyond a limit. The import is over
  root_differs,      // the last chunk came, and the whole is not what was announced. The import is over
  settings_differ,   // the state was made under other limits than this machine's. The import is over
  not_importing,     // import_chunk() without begin_import(), or after the import was over
};

// What an executed command did to one outbound link. Views are valid during the call of the sink only.
struct LinkMessage {
  LinkIndex link;
  Generation generation;
  MessageNumber number;  // k': one more than the link's message before, 1 after its LinkOpen
  BatchNumber batch;  // likewise; batches are cut by batch_bytes_max, batch_messages_max and the entry's end
  CommitIndex index;  // the entry that did it
  // u32 key bytes, key, then 'P' and the new value, 'D', or 'I' and the u64 that was added: what messages
  // with keys look like on every attachment. At most message_bytes_max.
  ByteView message;
};

// Takes the link messages of the entry that is being applied, in order of k' per link. Feeding the same log
// again after a restart or from a snapshot emits the same messages under the same numbers: a gateway that
// keeps the bodies drops those it has, and none of it needs storage of its own.
class EgressSink {
 public:
  virtual ~EgressSink() = default;
  virtual void emit(const LinkMessage& message) = 0;
};

// Where a link stands in the state; what a gateway asks at start.
struct LinkStanding {
  Generation generation;
  CommitIndex opened_at;        // the decided LinkOpen
  MessageNumber message;        // outbound: the last k' that was given; inbound: the last that was applied
  BatchNumber batch;            // likewise
  StateDigest rolling_hash;     // over all messages up to `message`; both ends of a link compute the same
  std::uint64_t conflicts = 0;  // inbound: records that could not be executed here and were passed over
};

enum class LinkDirection : std::uint8_t { outbound, inbound };

// What one chunk of an export is and how to go on. Any machine with a view of the same state goes on from a
// cursor, so an import may change its source, and one that was interrupted resumes.
struct ExportCursor {
  std::array<std::byte, export_cursor_bytes_max> bytes{};
  std::uint16_t size = 0;  // 0: from the beginning
};

struct ExportedChunk {
  std::size_t bytes = 0;  // written
  ExportCursor next;
  bool last = false;
};

// What a state must prove to be, from a source that is trusted for it (r + 1 replicas, or an own superblock).
struct StateIdentity {
  CommitIndex index;
  StateDigest hash;  // state_hash() there
  friend constexpr bool operator==(const StateIdentity&, const StateIdentity&) = default;
};

class Machine {
 public:
  virtual ~Machine() = default;

  // Executes the command decided at `index`, which is above applied(); indexes in between were the engine's
  // own entries. Commands may be any bytes of at most command_bytes_max. Writes the reply to the front of
  // `reply`, which has room for reply_bytes_max or is empty where nobody waits for it, and returns its length
  // (0 if empty). Every reply carries `index`. What a command emits on links goes to `egress` before the call
  // returns. The bytes stay the caller's.
  virtual std::size_t apply(CommitIndex index, ByteView command, ByteSpan reply, EgressSink& egress) = 0;

  // The last index given to apply(), or that of the imported state.
  [[nodiscard]] virtual CommitIndex applied() const = 0;

  // Whether the command changes nothing, so that query() answers it without the log once applied() has
  // reached a read index. Malformed commands are reads: they are refused the same everywhere.
  [[nodiscard]] virtual bool is_read(ByteView command) const = 0;

  // Freezes the current state, in constant time. Reads of the view stay what they are while applies go on,
  // until it is closed. Versions that only views still see share a fixed memory; when writes have used it up,
  // the oldest view is given up, and every later use of it answers view_lost. Applies never fail or wait
  // because of views.
  [[nodiscard]] virtual Result<ViewId, MachineFault> open_view() = 0;
  // Closing one that is lost or closed already does nothing.
  virtual void close_view(ViewId view) = 0;
  [[nodiscard]] virtual Result<CommitIndex, MachineFault> index_of(ViewId view) const = 0;

  // Answers a read at the view; the reply carries the view's index. As apply() otherwise; a command that is
  // no read is refused in the reply.
  [[nodiscard]] virtual Result<std::size_t, MachineFault> query(ViewId view, ByteView command,
                                                                ByteSpan reply) = 0;

  // Merkle root of what clients stored under the keys of the range. Depends on these keys and values alone,
  // not on how they came about nor on what is stored outside of the range: two clusters, or a cluster and its
  // mirror, compare ranges and halve those that differ. O(depth) where nothing in the range changed since it
  // was last asked.
  [[nodiscard]] virtual Result<StateDigest, MachineFault> root(ViewId view, KeyRange range) = 0;
  // Digest of everything that decides what comes later (entries, sessions, links, fence, limits) and of the
  // index.
  [[nodiscard]] virtual Result<StateDigest, MachineFault> state_hash(ViewId view) = 0;

  // Writes the next chunk of the view after `cursor` to `out`, which has room for chunk_bytes_max. A chunk
  // checks itself and names the state that it is of. view_lost: start again at another view.
  [[nodiscard]] virtual Result<ExportedChunk, MachineFault> export_chunk(ViewId view,
                                                                         const ExportCursor& cursor,
                                                                         ByteSpan out) = 0;

  // Drops the current state and every view, and waits for the chunks of `state`, in order. Until the last one
  // has come the machine is empty at index 0, and only the functions of importing may be called.
  virtual void begin_import(const StateIdentity& state) = 0;
  // Takes the chunk that continues the import; at most chunk_bytes_max. True: it was the last, the whole is
  // what was announced, and the machine stands there. After chunk_damaged or chunk_unexpected the import goes
  // on, from the same source or another. After a fault that ends it the machine is empty: ban the source,
  // begin again.
  [[nodiscard]] virtual Result<bool, MachineFault> import_chunk(ByteView chunk) = 0;
  // Where the import goes on; the cursor to ask the next chunk by.
  [[nodiscard]] virtual ExportCursor import_cursor() const = 0;

  // Where the current state stands on a link; nothing if it was never opened in this direction.
  [[nodiscard]] virtual std::optional<LinkStanding> link(LinkIndex link, LinkDirection direction) const = 0;
  // The promotion count: applies and guarded writes of an older one are refused.
  [[nodiscard]] virtual Fence fence() const = 0;
};

}  // namespace mallard
