#include "bridge/attach/file/batch_cutter.h"

#include <algorithm>

#include "bridge/attach/file/keyed_message.h"
#include "config/base/limits.h"

namespace mallard::bridge::file {
namespace {

constexpr std::size_t length_bytes = 4;
static_assert(length_bytes + message_bytes_max <= batch_bytes_max, "every message fits a batch of its own");

// The message that starts at `at` with its length; empty at the end.
ByteView framed_message(ByteView payload, std::size_t at) {
  ByteReader reader(payload.subspan(at));
  const auto length = reader.read<std::uint32_t>();
  reader.take(length);
  return reader.ok() ? payload.subspan(at, length_bytes + length) : ByteView{};
}

}  // namespace

std::optional<BatchCut> BatchCutter::next(ByteView payload, std::size_t from) const {
  BatchCut cut{.begin = from, .end = from};
  for (std::size_t at = from; at < payload.size();) {
    const ByteView framed = framed_message(payload, at);
    if (framed.empty()) {
      break;
    }
    at += framed.size();
    if (!passes(framed.subspan(length_bytes))) {
      continue;
    }
    if (cut.messages == batch_messages_max || cut.bytes + framed.size() > batch_bytes_max) {
      break;
    }
    cut.bytes += static_cast<std::uint32_t>(framed.size());
    ++cut.messages;
    cut.end = at;
  }
  return cut.messages == 0 ? std::nullopt : std::optional(cut);
}

void BatchCutter::copy(ByteView payload, const BatchCut& cut, ByteSpan out) const {
  ByteWriter writer(out);
  if (cut.end - cut.begin == cut.bytes) {
    writer.write_bytes(payload.subspan(cut.begin, cut.bytes));
    return;
  }
  for (std::size_t at = cut.begin; at < cut.end;) {
    const ByteView framed = framed_message(payload, at);
    at += framed.size();
    if (passes(framed.subspan(length_bytes))) {
      writer.write_bytes(framed);
    }
  }
}

bool BatchCutter::is_well_formed(ByteView payload, std::size_t messages) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < messages; ++i) {
    const ByteView framed = framed_message(payload, at);
    if (framed.size() <= length_bytes || framed.size() > length_bytes + message_bytes_max) {
      return false;
    }
    at += framed.size();
  }
  return at == payload.size();
}

bool BatchCutter::passes(ByteView message) const {
  if (include_.empty()) {
    return true;
  }
  const std::optional<KeyedMessage> keyed = read_keyed_message(message);
  return keyed && std::ranges::any_of(
                      include_, [&](const std::string& prefix) { return keyed->key.starts_with(prefix); });
}

}  // namespace mallard::bridge::file
