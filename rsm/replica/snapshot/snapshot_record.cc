#include "rsm/replica/snapshot/snapshot_record.h"

#include <algorithm>
#include <string_view>

#include "rsm/core/cft/log_entry.h"

namespace mallard::rsm {
namespace {

constexpr std::string_view magic = "MLDSNAP1";

// Whether the bytes are so many messages, each after its length.
bool is_body(ByteView body, std::uint16_t count) {
  ByteReader reader(body);
  std::uint32_t messages = 0;
  while (reader.ok() && reader.remaining() > 0) {
    static_cast<void>(reader.take(reader.read<std::uint32_t>()));
    ++messages;
  }
  return reader.ok() && messages == count && count > 0;
}

}  // namespace

std::size_t write_head(const SnapshotHead& head, ByteSpan out) {
  ByteWriter writer(out);
  writer.write_bytes(std::as_bytes(std::span(magic)));
  writer.write(head.end.lsn);
  writer.write(head.end.chain);
  writer.write(head.end.ballot.value);
  writer.write(head.members.set);
  writer.write(head.members.epoch.value);
  writer.write(head.state.index.value);
  writer.write_bytes(std::as_bytes(std::span(head.state.hash.bytes)));
  writer.write(head.links);
  return writer.used();
}

std::size_t write_link(const SnapshotLink& link, ByteSpan out) {
  ByteWriter writer(out);
  writer.write(link.link.value);
  writer.write(link.generation.value);
  writer.write(link.newest.value);
  writer.write(link.newest_message.value);
  return writer.used();
}

std::size_t write_batch(LinkIndex link, const EgressBatch& batch, ByteSpan out) {
  ByteWriter writer(out);
  writer.write(link.value);
  writer.write(batch.batch.value);
  writer.write(batch.first.value);
  writer.write(batch.count);
  return writer.used();
}

std::size_t write_end(const SnapshotEnd& end, ByteSpan out) {
  ByteWriter writer(out);
  writer.write(end.index.value);
  writer.write(end.term.value);
  return writer.used();
}

std::optional<SnapshotHead> read_head(ByteView payload) {
  ByteReader reader(payload);
  const ByteView name = reader.take(magic.size());
  SnapshotHead head;
  head.end.lsn = reader.read<std::uint64_t>();
  head.end.chain = reader.read<std::uint32_t>();
  head.end.ballot = cft::Ballot(reader.read<std::uint64_t>());
  head.members.set = reader.read<std::uint64_t>();
  head.members.epoch = Epoch(reader.read<std::uint32_t>());
  head.state.index = CommitIndex(reader.read<std::uint64_t>());
  for (std::uint8_t& byte : head.state.hash.bytes) {
    byte = reader.read<std::uint8_t>();
  }
  head.links = reader.read<std::uint16_t>();
  const bool sound = head.end.lsn > 0 && head.end.lsn % cft::entry_alignment == 0 && head.members.set != 0 &&
                     head.members.epoch.value != 0 &&
                     head.state.index.value <= head.end.lsn / cft::entry_alignment;
  const bool whole = reader.ok() && reader.remaining() == 0;
  return whole && sound && std::ranges::equal(name, std::as_bytes(std::span(magic))) ? std::optional(head)
                                                                                     : std::nullopt;
}

std::optional<SnapshotLink> read_link(ByteView payload) {
  ByteReader reader(payload);
  SnapshotLink link;
  link.link = LinkIndex(reader.read<std::uint16_t>());
  link.generation = Generation(reader.read<std::uint32_t>());
  link.newest = BatchNumber(reader.read<std::uint64_t>());
  link.newest_message = MessageNumber(reader.read<std::uint64_t>());
  const bool sound = link.link.value < links_max && link.generation.value != 0 && link.newest.value != 0 &&
                     link.newest.value != UINT64_MAX;
  return reader.ok() && reader.remaining() == 0 && sound ? std::optional(link) : std::nullopt;
}

std::optional<SnapshotBatch> read_batch(ByteView payload) {
  ByteReader reader(payload);
  SnapshotBatch record;
  record.link = LinkIndex(reader.read<std::uint16_t>());
  record.batch.batch = BatchNumber(reader.read<std::uint64_t>());
  record.batch.first = MessageNumber(reader.read<std::uint64_t>());
  record.batch.count = reader.read<std::uint16_t>();
  record.body = reader.take(reader.remaining());
  record.batch.bytes = record.body.size();
  const bool sound = record.batch.batch.value != 0 && record.body.size() <= egress_bytes_min &&
                     is_body(record.body, record.batch.count);
  return reader.ok() && sound ? std::optional(record) : std::nullopt;
}

std::optional<SnapshotEnd> read_end(ByteView payload) {
  ByteReader reader(payload);
  SnapshotEnd end;
  end.index = journal::EntryIndex(reader.read<std::uint64_t>());
  end.term = journal::Term(reader.read<std::uint64_t>());
  return reader.ok() && reader.remaining() == 0 && end.index.value != 0 ? std::optional(end) : std::nullopt;
}

bool SnapshotOrder::take(const SnapshotFrame& frame) {
  if (end_ || begun_ != (frame.kind != FrameKind::head)) {
    return false;
  }
  switch (frame.kind) {
    case FrameKind::head: {
      const auto head = read_head(frame.payload);
      head_ = head.value_or(SnapshotHead{});
      begun_ = head.has_value();
      return begun_;
    }
    case FrameKind::link:
      return take_link(frame.payload);
    case FrameKind::batch:
      return take_batch(frame.payload);
    case FrameKind::state:
      has_state_ = true;
      return links_ == head_.links && frame.payload.size() <= chunk_bytes_max;
    case FrameKind::end:
      end_ = read_end(frame.payload);
      return has_state_ && end_;
  }
  return false;
}

bool SnapshotOrder::take_link(ByteView payload) {
  const auto link = read_link(payload);
  if (!link || has_state_ || links_ == head_.links || (link_ && link->link <= link_->link)) {
    return false;
  }
  link_ = link;
  batch_ = {};
  ++links_;
  return true;
}

bool SnapshotOrder::take_batch(ByteView payload) {
  const auto record = read_batch(payload);
  if (!record || has_state_ || !link_ || record->link != link_->link || record->batch.batch <= batch_ ||
      record->batch.batch > link_->newest) {
    return false;
  }
  batch_ = record->batch.batch;
  return true;
}

}  // namespace mallard::rsm
