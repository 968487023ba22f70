#include "bridge/wire/frame_codec.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

namespace mallard::bridge::wire {
namespace {

constexpr unsigned flag_wants_ack = 1U << 0;
constexpr unsigned flag_batch = 1U << 1;
constexpr unsigned flag_pull = 1U << 2;
constexpr unsigned positions_shift = 3;
constexpr unsigned acks_shift = 5;
constexpr unsigned section_count_mask = 3;
constexpr unsigned flag_reserved = 1U << 7;
static_assert(sections_per_frame_max <= section_count_mask);

constexpr std::uint16_t no_hint = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint32_t round_max = std::numeric_limits<std::uint8_t>::max();

void write_stamp(Stamp stamp, ByteWriter& writer) {
  MALLARD_INVARIANT(stamp.value <= stamp_max);
  writer.write(static_cast<std::uint32_t>(stamp.value & 0xffff'ffffU));
  writer.write(static_cast<std::uint16_t>(stamp.value >> 32));
}

Stamp read_stamp(ByteReader& reader) {
  const std::uint64_t low = reader.read<std::uint32_t>();
  const std::uint64_t high = reader.read<std::uint16_t>();
  return Stamp(high << 32 | low);
}

void write_context(const LinkContext& context, ByteWriter& writer) {
  writer.write(context.link.value);
  writer.write(context.generation.value);
  writer.write(context.source_epoch.value);
  writer.write(context.destination_epoch.value);
}

LinkContext read_context(ByteReader& reader) {
  LinkContext context;
  context.link = LinkIndex(reader.read<std::uint16_t>());
  context.generation = Generation(reader.read<std::uint32_t>());
  context.source_epoch = Epoch(reader.read<std::uint32_t>());
  context.destination_epoch = Epoch(reader.read<std::uint32_t>());
  return context;
}

std::uint16_t hint_distance(BatchNumber quacked, BatchNumber batch) {
  if (quacked.value == 0 || quacked > batch || batch.value - quacked.value >= no_hint) {
    return no_hint;
  }
  return static_cast<std::uint16_t>(batch.value - quacked.value);
}

void write_batch(const BatchSection& batch, ByteWriter& writer) {
  MALLARD_INVARIANT(batch.header.count >= 1 && batch.header.count <= batch_messages_max);
  MALLARD_INVARIANT(batch.proof_bytes <= proof_bytes_max);
  write_context(batch.context, writer);
  writer.write(batch.header.batch.value);
  writer.write(batch.header.first.value);
  writer.write(batch.header.count);
  writer.write(static_cast<std::uint8_t>(std::min(batch.round, round_max)));
  writer.write(batch.attempt);
  writer.write(hint_distance(batch.quacked, batch.header.batch));
  writer.write(batch.proof_bytes);
}

// Reading goes on after a short read, with zeros; decode_head() asks the reader once at the end. A section's
// own error counts only if the head was long enough to say it.
using SectionError = std::optional<FrameError>;

SectionError read_batch(ByteReader& reader, PayloadRef body, BatchSection& batch) {
  batch.context = read_context(reader);
  batch.header.batch = BatchNumber(reader.read<std::uint64_t>());
  batch.header.first = MessageNumber(reader.read<std::uint64_t>());
  batch.header.count = reader.read<std::uint16_t>();
  batch.round = reader.read<std::uint8_t>();
  batch.attempt = reader.read<std::uint8_t>();
  const auto distance = reader.read<std::uint16_t>();
  batch.proof_bytes = reader.read<std::uint16_t>();
  batch.payload = body;
  const BatchHeader& header = batch.header;
  if (header.batch.value == 0 || header.first.value == 0 || header.count == 0 ||
      header.count > batch_messages_max ||
      header.first.value > std::numeric_limits<std::uint64_t>::max() - (header.count - 1U) ||
      batch.proof_bytes > proof_bytes_max) {
    return FrameError::out_of_range;
  }
  if (distance != no_hint) {
    if (distance >= header.batch.value) {
      return FrameError::out_of_range;
    }
    batch.quacked = BatchNumber(header.batch.value - distance);
  }
  if (body.bytes == 0 || batch.proof_bytes >= body.bytes) {
    return FrameError::body_mismatch;
  }
  if (body.bytes - batch.proof_bytes > batch_bytes_max) {
    return FrameError::out_of_range;
  }
  return std::nullopt;
}

PositionSection read_position(ByteReader& reader) {
  PositionSection position;
  position.context = read_context(reader);
  position.quacked = BatchNumber(reader.read<std::uint64_t>());
  position.committed = BatchNumber(reader.read<std::uint64_t>());
  position.committed_message = MessageNumber(reader.read<std::uint64_t>());
  return position;
}

SectionError read_ack(ByteReader& reader, AckSection& ack) {
  ack.context = read_context(reader);
  ack.prefix = BatchNumber(reader.read<std::uint64_t>());
  ack.durable = BatchNumber(reader.read<std::uint64_t>());
  const std::size_t words = reader.read<std::uint16_t>();
  if (words > phi_bits_max / 64) {
    return FrameError::out_of_range;
  }
  ack.phi = PhiList(reader.take(words * 8));
  if (!reader.ok() || words == 0) {
    return std::nullopt;
  }
  // Bit 0 stands for a batch that the prefix would have covered.
  if (ack.phi.word(words - 1) == 0 || (ack.phi.word(0) & 1U) != 0) {
    return FrameError::not_canonical;
  }
  return std::nullopt;
}

SectionError read_pull(ByteReader& reader, PullSection& pull) {
  pull.context = read_context(reader);
  const std::size_t count = reader.read<std::uint16_t>();
  if (count == 0) {
    return FrameError::not_canonical;
  }
  if (count > pulls_per_frame_max) {
    return FrameError::out_of_range;
  }
  for (std::size_t i = 0; i < count; ++i) {
    pull.batches.push_back(BatchNumber(reader.read<std::uint64_t>()));
    if (pull.batches.back().value == 0) {
      return FrameError::out_of_range;
    }
  }
  return std::nullopt;
}

SectionError read_sections(unsigned flags, ByteReader& reader, PayloadRef body, Frame& frame) {
  frame.has_batch = (flags & flag_batch) != 0;
  if (frame.has_batch) {
    if (const SectionError error = read_batch(reader, body, frame.batch)) {
      return error;
    }
  } else if (body.bytes != 0) {
    return FrameError::body_mismatch;
  }
  for (unsigned i = 0; i < ((flags >> positions_shift) & section_count_mask); ++i) {
    frame.positions.push_back(read_position(reader));
  }
  for (unsigned i = 0; i < ((flags >> acks_shift) & section_count_mask); ++i) {
    AckSection ack;
    if (const SectionError error = read_ack(reader, ack)) {
      return error;
    }
    frame.acks.push_back(ack);
  }
  frame.has_pull = (flags & flag_pull) != 0;
  return frame.has_pull ? read_pull(reader, frame.pull) : std::nullopt;
}

}  // namespace

const char* describe(FrameError error) {
  switch (error) {
    case FrameError::truncated:
      return "frame ends inside a field";
    case FrameError::trailing_bytes:
      return "frame goes on after its last section";
    case FrameError::out_of_range:
      return "frame has a number outside its range";
    case FrameError::not_canonical:
      return "frame has a longer encoding than needed";
    case FrameError::body_mismatch:
      return "frame's body does not fit its batch section";
  }
  return "frame is malformed";
}

void write_front(const SendFrame& frame, ByteWriter& writer) {
  MALLARD_INVARIANT(frame.stamp.value >= 1);
  unsigned flags = 0;
  flags |= frame.wants_ack ? flag_wants_ack : 0U;
  flags |= frame.has_batch ? flag_batch : 0U;
  flags |= frame.has_pull ? flag_pull : 0U;
  flags |= static_cast<unsigned>(frame.positions.size()) << positions_shift;
  flags |= static_cast<unsigned>(frame.acks.size()) << acks_shift;
  writer.write(static_cast<std::uint8_t>(flags));
  write_stamp(frame.stamp, writer);
  write_stamp(frame.echo, writer);
  writer.write(frame.echo_delay_us);
  if (frame.has_batch) {
    write_batch(frame.batch, writer);
  }
}

void write_position(const PositionSection& position, ByteWriter& writer) {
  write_context(position.context, writer);
  writer.write(position.quacked.value);
  writer.write(position.committed.value);
  writer.write(position.committed_message.value);
}

void write_ack(const AckReport& ack, ByteWriter& writer) {
  MALLARD_INVARIANT(ack.phi_words <= ack.phi.size());
  write_context(ack.context, writer);
  writer.write(ack.prefix.value);
  writer.write(ack.durable.value);
  writer.write(static_cast<std::uint16_t>(ack.phi_words));
  for (std::size_t i = 0; i < ack.phi_words; ++i) {
    writer.write(ack.phi[i]);
  }
}

void write_pull(const PullSection& pull, ByteWriter& writer) {
  MALLARD_INVARIANT(!pull.batches.empty());
  write_context(pull.context, writer);
  writer.write(static_cast<std::uint16_t>(pull.batches.size()));
  for (const BatchNumber batch : pull.batches) {
    writer.write(batch.value);
  }
}

Result<Frame, FrameError> decode_head(ByteView head, PayloadRef body) {
  Frame frame;
  ByteReader reader(head);
  const unsigned flags = reader.read<std::uint8_t>();
  frame.wants_ack = (flags & flag_wants_ack) != 0;
  frame.stamp = read_stamp(reader);
  frame.echo = read_stamp(reader);
  frame.echo_delay_us = reader.read<std::uint32_t>();
  if (!reader.ok()) {
    return Failure<FrameError>(FrameError::truncated);
  }
  if ((flags & flag_reserved) != 0 || frame.stamp.value == 0) {
    return Failure<FrameError>(FrameError::out_of_range);
  }
  const SectionError error = read_sections(flags, reader, body, frame);
  if (!reader.ok()) {
    return Failure<FrameError>(FrameError::truncated);
  }
  if (error) {
    return Failure<FrameError>(*error);
  }
  if (reader.remaining() != 0) {
    return Failure<FrameError>(FrameError::trailing_bytes);
  }
  return frame;
}

}  // namespace mallard::bridge::wire
