#include "tests/tidy/dashboard_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

namespace mallard::tidy {
namespace {

constexpr std::string_view prefix = "mallard_";
constexpr std::array suffixes{std::string_view("_bucket"), std::string_view("_count"),
                              std::string_view("_sum")};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::vector<std::string_view> metrics_in(std::string_view line) {
  std::vector<std::string_view> names;
  for (std::size_t at = line.find(prefix); at != std::string_view::npos; at = line.find(prefix, at)) {
    std::size_t end = at;
    while (end < line.size() && is_word(line[end])) ++end;
    if (at == 0 || !is_word(line[at - 1])) names.push_back(line.substr(at, end - at));
    at = end;
  }
  return names;
}

bool is_shown(const SourceTree& tree, std::string_view name) {
  const std::string literal = '"' + std::string(name) + '"';
  return std::any_of(tree.begin(), tree.end(), [&](const auto& file) {
    return is_cpp(file.first) && (is_within(file.first, "cli") || is_within(file.first, "transport")) &&
           file.second.find(literal) != std::string::npos;
  });
}

bool exists(const SourceTree& tree, std::string_view name) {
  return is_shown(tree, name) || std::any_of(suffixes.begin(), suffixes.end(), [&](auto suffix) {
           return name.ends_with(suffix) && is_shown(tree, name.substr(0, name.size() - suffix.size()));
         });
}

bool names_word(const SourceTree& tree, std::string_view path, std::string_view word) {
  const auto file = tree.find(path);
  if (file == tree.end()) return false;
  const std::string& text = file->second;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

}  // namespace

std::vector<Problem> check_dashboards(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const auto& [path, text] : tree) {
    if (!is_within(path, "dashboards") || path.ends_with(".md")) continue;
    int number = 0;
    for (const std::string_view line : lines_of(text)) {
      ++number;
      for (const std::string_view name : metrics_in(line)) {
        if (!exists(tree, name)) problems.push_back({path, number, "no process has " + std::string(name)});
      }
    }
  }
  constexpr std::string_view head = "- alert: ";
  const auto rules = tree.find("dashboards/rules.yml");
  if (rules == tree.end()) return problems;
  int number = 0;
  for (const std::string_view line : lines_of(rules->second)) {
    ++number;
    const std::size_t at = line.find(head);
    if (at == std::string_view::npos) continue;
    const std::string_view alert = line.substr(at + head.size());
    for (const char* where : {"dashboards/README.md", "dashboards/rules_test.yml"}) {
      if (!names_word(tree, where, alert)) {
        problems.push_back({rules->first, number, std::string(alert) + " is not in " + where});
      }
    }
  }
  return problems;
}

}  // namespace mallard::tidy
