#include "rsm/replica/egress_log.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "config/base/invariant.h"

namespace mallard::rsm {

EgressLog::EgressLog(const EgressLogSettings& settings) {
  MALLARD_INVARIANT(settings.links == 0 || (settings.bytes >= egress_bytes_min && settings.batches > 1));
  lines_.reserve(settings.links);
  for (std::size_t i = 0; i < settings.links; ++i) {
    lines_.emplace_back(settings);
  }
}

EgressLog::Record& EgressLog::record(Line& line, BatchNumber batch) {
  return line.records[batch.value % line.records.size()];
}

const EgressLog::Line* EgressLog::line_of(LinkIndex link) const {
  return link.value < lines_.size() ? &lines_[link.value] : nullptr;
}

void EgressLog::emit(const LinkMessage& message) {
  if (message.link.value >= lines_.size()) {
    return;
  }
  Line& line = lines_[message.link.value];
  if (message.generation != line.generation || message.batch != line.newest) {
    start_batch(line, message);
  }
  make_room(line, sizeof(std::uint32_t) + message.message.size());
  std::array<std::byte, sizeof(std::uint32_t)> length{};
  ByteWriter(length).write(static_cast<std::uint32_t>(message.message.size()));
  append(line, length);
  append(line, message.message);
  EgressBatch& batch = record(line, line.newest).batch;
  ++batch.count;
  batch.bytes += length.size() + message.message.size();
  line.newest_message = message.number;
}

// A state that came from a snapshot goes on in the middle: what was before is not readable.
void EgressLog::start_batch(Line& line, const LinkMessage& message) {
  const bool continues = message.generation == line.generation && message.batch == line.newest.next();
  if (!continues) {
    line.generation = message.generation;
    line.oldest = message.batch;
  } else if (message.batch.value - line.oldest.value >= line.records.size()) {
    line.oldest = line.oldest.next();
    ++evicted_;
  }
  line.newest = message.batch;
  record(line, message.batch) = {{.batch = message.batch, .first = message.number}, line.end};
}

// The newest batch alone always has room: it is no larger than a batch may be.
void EgressLog::make_room(Line& line, std::size_t bytes) {
  while (line.oldest < line.newest &&
         line.end + bytes - record(line, line.oldest).begin > line.bytes.size()) {
    line.oldest = line.oldest.next();
    ++evicted_;
  }
}

void EgressLog::append(Line& line, ByteView bytes) {
  const std::size_t at = line.end % line.bytes.size();
  const std::size_t head = std::min(bytes.size(), line.bytes.size() - at);
  std::memcpy(line.bytes.data() + at, bytes.data(), head);
  if (head < bytes.size()) {
    std::memcpy(line.bytes.data(), bytes.data() + head, bytes.size() - head);
  }
  line.end += bytes.size();
}

EgressExtent EgressLog::extent(LinkIndex link) const {
  const Line* line = line_of(link);
  return line == nullptr ? EgressExtent{}
                         : EgressExtent{line->generation, line->oldest, line->newest, line->newest_message};
}

std::optional<EgressBatch> EgressLog::find(LinkIndex link, BatchNumber batch) const {
  const Line* line = line_of(link);
  if (line == nullptr || batch < line->oldest || batch > line->newest) {
    return {};
  }
  return line->records[batch.value % line->records.size()].batch;
}

void EgressLog::copy(LinkIndex link, BatchNumber batch, ByteSpan out) const {
  const Line* line = line_of(link);
  MALLARD_INVARIANT(find(link, batch) && find(link, batch)->bytes == out.size());
  const std::size_t at = line->records[batch.value % line->records.size()].begin % line->bytes.size();
  const std::size_t head = std::min(out.size(), line->bytes.size() - at);
  std::memcpy(out.data(), line->bytes.data() + at, head);
  if (head < out.size()) {
    std::memcpy(out.data() + head, line->bytes.data(), out.size() - head);
  }
}

void EgressLog::restore(LinkIndex link, Generation generation, BatchNumber newest,
                        MessageNumber newest_message) {
  if (link.value >= lines_.size()) {
    return;
  }
  Line& line = lines_[link.value];
  line.generation = generation;
  line.newest = newest;
  line.newest_message = newest_message;
  line.oldest = newest.next();
  line.restored = {};
  line.first_restored = {};
}

// Bodies come in order, so the last of them decides how much of the row before it is readable: all that it
// continues, if it reaches the newest.
void EgressLog::restore(LinkIndex link, const EgressBatch& batch, ByteView body) {
  if (link.value >= lines_.size()) {
    return;
  }
  Line& line = lines_[link.value];
  MALLARD_INVARIANT(batch.batch > line.restored && batch.batch <= line.newest && body.size() == batch.bytes &&
                    body.size() <= egress_bytes_min);
  if (line.restored.next() != batch.batch || line.first_restored == BatchNumber()) {
    line.first_restored = batch.batch;
  }
  while (batch.batch.value - line.first_restored.value >= line.records.size() ||
         (line.first_restored < batch.batch &&
          line.end + body.size() - record(line, line.first_restored).begin > line.bytes.size())) {
    line.first_restored = line.first_restored.next();
    ++evicted_;
  }
  record(line, batch.batch) = {batch, line.end};
  append(line, body);
  line.restored = batch.batch;
  if (batch.batch == line.newest) {
    line.oldest = line.first_restored;
  }
}

void EgressLog::clear() {
  for (Line& line : lines_) {
    line.generation = {};
    line.oldest = BatchNumber(1);
    line.newest = {};
    line.newest_message = {};
    line.restored = {};
    line.first_restored = {};
  }
}

void EgressLog::forget(LinkIndex link, Generation generation, BatchNumber through) {
  if (line_of(link) == nullptr || lines_[link.value].generation != generation) {
    return;
  }
  Line& line = lines_[link.value];
  line.oldest = std::max(line.oldest, std::min(through, line.newest).next());
}

}  // namespace mallard::rsm
