// Settings as text: how each kind of value is written in the file, and exactly why a text is not one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/base/result.h"
#include "config/contract/public_key.h"
#include "config/fields.h"

namespace mallard::config {

// Why a text is not the value that was wanted, and what to write instead. Both are phrases without a final
// stop.
struct ValueProblem {
  std::string what;
  std::string advice;
};

// A whole number in decimal digits: no sign, fraction, exponent, leading zero, 0x or separators.
[[nodiscard]] Result<std::uint64_t, ValueProblem> parse_count(std::string_view text, CountRule range);

// A whole number and its unit without a space: B, KiB, MiB, GiB (powers of 1,024).
[[nodiscard]] Result<std::uint64_t, ValueProblem> parse_size(std::string_view text, SizeRule range);

// "ed25519:" and the base64 of 32 bytes, with its padding (RFC 4648). All zeros are refused: no one holds
// that key.
[[nodiscard]] Result<PublicKey, ValueProblem> parse_public_key(std::string_view text);

// An IPv4 or IPv6 address that others can connect to, or a DNS name (RFC 1123).
[[nodiscard]] std::optional<ValueProblem> check_host(std::string_view text);

// An IPv4 or IPv6 address that a machine can listen at: its own, or 0.0.0.0 or :: for all that it has.
[[nodiscard]] std::optional<ValueProblem> check_listen_address(std::string_view text);

// Whether only processes of the same machine reach an address, which is a valid one.
[[nodiscard]] bool is_loopback(std::string_view address);

// Lower-case letters, digits and hyphens, a letter first; at most name_bytes_max.
[[nodiscard]] std::optional<ValueProblem> check_name(std::string_view text);

// The beginning of keys: 1 to prefix_bytes_max bytes without control characters.
[[nodiscard]] std::optional<ValueProblem> check_prefix(std::string_view text);

// The largest unit that keeps the number whole: 67108864 is "64MiB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

// As they are written in the file.
[[nodiscard]] std::string_view word_of(Durability durability);
[[nodiscard]] std::string_view word_of(Memory memory);
[[nodiscard]] std::string_view word_of(Wait wait);

[[nodiscard]] std::string public_key_text(const PublicKey& key);

// Whether the key is one of those in the template, which nobody holds.
[[nodiscard]] bool is_placeholder(const PublicKey& key);

// The word of `known` that `word` was probably meant to be: at most two typing errors, and fewer than half of
// it.
[[nodiscard]] std::optional<std::string_view> closest_word(std::string_view word,
                                                           std::span<const std::string_view> known);

// `text` in quotes, shortened to 60 bytes, with anything unprintable replaced: safe to show to an operator.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace mallard::config
