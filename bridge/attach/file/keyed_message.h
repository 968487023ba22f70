// The form of messages on a log of keys and values: u32 key bytes, key, value. Links with a filter need it;
// without one a message may be any bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/base/bytes.h"

namespace mallard::bridge::file {

struct KeyedMessage {
  std::string_view key;
  ByteView value;
};

// Views into `message`; nothing when it is shorter than its key.
inline std::optional<KeyedMessage> read_keyed_message(ByteView message) {
  ByteReader reader(message);
  const auto key_bytes = reader.read<std::uint32_t>();
  const ByteView key = reader.take(key_bytes);
  if (!reader.ok()) {
    return std::nullopt;
  }
  const void* characters = key.data();
  return KeyedMessage{.key = std::string_view(static_cast<const char*>(characters), key.size()),
                      .value = reader.take(reader.remaining())};
}

}  // namespace mallard::bridge::file
