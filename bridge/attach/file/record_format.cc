#include "bridge/attach/file/record_format.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "crypto/digest.h"

namespace mallard::bridge::file {
namespace {

constexpr std::uint32_t record_marker = 0x4345'524d;  // "MREC"
constexpr std::string_view magic = "MALLARD1";
constexpr std::size_t head_check_bytes = 12;
constexpr std::size_t head_fields_bytes = record_head_bytes - head_check_bytes;
static_assert(head_fields_bytes == 4 + 4 + 2 + 2 + 8 + 8 + 8 + record_hash_bytes);

template <std::size_t Bytes>
std::array<std::byte, Bytes> shortened(const crypto::Digest& digest) {
  static_assert(Bytes <= sizeof(digest.bytes));
  std::array<std::byte, Bytes> out{};
  std::memcpy(out.data(), digest.bytes.data(), Bytes);
  return out;
}

ByteView view_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

RecordHash read_hash(ByteReader& reader) {
  RecordHash hash{};
  const ByteView bytes = reader.take(hash.size());
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

std::array<std::byte, head_check_bytes> head_check(ByteView fields, const RecordHash& seed,
                                                   std::uint64_t offset) {
  std::array<std::byte, sizeof(RecordHash) + 8 + head_fields_bytes> bound{};
  ByteWriter writer(bound);
  writer.write_bytes(seed);
  writer.write(offset);
  writer.write_bytes(fields.first(head_fields_bytes));
  return shortened<head_check_bytes>(crypto::digest_of(bound));
}

}  // namespace

RecordHash seed_of(LogKind kind, std::string_view name) {
  const std::string bound =
      "mallard log " + std::to_string(static_cast<std::uint32_t>(kind)) + "\n" + std::string(name);
  return shortened<record_hash_bytes>(crypto::digest_of(view_of(bound)));
}

void write_file_head(LogKind kind, const RecordHash& seed, ByteSpan out) {
  ByteWriter writer(out);
  writer.write_bytes(view_of(magic));
  writer.write(static_cast<std::uint32_t>(kind));
  writer.write(std::uint32_t{0});
  writer.write_bytes(seed);
}

const char* check_file_head(LogKind kind, const RecordHash& seed, ByteView bytes) {
  ByteReader reader(bytes);
  const ByteView found = reader.take(magic.size());
  if (!std::ranges::equal(found, view_of(magic))) {
    return "is not a log of this version of Mallard";
  }
  const auto found_kind = reader.read<std::uint32_t>();
  const auto zero = reader.read<std::uint32_t>();
  if (found_kind != static_cast<std::uint32_t>(kind) || zero != 0) {
    return "is another kind of log";
  }
  return read_hash(reader) == seed && reader.ok() ? nullptr : "is the log of another cluster or link";
}

void write_record_head(const RecordHead& head, const RecordHash& seed, std::uint64_t offset, ByteSpan out) {
  ByteWriter writer(out);
  writer.write(record_marker);
  writer.write(head.payload_bytes);
  writer.write(head.messages);
  writer.write(head.proof_bytes);
  writer.write(head.number);
  writer.write(head.first);
  writer.write(head.synced);
  writer.write_bytes(head.previous);
  writer.write_bytes(head_check(out, seed, offset));
}

std::optional<RecordHead> read_record_head(ByteView bytes, const RecordHash& seed, std::uint64_t offset) {
  ByteReader reader(bytes);
  if (reader.read<std::uint32_t>() != record_marker) {
    return std::nullopt;
  }
  RecordHead head;
  head.payload_bytes = reader.read<std::uint32_t>();
  head.messages = reader.read<std::uint16_t>();
  head.proof_bytes = reader.read<std::uint16_t>();
  head.number = reader.read<std::uint64_t>();
  head.first = reader.read<std::uint64_t>();
  head.synced = reader.read<std::uint64_t>();
  head.previous = read_hash(reader);
  const ByteView check = reader.take(head_check_bytes);
  if (!reader.ok() || !std::ranges::equal(check, head_check(bytes, seed, offset))) {
    return std::nullopt;
  }
  const bool in_range = head.payload_bytes >= 1 && head.payload_bytes <= record_payload_bytes_max &&
                        head.messages >= 1 && head.proof_bytes < head.payload_bytes && head.number >= 1 &&
                        head.first >= 1;
  return in_range ? std::optional(head) : std::nullopt;
}

RecordHash record_hash(ByteView head_and_payload) {
  return shortened<record_hash_bytes>(crypto::digest_of(head_and_payload));
}

}  // namespace mallard::bridge::file
