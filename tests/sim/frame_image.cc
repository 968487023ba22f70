#include "tests/sim/frame_image.h"

#include <algorithm>
#include <cstdint>

namespace mallard::sim {
namespace {

class ImageWriter {
 public:
  explicit ImageWriter(std::vector<std::byte>& out) : out_(out) { out_.clear(); }

  void number(std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
      out_.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xffU));
    }
  }
  void context(const bridge::LinkContext& context) {
    number(context.link.value, 2);
    number(context.generation.value, 4);
    number(context.source_epoch.value, 4);
    number(context.destination_epoch.value, 4);
  }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

 private:
  std::vector<std::byte>& out_;
};

void write_batch(ImageWriter& writer, const bridge::BatchSection& batch) {
  writer.context(batch.context);
  writer.number(batch.header.batch.value, 8);
  writer.number(batch.header.first.value, 8);
  writer.number(batch.header.count, 2);
  writer.number(std::min<std::uint32_t>(batch.round, 255), 1);
  writer.number(batch.attempt, 1);
  const std::uint64_t behind = batch.header.batch.value - batch.quacked.value;
  const bool no_hint = batch.quacked.value == 0 || batch.quacked > batch.header.batch || behind >= 65'535;
  writer.number(no_hint ? 65'535 : behind, 2);
  writer.number(batch.proof_bytes, 2);
}

}  // namespace

void write_image(const bridge::Frame& frame, std::vector<std::byte>& head) {
  ImageWriter writer(head);
  const std::size_t flags = (frame.wants_ack ? 1U : 0U) | (frame.has_batch ? 2U : 0U) |
                            (frame.has_pull ? 4U : 0U) | frame.positions.size() << 3 | frame.acks.size() << 5;
  writer.number(flags, 1);
  writer.number(frame.stamp.value, 6);
  writer.number(frame.echo.value, 6);
  writer.number(frame.echo_delay_us, 4);
  if (frame.has_batch) {
    write_batch(writer, frame.batch);
  }
  for (const bridge::PositionSection& position : frame.positions) {
    writer.context(position.context);
    writer.number(position.quacked.value, 8);
    writer.number(position.committed.value, 8);
    writer.number(position.committed_message.value, 8);
  }
  for (const bridge::AckSection& ack : frame.acks) {
    writer.context(ack.context);
    writer.number(ack.prefix.value, 8);
    writer.number(ack.durable.value, 8);
    writer.number(ack.phi.words(), 2);
    writer.raw(ack.phi.bytes());
  }
  if (frame.has_pull) {
    writer.context(frame.pull.context);
    writer.number(frame.pull.batches.size(), 2);
    for (const BatchNumber batch : frame.pull.batches) {
      writer.number(batch.value, 8);
    }
  }
}

}  // namespace mallard::sim
