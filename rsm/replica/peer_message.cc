#include "rsm/replica/peer_message.h"

namespace mallard::rsm {
namespace {

enum class Kind : std::uint8_t { snapshot_wanted = 1, snapshot_piece = 2, store_seen = 3 };

void write_digest(ByteWriter& writer, const crypto::Digest& digest) {
  writer.write_bytes(std::as_bytes(std::span(digest.bytes)));
}

crypto::Digest read_digest(ByteReader& reader) {
  crypto::Digest digest;
  for (std::uint8_t& byte : digest.bytes) {
    byte = reader.read<std::uint8_t>();
  }
  return digest;
}

void write_witness(ByteWriter& writer, const journal::Witness& witness) {
  writer.write(witness.incarnation.value);
  writer.write(witness.generation);
  writer.write(witness.records);
}

journal::Witness read_witness(ByteReader& reader) {
  journal::Witness witness;
  witness.incarnation = Incarnation(reader.read<std::uint64_t>());
  witness.generation = reader.read<std::uint64_t>();
  witness.records = reader.read<std::uint64_t>();
  return witness;
}

bool is_sound(const SnapshotPiece& piece) {
  if (piece.bytes == 0) {
    return piece.offset == 0 && piece.body.bytes == 0;
  }
  return piece.body.bytes > 0 && piece.body.bytes <= snapshot_piece_bytes_max && piece.offset < piece.bytes &&
         piece.body.bytes <= piece.bytes - piece.offset;
}

}  // namespace

std::size_t encode_peer_message(const PeerMessage& message, ByteSpan out) {
  ByteWriter writer(out);
  if (const auto* wanted = std::get_if<SnapshotWanted>(&message)) {
    writer.write(static_cast<std::uint8_t>(Kind::snapshot_wanted));
    writer.write(wanted->at_least);
    write_digest(writer, wanted->snapshot);
    writer.write(wanted->offset);
  } else if (const auto* piece = std::get_if<SnapshotPiece>(&message)) {
    writer.write(static_cast<std::uint8_t>(Kind::snapshot_piece));
    write_digest(writer, piece->snapshot);
    writer.write(piece->bytes);
    writer.write(piece->offset);
  } else if (const auto* seen = std::get_if<StoreSeen>(&message)) {
    writer.write(static_cast<std::uint8_t>(Kind::store_seen));
    write_witness(writer, seen->own);
    write_witness(writer, seen->yours);
  }
  return writer.used();
}

std::optional<PeerMessage> decode_peer_message(ByteView head, PayloadRef body) {
  ByteReader reader(head);
  const auto kind = static_cast<Kind>(reader.read<std::uint8_t>());
  if (kind == Kind::snapshot_wanted) {
    SnapshotWanted wanted;
    wanted.at_least = reader.read<std::uint64_t>();
    wanted.snapshot = read_digest(reader);
    wanted.offset = reader.read<std::uint64_t>();
    const bool sound = reader.ok() && reader.remaining() == 0 && body.bytes == 0;
    return sound ? std::optional<PeerMessage>(wanted) : std::nullopt;
  }
  if (kind == Kind::snapshot_piece) {
    SnapshotPiece piece{.body = body};
    piece.snapshot = read_digest(reader);
    piece.bytes = reader.read<std::uint64_t>();
    piece.offset = reader.read<std::uint64_t>();
    const bool sound = reader.ok() && reader.remaining() == 0 && is_sound(piece);
    return sound ? std::optional<PeerMessage>(piece) : std::nullopt;
  }
  if (kind == Kind::store_seen) {
    StoreSeen seen;
    seen.own = read_witness(reader);
    seen.yours = read_witness(reader);
    const bool sound = reader.ok() && reader.remaining() == 0 && body.bytes == 0;
    return sound ? std::optional<PeerMessage>(seen) : std::nullopt;
  }
  return {};
}

PayloadRef body_of(const PeerMessage& message) {
  const auto* piece = std::get_if<SnapshotPiece>(&message);
  return piece == nullptr ? PayloadRef{} : piece->body;
}

}  // namespace mallard::rsm
