// What gateways order of the machine: to open a generation of a link, and to apply a batch that came over
// one. All integers little-endian; the bodies of link_open and link_apply (kv_command.h).
//
//   link_open   u16 link, u8 direction (1 outbound, 2 inbound), u32 generation, prefixes: u16 bytes and so
//   many link_apply  u16 link, u32 generation, u64 fence, u64 batch, u64 first k', u16 messages, u16 proof
//   bytes,
//               the messages: u32 bytes and so many each, the proof
//   a message   u32 key bytes, key, then 'P' and a value, 'D', or 'I' and the u64 to add
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/contract/machine.h"
#include "rsm/machine/kv_command.h"

namespace mallard::rsm {

// Numbers a link anew from the entry in which this is executed on. Executed only if the generation is above
// that of the link in this direction.
struct LinkOpenOrder {
  LinkIndex link;
  LinkDirection direction = LinkDirection::outbound;
  Generation generation;
  // Outbound: keys that start with one of these go over the link; none: all keys. In encoded form.
  ByteView prefixes;
};

// Applies one batch, with the cursor. Executed only if generation and fence are the machine's and the batch
// is the next one; else it changes nothing, so any number of gateways may order the same.
struct LinkApplyOrder {
  LinkIndex link;
  Generation generation;
  Fence fence;
  BatchNumber batch;
  MessageNumber first;
  std::uint16_t count = 0;  // at least 1
  ByteView messages;        // exactly `count`, each of 1 to message_bytes_max bytes, in encoded form
  ByteView proof;           // not looked at by the machine: it is checked before the log
};

// Nothing unless the body is exactly one order within the limits.
[[nodiscard]] std::optional<LinkOpenOrder> decode_link_open(ByteView body);
[[nodiscard]] std::optional<LinkApplyOrder> decode_link_apply(ByteView body);

// Whether the bytes are prefixes in encoded form.
[[nodiscard]] bool are_prefixes(ByteView bytes);

// The next prefix, or message, of an order that was decoded.
[[nodiscard]] ByteView next_prefix(ByteReader& prefixes);
[[nodiscard]] ByteView next_message(ByteReader& messages);

// What a message of a link writes; nothing if it is none that this machine could execute.
[[nodiscard]] std::optional<KvWrite> write_of(ByteView message);

// In front of each message of a batch.
inline constexpr std::size_t message_length_bytes = 4;
// Bytes of the message of a write, and the message itself at the front of `out`, which has room for it.
[[nodiscard]] std::size_t message_bytes(const KvWrite& write);
void write_message(const KvWrite& write, ByteSpan out);

// Whole commands, for who orders them.
[[nodiscard]] std::vector<std::byte> encode_link_open(LinkIndex link, LinkDirection direction,
                                                      Generation generation,
                                                      std::span<const std::string_view> prefixes);
// `order.messages` and `order.proof` in encoded form, as they came over the link.
[[nodiscard]] std::vector<std::byte> encode_link_apply(const LinkApplyOrder& order);
// The same without a place of its own: its bytes, and the command at the front of `out`, which has room for
// them.
[[nodiscard]] std::size_t link_apply_bytes(const LinkApplyOrder& order);
void write_link_apply(const LinkApplyOrder& order, ByteSpan out);

}  // namespace mallard::rsm
