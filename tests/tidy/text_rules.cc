#include "tests/tidy/text_rules.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace mallard::tidy {

namespace {

// Written in two halves, so that this file passes its own check.
constexpr std::array reminders{std::string_view("TO"
                                                "DO"),
                               std::string_view("FIX"
                                                "ME"),
                               std::string_view("XX"
                                                "X"),
                               std::string_view("HA"
                                                "CK")};
constexpr std::array machine_paths{std::string_view("/wo"
                                                    "rk/"),
                                   std::string_view("/ho"
                                                    "me/"),
                                   std::string_view("/ro"
                                                    "ot/"),
                                   std::string_view("/Use"
                                                    "rs/")};

// Columns of a line in UTF-8: every byte that does not continue a character.
int columns_of(std::string_view line) {
  return static_cast<int>(std::count_if(
      line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_text(std::string_view content) { return content.find('\0') == std::string_view::npos; }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool holds_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const std::size_t after = at + word.size();
    if ((at == 0 || !is_word(line[at - 1])) && (after == line.size() || !is_word(line[after]))) return true;
  }
  return false;
}

// A path from the root of a machine: not the middle of a longer path or of an address.
bool holds_machine_path(std::string_view line, std::string_view path) {
  for (std::size_t at = line.find(path); at != std::string_view::npos; at = line.find(path, at + 1)) {
    if (at == 0 || (!is_word(line[at - 1]) && line[at - 1] != '.' && line[at - 1] != '}')) return true;
  }
  return false;
}

// Watches the braces of a file go by and measures functions.
class BraceWalk {
 public:
  // Takes the code of one more line; returns the length of the function that ends in it, else 0.
  int take(std::string_view line, int number) {
    int length = 0;
    for (const char c : line) {
      if (c == '{') {
        open(number);
      } else if (c == '}') {
        length = std::max(length, close(number));
      } else if (c == ';') {
        head_.clear();
      } else {
        head_ += c;
      }
    }
    head_ += ' ';
    return length;
  }

 private:
  void open(int number) {
    if (function_depth_ == 0 && !holds_word(head_, "namespace") && !is_type() && head_.find('(') != npos) {
      function_depth_ = depth_ + 1;
      function_line_ = number;
    }
    ++depth_;
    head_.clear();
  }

  int close(int number) {
    head_.clear();
    const bool ends_function = depth_ == function_depth_;
    --depth_;
    if (!ends_function) return 0;
    function_depth_ = 0;
    return number - function_line_ + 1;
  }

  [[nodiscard]] bool is_type() const {
    // A function may return a struct; a type's head has no parenthesis outside of alignas.
    const bool named =
        holds_word(head_, "struct") || holds_word(head_, "class") || holds_word(head_, "union");
    return named && (head_.find('(') == npos || head_.find("alignas(") != npos);
  }

  static constexpr std::size_t npos = std::string::npos;
  // What was written since the last brace or semicolon.
  std::string head_;
  int depth_ = 0;
  // Depth inside of the function that is open; 0 if none is.
  int function_depth_ = 0;
  int function_line_ = 0;
};

void check_line(const std::string& path, int number, std::string_view line, std::vector<Problem>& problems) {
  for (const std::string_view reminder : reminders) {
    if (holds_word(line, reminder))
      problems.push_back({path, number, std::string(reminder) + " is left over"});
  }
  for (const std::string_view machine_path : machine_paths) {
    if (holds_machine_path(line, machine_path)) {
      problems.push_back({path, number, "a path of one machine: " + std::string(machine_path)});
    }
  }
  if (line.ends_with('\r')) problems.push_back({path, number, "a carriage return"});
  if (line.ends_with(' ') || line.ends_with('\t')) problems.push_back({path, number, "ends in blanks"});
}

}  // namespace

std::vector<Problem> check_lengths(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const auto& [path, text] : tree) {
    if (!is_cpp(path)) continue;
    int number = 0;
    for (const std::string_view line : lines_of(text)) {
      ++number;
      if (const int columns = columns_of(line); columns > line_columns_max) {
        problems.push_back({path, number, std::to_string(columns) + " columns, more than 110"});
      }
    }
    if (number > source_lines_max)
      problems.push_back({path, 0, std::to_string(number) + " lines, more than 500"});
  }
  return problems;
}

std::vector<Problem> check_functions(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const auto& [path, text] : tree) {
    if (!is_cpp(path)) continue;
    BraceWalk walk;
    int number = 0;
    const std::string code = code_only(text);
    for (const std::string_view line : lines_of(code)) {
      const int length = walk.take(line, ++number);
      if (length > function_lines_max) {
        problems.push_back(
            {path, number, "a function of " + std::to_string(length) + " lines ends here, more than 70"});
      }
    }
  }
  return problems;
}

std::vector<Problem> check_leftovers(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const auto& [path, text] : tree) {
    if (text.size() > file_bytes_max) problems.push_back({path, 0, "larger than 100 kB"});
    // The licence is quoted as it is, patches and recorded inputs are bytes, not prose.
    if (path == "LICENSE" || path.ends_with(".patch") || is_within(path, "tests/fuzz/corpus") ||
        !is_text(text)) {
      continue;
    }
    if (!text.empty() && text.back() != '\n') problems.push_back({path, 0, "has no newline at its end"});
    int number = 0;
    for (const std::string_view line : lines_of(text)) check_line(path, ++number, line, problems);
  }
  return problems;
}

}  // namespace mallard::tidy
