// What is said through the door: the local socket by which the gateway beside a replica, and clients and
// operators on the same machine, talk to the replica process. Plain values; door_codec.h has their bytes.
//
// The order of things on one connection:
//   any role    Hello, answered by Welcome, or by Refused and the end
//   client, operations   Submit, each answered by one Reply, in any order
//   gateway     Attach, answered by a Standing for each link that is open and then Attached; from then on
//               Tap, Credit, Apply, Load and Quacked one way, Batch, Extent, Applied and Loaded the other
// What a role may not say closes the connection.
//
// Bodies (command, bytes, payload) are slots of the pool of whoever holds the value. Who gets a message from
// the door owns one reference to its body; who sends one keeps his own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "config/base/ids.h"
#include "config/base/limits.h"
#include "config/base/payload_ref.h"
#include "config/contract/machine.h"

namespace mallard::transport::door {

// Versions of this language that this program speaks, oldest and newest.
inline constexpr std::uint16_t version_oldest = 1;
inline constexpr std::uint16_t version_newest = 1;
// The first bytes of a connection.
inline constexpr std::uint32_t hello_mark = 0x444c'4c4d;  // "MLLD"

// The largest body of any message: a command, a reply, or a batch with its proof.
inline constexpr std::size_t body_bytes_max =
    command_bytes_max > reply_bytes_max ? command_bytes_max : reply_bytes_max;
static_assert(batch_bytes_max + proof_bytes_max <= body_bytes_max);

enum class Role : std::uint8_t {
  client = 1,  // submits commands under the prefixes that it is allowed
  gateway,     // the sidecar of this replica: one at a time, the newest
  operations,  // an operator: submits any command
};

// Who may say a message; a bit for each role, and one for the replica.
inline constexpr unsigned said_by_client = 1U << 1;
inline constexpr unsigned said_by_gateway = 1U << 2;
inline constexpr unsigned said_by_operations = 1U << 3;
inline constexpr unsigned said_by_replica = 1U << 4;

// ---- Any role ----------------------------------------------------------------------------------------

struct Hello {
  static constexpr std::uint8_t kind = 1;
  static constexpr unsigned said_by = said_by_client | said_by_gateway | said_by_operations;
  std::uint32_t mark = hello_mark;
  std::uint16_t oldest = version_oldest;  // versions that the caller speaks: oldest to newest
  std::uint16_t newest = version_newest;
  Role role = Role::client;
};

struct Welcome {
  static constexpr std::uint8_t kind = 2;
  static constexpr unsigned said_by = said_by_replica;
  std::uint16_t version = version_newest;  // the highest that both speak
  ReplicaAddress replica;                  // whose door this is
  Incarnation incarnation;                 // of the replica process
  std::uint32_t unanswered_max = 0;        // requests that this connection may have unanswered
};

enum class Refusal : std::uint8_t {
  version = 1,  // no common version
  role,         // no place left for this role, or a message that the role may not say
  malformed,    // not a message of this language
};

// The last message of a connection, as far as the socket still takes it.
struct Refused {
  static constexpr std::uint8_t kind = 3;
  static constexpr unsigned said_by = said_by_replica;
  Refusal reason = Refusal::malformed;
};

// ---- Clients and operators ---------------------------------------------------------------------------

// Execute a command of the machine (config/contract/machine.h). Sessions are part of the command; the replica
// writes into it who the client is, from the credentials of the socket.
struct Submit {
  static constexpr std::uint8_t kind = 4;
  static constexpr unsigned said_by = said_by_client | said_by_operations;
  std::uint64_t request = 0;  // of this connection: each higher than the one before, from 1
  PayloadRef command;         // 1 to command_bytes_max bytes
  // It is a read, and this replica answers it at once, whoever leads, from what it has executed so far: the
  // answer may lag behind. Anything but a read is refused then.
  bool local = false;
};

enum class ReplyStatus : std::uint8_t {
  done = 1,         // executed, and durable as the cluster's durability says; `bytes` is the machine's reply
  not_leader,       // not executed: ask the leader, if one is named, or anyone later
  busy,             // not executed: too much is waiting
  unknown_outcome,  // may be executed or not, now or later: repeat it in its session to find out
  refused,          // not executed: it is no command, or none that a caller may ask for here
  forbidden,        // not executed: it is outside of what this client may use
  not_ready,        // not executed: the replica has not begun yet; `bytes` says what it waits for, for people
};

struct Reply {
  static constexpr std::uint8_t kind = 5;
  static constexpr unsigned said_by = said_by_replica;
  std::uint64_t request = 0;
  ReplyStatus status = ReplyStatus::done;
  bool leader_known = false;  // not_leader only
  ReplicaIndex leader;
  PayloadRef bytes;  // done and not_ready only; may be empty
};

// ---- The gateway -------------------------------------------------------------------------------------

// Names the consecutive messages of one batch, as in the bridge: count is 1 to batch_messages_max.
struct BatchRange {
  BatchNumber batch;
  MessageNumber first;
  std::uint16_t count = 0;
  [[nodiscard]] MessageNumber last() const { return MessageNumber(first.value + count - 1U); }
  friend constexpr bool operator==(const BatchRange&, const BatchRange&) = default;
};

struct Attach {
  static constexpr std::uint8_t kind = 6;
  static constexpr unsigned said_by = said_by_gateway;
  Incarnation incarnation;  // of the gateway process
  Epoch epoch;              // of the own cluster, as the gateway knows it
};

// Where the replica's state stands on one link in one direction (LinkStanding of the machine). Sent again,
// also after Attached, when a LinkOpen is decided: a gateway that waits for a link hears of it.
struct Standing {
  static constexpr std::uint8_t kind = 7;
  static constexpr unsigned said_by = said_by_replica;
  LinkIndex link;
  LinkDirection direction = LinkDirection::outbound;
  Generation generation;
  BatchNumber oldest_readable;  // outbound: the oldest batch whose body is still there; inbound: 0
  BatchNumber batch;            // outbound: the newest; inbound: the durable cursor
  MessageNumber message;        // likewise
};

struct Attached {
  static constexpr std::uint8_t kind = 8;
  static constexpr unsigned said_by = said_by_replica;
  std::uint16_t standings = 0;  // that were sent before this
  Fence fence;
};

// Send the batches after `after` on an outbound link, as far as Credit reaches. Ends the tap that this
// connection had on the link; `serial` tells them apart.
struct Tap {
  static constexpr std::uint8_t kind = 9;
  static constexpr unsigned said_by = said_by_gateway;
  LinkIndex link;
  std::uint32_t serial = 0;
  BatchNumber after;
};

// This many more batches may be sent on the tap; a new tap has none. Of a tap that has ended it means
// nothing.
struct Credit {
  static constexpr std::uint8_t kind = 10;
  static constexpr unsigned said_by = said_by_gateway;
  LinkIndex link;
  std::uint32_t serial = 0;
  std::uint32_t batches = 0;
};

// The next batch of the tap, committed and durable, one after the other.
struct Batch {
  static constexpr std::uint8_t kind = 11;
  static constexpr unsigned said_by = said_by_replica;
  LinkIndex link;
  std::uint32_t serial = 0;
  Generation generation;
  BatchRange range;
  std::uint16_t proof_bytes = 0;
  PayloadRef payload;  // messages, each as u32 length and bytes, then proof_bytes of proof
};

// How far an outbound link reaches, and from where on its bodies are there. Sent whenever it has moved, at
// most once per turn of the replica's loop. Neither number goes back within a generation.
struct Extent {
  static constexpr std::uint8_t kind = 12;
  static constexpr unsigned said_by = said_by_replica;
  LinkIndex link;
  Generation generation;
  BatchNumber oldest_readable;
  BatchNumber newest;
  MessageNumber newest_message;
};

// Have the batch executed on an inbound link, where it continues the cursor and generation and fence match;
// else it is a no-op. The replica keeps the order, and proposes it whenever it leads, until its cursor is at
// or beyond it or the connection ends. Orders of a link come without gaps.
struct Apply {
  static constexpr std::uint8_t kind = 13;
  static constexpr unsigned said_by = said_by_gateway;
  LinkIndex link;
  Generation generation;
  Epoch source_epoch;
  Epoch destination_epoch;
  Fence fence;
  BatchRange range;
  std::uint16_t proof_bytes = 0;
  PayloadRef payload;
};

// The durable cursor of an inbound link has moved, by whomever's order. The newest stands for those before.
struct Applied {
  static constexpr std::uint8_t kind = 14;
  static constexpr unsigned said_by = said_by_replica;
  LinkIndex link;
  Generation generation;
  BatchNumber cursor;
  MessageNumber cursor_message;
};

// Read an applied batch of an inbound link back.
struct Load {
  static constexpr std::uint8_t kind = 15;
  static constexpr unsigned said_by = said_by_gateway;
  std::uint64_t request = 0;
  LinkIndex link;
  BatchNumber batch;
};

struct Loaded {
  static constexpr std::uint8_t kind = 16;
  static constexpr unsigned said_by = said_by_replica;
  std::uint64_t request = 0;
  LinkIndex link;
  bool found = false;
  BatchRange range;  // not found: zeros
  std::uint16_t proof_bytes = 0;
  PayloadRef payload;
};

// A correct replica of the destination holds everything up to `through`: the bodies may go.
struct Quacked {
  static constexpr std::uint8_t kind = 17;
  static constexpr unsigned said_by = said_by_gateway;
  LinkIndex link;
  Generation generation;
  BatchNumber through;
};

// The machine's fence was raised to this since Attached: an Apply of an older one is refused from there on,
// and the replica has forgotten those that it held. Said once everything that was applied until then has been
// told, so that a cursor that moves later was moved by orders of this fence, or of a newer one.
struct Fenced {
  static constexpr std::uint8_t kind = 18;
  static constexpr unsigned said_by = said_by_replica;
  Fence fence;
};

using DoorMessage = std::variant<Hello, Welcome, Refused, Submit, Reply, Attach, Standing, Attached, Tap,
                                 Credit, Batch, Extent, Apply, Applied, Load, Loaded, Quacked, Fenced>;
static_assert(sizeof(DoorMessage) <= 96, "messages are passed by value");

}  // namespace mallard::transport::door
