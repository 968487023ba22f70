#include "tests/tidy/readme_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <set>

namespace mallard::tidy {

namespace {

constexpr std::array house{
    std::string_view("config"), std::string_view("crypto"),     std::string_view("bridge"),
    std::string_view("rsm"),    std::string_view("transport"),  std::string_view("cli"),
    std::string_view("tests"),  std::string_view("dashboards"), std::string_view("docker")};
constexpr std::array headings{std::string_view("What it does"), std::string_view("Read in this order"),
                              std::string_view("Invariants"), std::string_view("Decisions")};

// The text of a heading line, or nothing.
std::string_view heading_of(std::string_view line) {
  const std::size_t hashes = line.find_first_not_of('#');
  if (hashes == 0 || hashes == std::string_view::npos || line[hashes] != ' ') return {};
  return line.substr(hashes + 1);
}

bool has_heading(std::string_view text, std::string_view heading) {
  const std::vector<std::string_view> lines = lines_of(text);
  return std::any_of(lines.begin(), lines.end(), [&](auto line) { return heading_of(line) == heading; });
}

// As web front ends make anchors from headings: lower case, blanks to dashes, other punctuation dropped.
std::string anchor_of(std::string_view heading) {
  std::string anchor;
  for (const char c : heading) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

bool has_anchor(std::string_view text, std::string_view anchor) {
  const std::vector<std::string_view> lines = lines_of(text);
  return std::any_of(lines.begin(), lines.end(), [&](auto line) {
    const std::string_view heading = heading_of(line);
    return !heading.empty() && anchor_of(heading) == anchor;
  });
}

bool exists(const SourceTree& tree, std::string_view path) {
  if (path.empty() || path == "." || tree.find(path) != tree.end()) return true;
  const auto inside = tree.lower_bound(std::string(path) + "/");
  return inside != tree.end() && is_within(inside->first, path);
}

// What is wrong with a link of the file at `path`, or nothing.
std::string link_fault(const SourceTree& tree, std::string_view path, std::string_view target) {
  if (target.find("://") != std::string_view::npos || target.starts_with("mailto:")) return {};
  const std::size_t hash = std::min(target.find('#'), target.size());
  std::string file(path);
  if (hash > 0) {
    const auto joined = std::filesystem::path(folder_of(path)) / std::string(target.substr(0, hash));
    file = joined.lexically_normal().generic_string();
    if (file.ends_with('/')) file.pop_back();
  }
  if (!exists(tree, file)) return "the link to " + std::string(target) + " leads nowhere";
  if (hash == target.size()) return {};
  const auto linked = tree.find(file);
  const bool found = linked != tree.end() && has_anchor(linked->second, target.substr(hash + 1));
  return found ? std::string() : "the link to " + std::string(target) + " names no heading";
}

// True for text that can only be meant as the path of a file of ours.
bool looks_like_path(std::string_view text) {
  const bool in_house = std::any_of(
      house.begin(), house.end(), [&](auto top) { return text.size() > top.size() && is_within(text, top); });
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '/' || c == '.';
  });
  return in_house && plain && text.find('.') != std::string_view::npos;
}

void check_line(const SourceTree& tree, const std::string& path, int number, std::string_view line,
                std::vector<Problem>& problems) {
  for (std::size_t at = line.find("]("); at != std::string_view::npos; at = line.find("](", at + 2)) {
    const std::size_t close = line.find(')', at);
    if (close == std::string_view::npos) break;
    std::string fault = link_fault(tree, path, line.substr(at + 2, close - at - 2));
    if (!fault.empty()) problems.push_back({path, number, std::move(fault)});
  }
  std::size_t open = line.find('`');
  while (open != std::string_view::npos) {
    const std::size_t close = line.find('`', open + 1);
    if (close == std::string_view::npos) break;
    const std::string_view quoted = line.substr(open + 1, close - open - 1);
    if (looks_like_path(quoted) && !exists(tree, quoted)) {
      problems.push_back({path, number, std::string(quoted) + " does not exist"});
    }
    open = line.find('`', close + 1);
  }
}

// The table of ./dev as "name|budget" pairs.
std::vector<std::pair<std::string, std::string>> suites_of(std::string_view script) {
  std::vector<std::pair<std::string, std::string>> suites;
  bool inside = false;
  for (const std::string_view line : lines_of(script)) {
    if (line == "suites=(") inside = true;
    if (line == ")") inside = false;
    const std::size_t bar = line.find('|');
    const std::size_t quote = line.find('"');
    if (!inside || bar == std::string_view::npos || quote > bar) continue;
    const std::size_t second = line.find('|', bar + 1);
    suites.emplace_back(line.substr(quote + 1, bar - quote - 1), line.substr(bar + 1, second - bar - 1));
  }
  return suites;
}

}  // namespace

std::vector<Problem> check_readmes(const SourceTree& tree) {
  std::vector<Problem> problems;
  std::set<std::string> folders;
  std::set<std::string> test_folders;
  for (const auto& [path, text] : tree) {
    if (!is_cpp(path)) continue;
    const std::string folder(folder_of(path));
    if (!is_within(path, "tests")) {
      folders.insert(folder);
      continue;
    }
    const std::string below(folder.substr(std::min(folder.size(), std::string_view("tests/").size())));
    const std::string top = below.substr(0, below.find('/'));
    if (std::find(house.begin(), house.end(), top) == house.end()) test_folders.insert(top);
  }
  for (const std::string& folder : folders) {
    const std::string path = folder + "/README.md";
    const auto readme = tree.find(path);
    if (readme == tree.end()) {
      problems.push_back({path, 0, "is missing"});
      continue;
    }
    for (const std::string_view heading : headings) {
      if (!has_heading(readme->second, heading)) {
        problems.push_back({path, 0, "has no heading \"" + std::string(heading) + "\""});
      }
    }
  }
  const auto overview = tree.find("tests/README.md");
  for (const std::string& folder : test_folders) {
    std::string name = "`";
    name.append(folder).append("/`");
    if (overview == tree.end() || overview->second.find(name) == std::string::npos) {
      problems.push_back({"tests/README.md", 0, "says nothing about " + name});
    }
  }
  return problems;
}

std::vector<Problem> check_links(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const auto& [path, text] : tree) {
    if (!path.ends_with(".md")) continue;
    int number = 0;
    bool in_block = false;
    for (const std::string_view line : lines_of(text)) {
      ++number;
      if (line.starts_with("```")) in_block = !in_block;
      if (!in_block) check_line(tree, path, number, line, problems);
    }
  }
  return problems;
}

std::vector<Problem> check_suites_are_documented(const SourceTree& tree) {
  const auto script = tree.find("dev");
  const auto readme = tree.find("tests/README.md");
  if (script == tree.end() || readme == tree.end()) return {{"tests/README.md", 0, "or ./dev is missing"}};
  std::vector<Problem> problems;
  std::set<std::string> rows;
  std::set<std::string> names;
  for (const auto& [name, budget] : suites_of(script->second)) {
    if (!names.insert(name).second) problems.push_back({"dev", 0, "names the suite " + name + " twice"});
    std::string row = "| `" + name + "` | " + budget + " s |";
    if (readme->second.find(row) == std::string::npos) {
      problems.push_back({"tests/README.md", 0, "lacks the row of ./dev: " + row});
    }
    rows.insert(std::move(row));
  }
  if (rows.empty()) problems.push_back({"dev", 0, "has no table of suites"});
  int number = 0;
  for (const std::string_view line : lines_of(readme->second)) {
    ++number;
    if (!line.starts_with("| `") || line.find(" s |") == std::string_view::npos) continue;
    const std::string row(line.substr(0, line.find(" s |") + 4));
    if (!rows.contains(row))
      problems.push_back({"tests/README.md", number, "./dev has no such suite: " + row});
  }
  return problems;
}

}  // namespace mallard::tidy
