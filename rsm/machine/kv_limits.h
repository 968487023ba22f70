// What the key-value machine refuses to grow beyond. Requests above a limit are answered by a status.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/limits.h"
#include "config/contract/machine.h"

namespace mallard::rsm {

inline constexpr std::size_t key_bytes_max = 1U << 10;  // at least 1
inline constexpr std::size_t value_bytes_max = 1U << 20;
inline constexpr std::size_t txn_guards_max = 128;
inline constexpr std::size_t txn_writes_max = 128;
// Of its writes, as messages of one batch: what is one command here is one on the other side of a link, too.
inline constexpr std::size_t txn_bytes_max = batch_bytes_max;
inline constexpr std::size_t scan_bytes_max = 1U
                                              << 20;  // of entries in one reply, unless the first is larger
inline constexpr std::size_t scan_entry_head_bytes = 6;
inline constexpr std::size_t reply_head_bytes = 9;
// Replies to commands that change something are kept with their session.
inline constexpr std::size_t stored_reply_bytes_max = reply_head_bytes + 8 * txn_writes_max;
// Of the answer to `changes`, and of each change in it.
inline constexpr std::size_t changes_head_bytes = 12;
inline constexpr std::size_t change_head_bytes = 15;
// What one entry can change, as changes: a batch of the smallest messages, whose own heads are 9 bytes.
inline constexpr std::size_t history_bytes_min =
    batch_bytes_max + (change_head_bytes - 9) * batch_messages_max;
inline constexpr std::size_t link_filter_bytes_max = 4U << 10;
inline constexpr std::size_t system_key_bytes_max = 16;
inline constexpr std::size_t system_value_bytes_max = 8U << 10;
inline constexpr std::uint32_t sessions_limit = 65'536;

static_assert(reply_head_bytes + 5 + scan_entry_head_bytes + key_bytes_max + value_bytes_max <=
              reply_bytes_max);
static_assert(reply_head_bytes + 5 + scan_bytes_max <= reply_bytes_max);
static_assert(change_head_bytes + key_bytes_max + value_bytes_max <= history_bytes_min);
static_assert(reply_head_bytes + changes_head_bytes + history_bytes_min <= reply_bytes_max);
static_assert(batch_bytes_max + proof_bytes_max + 1024 <= command_bytes_max, "a batch is one command");
static_assert(key_bytes_max + value_bytes_max + 1024 <= command_bytes_max, "the largest put is one command");

}  // namespace mallard::rsm
