#include "config/value_text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

namespace mallard::config {
namespace {

constexpr std::string_view key_scheme = "ed25519:";
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t key_text_digits = 43;  // of base64 for 32 bytes, without the padding
constexpr const char* key_advice = "copy the whole key as `mallard keys show` prints it";

struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<Unit, 4> units{
    {{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Failure<ValueProblem> wrong(std::string what, std::string advice) {
  return Failure<ValueProblem>(ValueProblem{std::move(what), std::move(advice)});
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// The value of a run of digits; none when it does not fit 64 bits.
std::optional<std::uint64_t> digits_value(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (__builtin_mul_overflow(value, std::uint64_t{10}, &value) ||
        __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value)) {
      return std::nullopt;
    }
  }
  return value;
}

// Why `text` is not a plain decimal number, if it is not.
std::optional<ValueProblem> check_digits(std::string_view text) {
  if (text.size() > 1 && text[0] == '0' && all_digits(text)) {
    const std::string_view bare = text.substr(std::min(text.find_first_not_of('0'), text.size() - 1));
    return ValueProblem{fmt::format("{} starts with 0, which some programs read as octal", shown(text)),
                        fmt::format("write {} if you mean the decimal number", bare.substr(0, 20))};
  }
  if (all_digits(text)) {
    return std::nullopt;
  }
  if (!text.empty() && text[0] == '-') {
    return ValueProblem{fmt::format("{} is not a whole number from 0 up", shown(text)),
                        "write it without a sign"};
  }
  return ValueProblem{fmt::format("{} is not a whole number", shown(text)), "write decimal digits only"};
}

std::string size_range(SizeRule range) {
  return fmt::format("write a size from {} to {}", size_text(range.low), size_text(range.high));
}

// The digit's value, or -1.
int base64_value(char c) {
  const std::size_t at = base64_digits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

bool is_host_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

bool is_dns_name(std::string_view text) {
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('.', start), text.size());
    if (!is_host_label(text.substr(start, end - start))) {
      return false;
    }
    start = end + 1;
  }
  return text.size() <= host_bytes_max;
}

// Optimal string alignment distance, kept in three rows.
std::size_t typing_errors(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

Result<std::uint64_t, ValueProblem> parse_count(std::string_view text, CountRule range) {
  if (const auto problem = check_digits(text)) {
    return wrong(problem->what, problem->advice);
  }
  const std::optional<std::uint64_t> value = digits_value(text);
  if (!value || *value < range.low || *value > range.high) {
    return wrong(fmt::format("{} is out of range", text.substr(0, 60)),
                 fmt::format("write a whole number from {} to {}", range.low, range.high));
  }
  return *value;
}

Result<std::uint64_t, ValueProblem> parse_size(std::string_view text, SizeRule range) {
  const std::size_t unit_at = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, unit_at);
  const std::string_view unit = text.substr(unit_at);
  if (digits.empty()) {
    return wrong(fmt::format("{} is not a size", shown(text)),
                 "write a whole number and its unit, like 64MiB");
  }
  if (const auto problem = check_digits(digits)) {
    return wrong(problem->what, problem->advice);
  }
  if (unit.empty()) {
    return wrong(fmt::format("{} has no unit", digits.substr(0, 60)),
                 "write the unit behind it: B, KiB, MiB or GiB, like 64MiB");
  }
  const auto known = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == unit; });
  if (known == units.end()) {
    return wrong(fmt::format("{} is not a unit of bytes", shown(unit)),
                 "write B, KiB, MiB or GiB (1MiB = 1048576B) right behind the number");
  }
  const std::optional<std::uint64_t> count = digits_value(digits);
  std::uint64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, known->bytes, &bytes) || bytes < range.low ||
      bytes > range.high) {
    return wrong(fmt::format("{} is out of range", text.substr(0, 60)), size_range(range));
  }
  return bytes;
}

Result<PublicKey, ValueProblem> parse_public_key(std::string_view text) {
  if (text.starts_with("ed25519-secret:")) {  // never shown: messages end up in logs
    return wrong("this is a secret key", "make new keys, and write the public half here");
  }
  if (!text.starts_with(key_scheme)) {
    return wrong("the key does not start with \"ed25519:\"", key_advice);
  }
  std::string_view digits = text.substr(key_scheme.size());
  const std::size_t padding = digits.size() - std::min(digits.size(), digits.find_last_not_of('=') + 1);
  digits.remove_suffix(padding);
  const auto bad = std::find_if(digits.begin(), digits.end(), [](char c) { return base64_value(c) < 0; });
  if (bad != digits.end()) {
    const auto at = static_cast<std::size_t>(bad - digits.begin());
    return wrong(fmt::format("the key's character {} behind \"ed25519:\" is not base64", at + 1), key_advice);
  }
  if (digits.size() != key_text_digits) {
    return wrong(fmt::format("the key has {} base64 digits, {} are needed", digits.size(), key_text_digits),
                 key_advice);
  }
  if (padding != 1) {
    return wrong(fmt::format("the key ends in {} \"=\", exactly one is needed", padding), key_advice);
  }
  PublicKey key;
  std::uint32_t pending = 0;
  int pending_bits = 0;
  std::size_t filled = 0;
  for (const char c : digits) {
    pending = (pending << 6) | static_cast<std::uint32_t>(base64_value(c));
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      key.bytes[filled++] = static_cast<std::uint8_t>((pending >> pending_bits) & 0xffU);
    }
  }
  if ((pending & ((1U << pending_bits) - 1U)) != 0) {
    return wrong("the key's last base64 digit is cut off", key_advice);
  }
  if (key == PublicKey{}) {
    return wrong("the key is all zeros, which is nobody's", key_advice);
  }
  return key;
}

std::optional<ValueProblem> check_host(std::string_view text) {
  const std::string host(text.substr(0, host_bytes_max + 1));
  std::array<unsigned char, 16> address{};
  const bool v4 = inet_pton(AF_INET, host.c_str(), address.data()) == 1;
  const bool v6 = !v4 && inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
  if (v4 || v6) {
    const auto used = address.begin() + (v4 ? 4 : 16);
    if (std::all_of(address.begin(), used, [](unsigned char byte) { return byte == 0; })) {
      return ValueProblem{fmt::format("{} means any address; nobody can connect to it", shown(text)),
                          "write the address by which the other machines reach this replica"};
    }
    return std::nullopt;
  }
  const std::string advice = "write an IPv4 or IPv6 address or a DNS name, without a port";
  if (text.find_first_not_of("0123456789.") == std::string_view::npos || !is_dns_name(text)) {
    return ValueProblem{fmt::format("{} is not a host", shown(text)), advice};
  }
  return std::nullopt;
}

std::optional<ValueProblem> check_listen_address(std::string_view text) {
  const std::string address(
      text.substr(0, text.find('\0') == std::string_view::npos ? host_bytes_max + 1 : 0));
  in_addr v4{};
  in6_addr v6{};
  const std::string advice =
      "write an address of this machine, without a port: 127.0.0.1, or 0.0.0.0 for all that it has";
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    // 224.0.0.0 and up are groups and broadcasts (RFC 5771, RFC 919).
    if (ntohl(v4.s_addr) < 0xe0000000U) return std::nullopt;
    return ValueProblem{fmt::format("nobody can listen at {}", shown(text)), advice};
  }
  if (inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    if (v6.s6_addr[0] != 0xffU) return std::nullopt;
    return ValueProblem{fmt::format("nobody can listen at {}", shown(text)), advice};
  }
  return ValueProblem{fmt::format("{} is not an IPv4 or IPv6 address", shown(text)), advice};
}

bool is_loopback(std::string_view address) { return address.starts_with("127.") || address == "::1"; }

std::optional<ValueProblem> check_name(std::string_view text) {
  const bool good =
      !text.empty() && text.size() <= name_bytes_max && is_lower(text.front()) &&
      std::all_of(text.begin(), text.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
  if (good) {
    return std::nullopt;
  }
  return ValueProblem{
      fmt::format("{} is not a name", shown(text)),
      fmt::format("use lower-case letters, digits and hyphens, a letter first, at most {}", name_bytes_max)};
}

std::optional<ValueProblem> check_prefix(std::string_view text) {
  if (text.empty()) {
    return ValueProblem{"an empty prefix lets every key pass",
                        "leave the whole list out if that is what you mean"};
  }
  if (text.size() > prefix_bytes_max) {
    return ValueProblem{fmt::format("a prefix of {} bytes is too long", text.size()),
                        fmt::format("use at most {} bytes", prefix_bytes_max)};
  }
  if (std::any_of(text.begin(), text.end(), is_control)) {
    return ValueProblem{fmt::format("the prefix {} contains a control character", shown(text)), "remove it"};
  }
  return std::nullopt;
}

std::string size_text(std::uint64_t bytes) {
  for (const Unit& unit : units) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0) {
      return fmt::format("{}{}", bytes / unit.bytes, unit.name);
    }
  }
  return "0B";
}

std::string_view word_of(Durability durability) {
  return durability == Durability::replicated ? "replicated" : "disk";
}

std::string_view word_of(Memory memory) { return memory == Memory::shm ? "shm" : "auto"; }

std::string_view word_of(Wait wait) { return wait == Wait::spin ? "spin" : "adaptive"; }

std::string public_key_text(const PublicKey& key) {
  std::string text(key_scheme);
  std::uint32_t pending = 0;
  int pending_bits = 0;
  for (const std::uint8_t byte : key.bytes) {
    pending = (pending << 8) | byte;
    pending_bits += 8;
    while (pending_bits >= 6) {
      pending_bits -= 6;
      text += base64_digits[(pending >> pending_bits) & 0x3fU];
    }
  }
  text += base64_digits[(pending << (6 - pending_bits)) & 0x3fU];
  return text + '=';
}

bool is_placeholder(const PublicKey& key) { return public_key_text(key).starts_with("ed25519:replace/me/"); }

std::optional<std::string_view> closest_word(std::string_view word, std::span<const std::string_view> known) {
  std::optional<std::string_view> best;
  std::size_t best_errors = 3;
  for (const std::string_view candidate : known) {
    if (word.size() > candidate.size() + 2) {
      continue;
    }
    const std::size_t errors = typing_errors(word, candidate);
    if (errors < best_errors && 2 * errors < candidate.size()) {
      best = candidate;
      best_errors = errors;
    }
  }
  return best;
}

std::string shown(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  std::string out = "\"";
  std::size_t end = std::min(text.size(), shown_max);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;  // never cuts a UTF-8 character
  }
  for (const char c : text.substr(0, end)) {
    out += is_control(c) ? '?' : c;
  }
  return out + (end < text.size() ? "...\"" : "\"");
}

}  // namespace mallard::config
