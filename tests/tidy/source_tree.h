// The repository as the rules of this folder see it: paths and texts. Rules are functions of a tree, so that
// their own tests can plant a defect in a tree of three lines and see it found.
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace mallard::tidy {

// Something to be repaired: where and what. Lines count from 1; 0 is the file as a whole.
struct Problem {
  std::string path;
  int line = 0;
  std::string what;
  friend bool operator==(const Problem&, const Problem&) = default;
};
std::ostream& operator<<(std::ostream& out, const Problem& problem);

// Texts by path from the root, with forward slashes.
using SourceTree = std::map<std::string, std::string, std::less<>>;

// Everything under `root` except version control and build products (folders whose name starts with "build"
// at the root, and hidden ones other than .ci).
[[nodiscard]] SourceTree read_tree(const std::string& root);

// The text with comments and the insides of string and character literals blanked out, line breaks kept.
[[nodiscard]] std::string code_only(std::string_view text);

[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

// "bridge/core/x.cc" -> "bridge/core"; "" for a file at the root.
[[nodiscard]] std::string_view folder_of(std::string_view path);
// "bridge/core/x.cc" -> "x".
[[nodiscard]] std::string_view noun_of(std::string_view path);
// True if `path` is the folder or lies below it.
[[nodiscard]] bool is_within(std::string_view path, std::string_view folder);
// True for C++ headers and sources in the folders that hold them.
[[nodiscard]] bool is_cpp(std::string_view path);

}  // namespace mallard::tidy
