// A YAML file as a tree of plain values with their places. Only the part of YAML that all readers agree on is
// let through: mappings with scalar keys, lists, and scalars; one document; no anchors, aliases, merge keys
// or tags.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml/config_problem.h"

namespace mallard::config {

inline constexpr std::size_t file_bytes_max = 1U << 20;
inline constexpr std::size_t node_depth_max = 16;      // mappings and lists inside each other
inline constexpr std::size_t key_bytes_max = 128;      // of a mapping's key
inline constexpr std::size_t node_count_max = 65'536;  // values and keys of one file

struct TreeNode {
  enum class Kind : std::uint8_t { nothing, scalar, list, mapping };

  Kind kind = Kind::nothing;
  bool is_quoted = false;       // of a scalar: written in quotes or as a block, so that it can only be text
  bool is_refused = false;      // what stood here is not allowed; the problem has been told
  Place place;                  // of a value that is nothing: that of its key
  std::string text;             // of a scalar
  std::vector<TreeNode> keys;   // of a mapping: scalars, each once, in the order of the file
  std::vector<TreeNode> items;  // of a list; of a mapping: the values, in the order of `keys`

  // The value under `key` in a mapping; null when there is none.
  [[nodiscard]] const TreeNode* find(std::string_view key) const;
};

// "a mapping", "a list", "text", "nothing": for telling an operator what was found.
[[nodiscard]] std::string_view kind_name(TreeNode::Kind kind);

// Parses `text`. What is wrong goes to `problems`; the tree is usable only when nothing was added, or as far
// as it goes for finding more problems. Uses memory in proportion to `text`, at most file_bytes_max, and
// never recurses deeper than node_depth_max.
[[nodiscard]] TreeNode parse_document(std::string_view text, ProblemList& problems);

}  // namespace mallard::config
