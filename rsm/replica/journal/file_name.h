// The names of a journal's files, without allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mallard::rsm::journal {

// At most `length_max` characters, none of them '/'; ended by a 0 for the C library.
class FileName {
 public:
  static constexpr std::size_t length_max = 31;

  FileName() = default;
  // Takes the first length_max characters: a longer name is not one of ours.
  explicit FileName(std::string_view text);

  [[nodiscard]] std::string_view text() const { return {text_.data(), length_}; }
  [[nodiscard]] const char* c_str() const { return text_.data(); }
  friend bool operator==(const FileName& a, const FileName& b) { return a.text() == b.text(); }

 private:
  std::array<char, length_max + 1> text_{};
  std::size_t length_ = 0;
};

// `superblock.0` and `superblock.1`.
[[nodiscard]] FileName superblock_name(std::uint32_t slot);
// `log.00000001`: a segment's number in eight hexadecimal digits. The first is 1.
[[nodiscard]] FileName segment_name(std::uint32_t number);
// The number of a segment's file; nothing for any other name.
[[nodiscard]] std::optional<std::uint32_t> segment_number(std::string_view name);
// The file that becomes the next segment: zeros, already in its place on the medium.
[[nodiscard]] FileName spare_name();

}  // namespace mallard::rsm::journal
