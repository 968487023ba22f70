#include "tests/tidy/name_rules.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace mallard::tidy {

namespace {

constexpr std::array banned_words{std::string_view("manager"),  std::string_view("helper"),
                                  std::string_view("helpers"),  std::string_view("util"),
                                  std::string_view("utils"),    std::string_view("impl"),
                                  std::string_view("processor")};
constexpr std::array banned_endings{std::string_view("base"), std::string_view("info"),
                                    std::string_view("data")};

constexpr std::array type_keywords{std::string_view("class"),   std::string_view("struct"),
                                   std::string_view("enum"),    std::string_view("union"),
                                   std::string_view("concept"), std::string_view("using")};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// "QuackTracker" and "quack_tracker" -> quack, tracker.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  bool starts_word = true;
  for (const char c : name) {
    if (c == '_') {
      starts_word = true;
      continue;
    }
    if (starts_word || std::isupper(static_cast<unsigned char>(c)) != 0) words.emplace_back();
    starts_word = false;
    words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return words;
}

// Why the name is banned, or nothing.
std::string fault_of(std::string_view name) {
  const std::vector<std::string> words = words_of(name);
  if (words.empty()) return {};
  for (const std::string& word : words) {
    if (std::find(banned_words.begin(), banned_words.end(), word) != banned_words.end()) {
      return std::string(name) + " says nothing: \"" + word + "\" is banned in names";
    }
  }
  if (std::find(banned_endings.begin(), banned_endings.end(), words.back()) != banned_endings.end()) {
    return std::string(name) + " says nothing: no name ends in \"" + words.back() + "\"";
  }
  if (words.size() == 1 && words.front() == "handler") return std::string(name) + " of what? It needs a noun";
  return {};
}

// Identifiers of a line, in order.
std::vector<std::string_view> identifiers_of(std::string_view line) {
  std::vector<std::string_view> identifiers;
  for (std::size_t begin = 0; begin < line.size(); ++begin) {
    if (!is_word(line[begin])) continue;
    std::size_t end = begin;
    while (end < line.size() && is_word(line[end])) ++end;
    identifiers.push_back(line.substr(begin, end - begin));
    begin = end;
  }
  return identifiers;
}

bool is_type_keyword(std::string_view word) {
  return std::find(type_keywords.begin(), type_keywords.end(), word) != type_keywords.end();
}

struct Construct {
  std::string_view identifier;
  // Start of the paths in which it is banned; empty means everywhere.
  std::string_view where;
  std::string_view instead;
};

constexpr std::array constructs{
    Construct{"assert", "", "use MALLARD_INVARIANT, which stays on"},
    Construct{"source_location", "", "Clang 14 does not have it"},
    Construct{"co_await", "", "GCC 12 miscompiles coroutines; use callbacks"},
    Construct{"co_yield", "", "GCC 12 miscompiles coroutines; use callbacks"},
    Construct{"co_return", "", "GCC 12 miscompiles coroutines; use callbacks"},
    Construct{"reinterpret_cast", "bridge/wire/", "read foreign bytes field by field"},
    Construct{"reinterpret_cast", "rsm/wire/", "read foreign bytes field by field"},
    Construct{"sleep_for", "tests/", "wait on a condition with a deadline"},
    Construct{"sleep_until", "tests/", "wait on a condition with a deadline"},
    Construct{"usleep", "tests/", "wait on a condition with a deadline"},
};

void check_line(const std::string& path, int number, std::string_view line, std::vector<Problem>& problems) {
  for (const std::string_view word : identifiers_of(line)) {
    for (const Construct& construct : constructs) {
      if (word == construct.identifier && path.starts_with(construct.where)) {
        problems.push_back({path, number, std::string(word) + ": " + std::string(construct.instead)});
      }
    }
  }
  if (line.find("std::format") != std::string_view::npos) {
    problems.push_back({path, number, "std::format: GCC 12 does not have it; use fmt"});
  }
  if (path.ends_with(".h") && line.find("using namespace") != std::string_view::npos) {
    problems.push_back({path, number, "using namespace in a header"});
  }
}

}  // namespace

std::vector<Problem> check_names(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const auto& [path, text] : tree) {
    if (!is_cpp(path)) continue;
    if (std::string fault = fault_of(noun_of(path)); !fault.empty()) problems.push_back({path, 0, fault});
    const std::string code = code_only(text);
    int number = 0;
    for (const std::string_view line : lines_of(code)) {
      ++number;
      const std::vector<std::string_view> words = identifiers_of(line);
      for (std::size_t i = 1; i < words.size(); ++i) {
        if (!is_type_keyword(words[i - 1]) || is_type_keyword(words[i])) continue;
        if (std::string fault = fault_of(words[i]); !fault.empty()) problems.push_back({path, number, fault});
      }
    }
  }
  return problems;
}

std::vector<Problem> check_constructs(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const auto& [path, text] : tree) {
    if (!is_cpp(path)) continue;
    if (path.ends_with(".h") && text.find("#pragma once\n") == std::string::npos) {
      problems.push_back({path, 0, "the header has no #pragma once"});
    }
    const std::string code = code_only(text);
    int number = 0;
    for (const std::string_view line : lines_of(code)) check_line(path, ++number, line, problems);
  }
  return problems;
}

}  // namespace mallard::tidy
