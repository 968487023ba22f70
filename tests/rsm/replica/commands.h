// Commands of the key-value machine in a word each.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "rsm/machine/kv_command.h"

namespace mallard::rsm {

inline ByteView text_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::vector<std::byte> put(std::string_view key, std::string_view value,
                                  const std::optional<SessionTag>& session = {}) {
  KvCommand command{.operation = KvOperation::put, .session = session};
  command.write = {.operation = KvOperation::put, .key = text_bytes(key), .value = text_bytes(value)};
  return encode_command(command);
}
inline std::vector<std::byte> increment(std::string_view key, std::uint64_t amount,
                                        const std::optional<SessionTag>& session = {}) {
  KvCommand command{.operation = KvOperation::increment, .session = session};
  command.write = {.operation = KvOperation::increment, .key = text_bytes(key), .amount = amount};
  return encode_command(command);
}
inline std::vector<std::byte> erase(std::string_view key) {
  KvCommand command{.operation = KvOperation::erase};
  command.write.key = text_bytes(key);
  return encode_command(command);
}
inline std::vector<std::byte> get(std::string_view key) {
  KvCommand command{.operation = KvOperation::get};
  command.write.key = text_bytes(key);
  return encode_command(command);
}
inline std::vector<std::byte> open_session() {
  return encode_command(KvCommand{.operation = KvOperation::session_open});
}
inline std::vector<std::byte> raise_fence(std::uint64_t fence) {
  return encode_command(KvCommand{.operation = KvOperation::fence_raise, .number = fence});
}

}  // namespace mallard::rsm
