#include "rsm/replica/journal/file_name.h"

#include <algorithm>

namespace mallard::rsm::journal {

namespace {

constexpr std::string_view segment_prefix = "log.";
constexpr std::string_view digits = "0123456789abcdef";
constexpr std::size_t number_digits = 8;

}  // namespace

FileName::FileName(std::string_view text) : length_(std::min(text.size(), length_max)) {
  std::copy_n(text.data(), length_, text_.data());
}

FileName superblock_name(std::uint32_t slot) { return FileName(slot == 0 ? "superblock.0" : "superblock.1"); }

FileName segment_name(std::uint32_t number) {
  std::array<char, segment_prefix.size() + number_digits> text{};
  std::copy(segment_prefix.begin(), segment_prefix.end(), text.begin());
  for (std::size_t i = 0; i < number_digits; ++i) {
    text[text.size() - 1 - i] = digits[(number >> (4 * i)) & 0xFU];
  }
  return FileName({text.data(), text.size()});
}

std::optional<std::uint32_t> segment_number(std::string_view name) {
  if (name.size() != segment_prefix.size() + number_digits || !name.starts_with(segment_prefix)) {
    return std::nullopt;
  }
  std::uint32_t number = 0;
  for (const char c : name.substr(segment_prefix.size())) {
    const std::size_t digit = digits.find(c);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    number = (number << 4U) | static_cast<std::uint32_t>(digit);
  }
  return number == 0 ? std::nullopt : std::optional(number);
}

FileName spare_name() { return FileName("spare"); }

}  // namespace mallard::rsm::journal
