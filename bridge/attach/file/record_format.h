// The bytes of both logs of an attachment: a file head, then records one after the other, each bound to its
// place and to everything before it. Little-endian.
//
//   file head   8 bytes "MALLARD1", u32 kind, u32 zero, 16 bytes of the digest of the log's name        = 32
//   bytes record      head, payload, 16 bytes of the digest of head and payload (the record's hash) head u32
//   marker, u32 payload bytes, u16 messages, u16 proof bytes, u64 number, u64 first message,
//               u64 synced, 16 bytes hash of the record before (of the name, for the first),
//               12 bytes of the digest of the name, the head's offset and everything in the head so far  = 64
//               bytes
//   payload     the messages, each as u32 length and bytes, then proof bytes
//
// The hash of the last record is the rolling hash of the whole log: two logs of one name with equal last
// hashes are equal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/base/bytes.h"

namespace mallard::bridge::file {

inline constexpr std::size_t file_head_bytes = 32;
inline constexpr std::size_t record_head_bytes = 64;
inline constexpr std::size_t record_hash_bytes = 16;
inline constexpr std::size_t record_overhead_bytes = record_head_bytes + record_hash_bytes;
// Payload of one record: a committed entry may be cut into several batches.
inline constexpr std::size_t record_payload_bytes_max = 4U << 20;

enum class LogKind : std::uint32_t { committed = 1, delivered = 2 };

using RecordHash = std::array<std::byte, record_hash_bytes>;

struct RecordHead {
  std::uint32_t payload_bytes = 0;  // 1 .. record_payload_bytes_max
  std::uint16_t messages = 0;       // at least 1
  std::uint16_t proof_bytes = 0;    // below payload_bytes
  std::uint64_t number = 0;         // of the entry or batch: 1, 2, 3 ...
  std::uint64_t first = 0;          // number of its first message
  std::uint64_t synced = 0;  // the file was known to be durable up to this offset when the record was written
  RecordHash previous{};
};

// Where a log goes on: what the next record must continue.
struct RecordPosition {
  std::uint64_t offset = file_head_bytes;
  std::uint64_t number = 0;        // of the record before
  std::uint64_t next_message = 1;  // its first + messages
  RecordHash previous{};
};

// The name's digest: the `previous` of the first record.
[[nodiscard]] RecordHash seed_of(LogKind kind, std::string_view name);

void write_file_head(LogKind kind, const RecordHash& seed, ByteSpan out);
// What is wrong with it, as a literal, or nullptr.
[[nodiscard]] const char* check_file_head(LogKind kind, const RecordHash& seed, ByteView bytes);

void write_record_head(const RecordHead& head, const RecordHash& seed, std::uint64_t offset, ByteSpan out);
// Nothing where these 64 bytes were not written as a head of this log at this offset.
[[nodiscard]] std::optional<RecordHead> read_record_head(ByteView bytes, const RecordHash& seed,
                                                         std::uint64_t offset);

// The digest of a record's head and payload, which lie one after the other.
[[nodiscard]] RecordHash record_hash(ByteView head_and_payload);

}  // namespace mallard::bridge::file
