#include "tests/bridge/wire/frame_text.h"

#include <cstring>
#include <string>

namespace mallard::bridge::wire {
namespace {

void put_context(FrameFields& fields, const std::string& section, const LinkContext& context) {
  fields[section + ".link"] = context.link.value;
  fields[section + ".generation"] = context.generation.value;
  fields[section + ".source_epoch"] = context.source_epoch.value;
  fields[section + ".destination_epoch"] = context.destination_epoch.value;
}

void put_batch(FrameFields& fields, const BatchSection& batch) {
  put_context(fields, "batch", batch.context);
  fields["batch.batch"] = batch.header.batch.value;
  fields["batch.first"] = batch.header.first.value;
  fields["batch.count"] = batch.header.count;
  fields["batch.round"] = batch.round;
  fields["batch.attempt"] = batch.attempt;
  fields["batch.hint"] = batch.quacked.value == 0 ? 65535 : batch.header.batch.value - batch.quacked.value;
  fields["batch.proof_bytes"] = batch.proof_bytes;
}

}  // namespace

FrameFields fields_of(const Frame& frame) {
  FrameFields fields;
  fields["flags"] = (frame.wants_ack ? 1U : 0U) + (frame.has_batch ? 2U : 0U) + (frame.has_pull ? 4U : 0U) +
                    8 * frame.positions.size() + 32 * frame.acks.size();
  fields["stamp"] = frame.stamp.value;
  fields["echo"] = frame.echo.value;
  fields["echo_delay_us"] = frame.echo_delay_us;
  if (frame.has_batch) {
    put_batch(fields, frame.batch);
  }
  for (std::size_t i = 0; i < frame.positions.size(); ++i) {
    const std::string name = "position" + std::to_string(i);
    put_context(fields, name, frame.positions[i].context);
    fields[name + ".quacked"] = frame.positions[i].quacked.value;
    fields[name + ".committed"] = frame.positions[i].committed.value;
    fields[name + ".committed_message"] = frame.positions[i].committed_message.value;
  }
  for (std::size_t i = 0; i < frame.acks.size(); ++i) {
    const std::string name = "ack" + std::to_string(i);
    put_context(fields, name, frame.acks[i].context);
    fields[name + ".prefix"] = frame.acks[i].prefix.value;
    fields[name + ".durable"] = frame.acks[i].durable.value;
    fields[name + ".words"] = frame.acks[i].phi.words();
    for (std::size_t w = 0; w < frame.acks[i].phi.words(); ++w) {
      fields[name + ".word" + std::to_string(w)] = frame.acks[i].phi.word(w);
    }
  }
  if (frame.has_pull) {
    put_context(fields, "pull", frame.pull.context);
    fields["pull.count"] = frame.pull.batches.size();
    for (std::size_t i = 0; i < frame.pull.batches.size(); ++i) {
      fields["pull.batch" + std::to_string(i)] = frame.pull.batches[i].value;
    }
  }
  return fields;
}

std::vector<std::uint8_t> encode_again(const Frame& frame) {
  SendFrame send;
  SectionTable sections;
  static_cast<FrameHead&>(send) = frame;
  for (const PositionSection& position : frame.positions) {
    send.positions.push_back(LinkIndex(static_cast<std::uint16_t>(sections.positions.size())));
    sections.positions.push_back(position);
  }
  for (const AckSection& ack : frame.acks) {
    send.acks.push_back(LinkIndex(static_cast<std::uint16_t>(sections.acks.size())));
    AckReport report{.context = ack.context, .prefix = ack.prefix, .durable = ack.durable};
    report.phi_words = ack.phi.words();
    for (std::size_t i = 0; i < report.phi_words; ++i) {
      report.phi[i] = ack.phi.word(i);
    }
    sections.acks.push_back(report);
  }
  return encode_to_bytes(send, sections);
}

std::vector<std::uint8_t> encode_to_bytes(const SendFrame& frame, const SectionTable& sections) {
  std::array<std::byte, frame_head_bytes_max> head{};
  const std::size_t used = encode_head(frame, sections, head);
  std::vector<std::uint8_t> bytes(used);
  std::memcpy(bytes.data(), head.data(), used);
  return bytes;
}

Result<Frame, FrameError> decode_bytes(const std::vector<std::uint8_t>& head, std::size_t body_bytes) {
  const PayloadRef body{.slot = body_bytes == 0 ? 0U : 1U, .bytes = static_cast<std::uint32_t>(body_bytes)};
  return decode_head(std::as_bytes(std::span(head)), body);
}

}  // namespace mallard::bridge::wire
