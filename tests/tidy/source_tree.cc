#include "tests/tidy/source_tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mallard::tidy {

namespace {

namespace fs = std::filesystem;

bool is_skipped(const fs::path& relative) {
  const std::string name = relative.filename().string();
  if (name.starts_with("build") && !relative.has_parent_path()) return true;
  return name.starts_with('.') && name != ".ci" && fs::path(name).extension().empty() &&
         name != ".gitignore" && name != ".clang-format" && name != ".clang-tidy";
}

// Finds the end of what starts at `begin`: a comment, a literal, or a single character of code.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text), code_(text) {}

  std::string run() {
    while (position_ < text_.size()) step();
    return std::move(code_);
  }

 private:
  void step() {
    const std::string_view rest = text_.substr(position_);
    if (rest.starts_with("//")) {
      blank(std::min(rest.find('\n'), rest.size()));
    } else if (rest.starts_with("/*")) {
      const std::size_t end = rest.find("*/", 2);
      blank(end == std::string_view::npos ? rest.size() : end + 2);
    } else if (rest.starts_with("R\"")) {
      blank_raw_string(rest);
    } else if (rest.front() == '"' || (rest.front() == '\'' && !is_digit_separator())) {
      blank_literal(rest);
    } else {
      ++position_;
    }
  }

  [[nodiscard]] bool is_digit_separator() const {
    return position_ > 0 && std::isxdigit(static_cast<unsigned char>(text_[position_ - 1])) != 0;
  }

  void blank_raw_string(std::string_view rest) {
    const std::size_t open = rest.find('(');
    if (open == std::string_view::npos) return blank(rest.size());
    const std::string close = ")" + std::string(rest.substr(2, open - 2)) + "\"";
    const std::size_t end = rest.find(close, open);
    blank(end == std::string_view::npos ? rest.size() : end + close.size());
  }

  void blank_literal(std::string_view rest) {
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != rest.front() && rest[end] != '\n') {
      end += rest[end] == '\\' ? 2U : 1U;
    }
    // The quotes stay, so that a literal still reads as one.
    ++position_;
    blank(std::min(end, rest.size()) - 1);
    ++position_;
  }

  void blank(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, ++position_) {
      if (code_[position_] != '\n') code_[position_] = ' ';
    }
  }

  std::string_view text_;
  std::string code_;
  std::size_t position_ = 0;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Problem& problem) {
  return out << problem.path << ":" << problem.line << ": " << problem.what;
}

SourceTree read_tree(const std::string& root) {
  SourceTree tree;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator();
       ++entry) {
    const fs::path relative = entry->path().lexically_relative(root);
    if (is_skipped(relative)) {
      entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file()) continue;
    std::ifstream file(entry->path(), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    tree.emplace(relative.generic_string(), text.str());
  }
  return tree;
}

std::string code_only(std::string_view text) { return Scanner(text).run(); }

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view noun_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return name.substr(0, name.find('.'));
}

bool is_within(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

bool is_cpp(std::string_view path) { return path.ends_with(".h") || path.ends_with(".cc"); }

}  // namespace mallard::tidy
