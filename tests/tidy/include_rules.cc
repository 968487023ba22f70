#include "tests/tidy/include_rules.h"

#include <algorithm>
#include <array>
#include <optional>

namespace mallard::tidy {

namespace {

constexpr std::size_t granted_max = 8;
constexpr std::string_view yaml_loader = "config/yaml";
constexpr std::string_view system_calls = "config/system";

// A room and the rooms whose headers it may include. The first row that a path is within is its room; a room
// may always include itself. A grant covers the subfolders of what it names, except config/yaml: the loader
// is for those who are granted it by name.
struct Room {
  std::string_view folder;
  std::array<std::string_view, granted_max> granted;
};

constexpr std::array rooms{
    Room{"config/base", {}},
    Room{yaml_loader, {"config"}},
    Room{system_calls, {"config/base"}},
    Room{"config", {"config/base", "config/contract", system_calls}},
    Room{"crypto", {"config"}},
    Room{"bridge/core", {"config", "crypto"}},
    Room{"bridge/wire", {"config", "crypto", "bridge/core"}},
    Room{"bridge/apply", {"config", "crypto", "bridge/core", "bridge/wire"}},
    Room{"bridge", {"config", "crypto", "transport", "bridge"}},
    Room{"rsm/core", {"config", "crypto"}},
    Room{"rsm/wire", {"config", "crypto", "rsm/core"}},
    Room{"rsm/machine", {"config", "crypto", "rsm/core"}},
    Room{"rsm/execute", {"config", "crypto", "rsm/core", "rsm/machine"}},
    Room{"rsm", {"config", "crypto", "transport", "rsm"}},
    Room{"transport", {"config", "crypto"}},
    Room{"cli/lab", {"config", "crypto", "bridge", "rsm", "transport", "cli", yaml_loader, "tests/sim"}},
    Room{"cli", {"config", "crypto", "bridge", "rsm", "transport", "cli", yaml_loader}},
    Room{"tests", {"config", "crypto", "bridge", "rsm", "transport", "cli", yaml_loader}},
};

// A third-party library by the start of its header's name, and the rooms that may use it.
struct Library {
  std::string_view prefix;
  std::array<std::string_view, granted_max> granted;
};

constexpr std::array libraries{
    Library{"yaml-cpp/", {yaml_loader}},
    Library{"asio", {"transport"}},
    Library{"openssl/", {"transport", "crypto"}},
    Library{"sodium", {"crypto"}},
    Library{"infiniband/", {"transport/memory/verbs"}},
    Library{"prometheus/", {"transport/admin"}},
    Library{"httplib", {"transport/admin"}},
    Library{"CLI/", {"cli"}},
    Library{"nlohmann/", {"cli", "transport/admin"}},
    Library{"spdlog/", {"cli", "transport", "bridge/gateway", "bridge/attach", "rsm/replica"}},
    Library{"gtest/", {}},
    Library{"gmock/", {}},
    Library{"benchmark/", {}},
};

constexpr std::array pure_rooms{std::string_view("bridge/core"), std::string_view("bridge/wire"),
                                std::string_view("rsm/core"), std::string_view("rsm/wire")};

constexpr std::array impure_headers{std::string_view("thread"),        std::string_view("mutex"),
                                    std::string_view("shared_mutex"),  std::string_view("future"),
                                    std::string_view("semaphore"),     std::string_view("condition_variable"),
                                    std::string_view("chrono"),        std::string_view("ctime"),
                                    std::string_view("random"),        std::string_view("iostream"),
                                    std::string_view("istream"),       std::string_view("ostream"),
                                    std::string_view("fstream"),       std::string_view("sstream"),
                                    std::string_view("filesystem"),    std::string_view("cstdio"),
                                    std::string_view("unordered_map"), std::string_view("unordered_set"),
                                    std::string_view("map"),           std::string_view("set"),
                                    std::string_view("list"),          std::string_view("deque"),
                                    std::string_view("functional"),    std::string_view("string"),
                                    std::string_view("regex"),         std::string_view("any"),
                                    std::string_view("coroutine"),     std::string_view("memory_resource")};

constexpr std::array impure_types{std::string_view("std::string"), std::string_view("std::function"),
                                  std::string_view("std::shared_ptr"), std::string_view("std::make_shared"),
                                  std::string_view("std::random_device")};

struct Include {
  std::string_view name;
  bool quoted;
};

std::optional<Include> parse_include(std::string_view line) {
  const std::size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || line[hash] != '#') return std::nullopt;
  const std::size_t word = line.find_first_not_of(" \t", hash + 1);
  if (word == std::string_view::npos || !line.substr(word).starts_with("include")) return std::nullopt;
  const std::size_t open = line.find_first_of("\"<", word);
  if (open == std::string_view::npos) return std::nullopt;
  const std::size_t close = line.find(line[open] == '<' ? '>' : '"', open + 1);
  if (close == std::string_view::npos) return std::nullopt;
  return Include{line.substr(open + 1, close - open - 1), line[open] == '"'};
}

bool is_pure(std::string_view path) {
  return std::any_of(pure_rooms.begin(), pure_rooms.end(), [&](auto room) { return is_within(path, room); });
}

bool is_standard(std::string_view header) { return header.find_first_of("./") == std::string_view::npos; }

const Room* room_of(std::string_view path) {
  for (const Room& room : rooms) {
    if (is_within(path, room.folder)) return &room;
  }
  return nullptr;
}

bool grants(const std::array<std::string_view, granted_max>& granted, std::string_view path) {
  return std::any_of(granted.begin(), granted.end(), [&](std::string_view room) {
    return !room.empty() && is_within(path, room) && (room == yaml_loader || !is_within(path, yaml_loader));
  });
}

std::string quoted_problem(const SourceTree& tree, std::string_view path, std::string_view name) {
  if (tree.find(name) == tree.end()) {
    return "includes \"" + std::string(name) + "\", which is no path from the root of the repository";
  }
  const Room* room = room_of(path);
  const bool is_impure = is_pure(path) && is_within(name, system_calls);
  if (room == nullptr || room == room_of(name) || (!is_impure && grants(room->granted, name))) return {};
  return std::string(room->folder) + " may not include " + std::string(folder_of(name));
}

std::string angled_problem(std::string_view path, std::string_view name) {
  if (is_within(path, "tests")) return {};
  const std::string header = "<" + std::string(name) + ">";
  if (is_pure(path) || is_within(path, "config/base")) {
    if (name != "tl/expected.hpp" && !is_standard(name)) return header + " has no place in a pure room";
  }
  if (is_pure(path) &&
      std::find(impure_headers.begin(), impure_headers.end(), name) != impure_headers.end()) {
    return header + " has no place in a core or codec";
  }
  for (const Library& library : libraries) {
    if (name.starts_with(library.prefix) && !grants(library.granted, path)) {
      return header + " is not for " + std::string(folder_of(path));
    }
  }
  return {};
}

bool holds_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t after = at + word.size();
    const bool goes_on = after < text.size() &&
                         (std::isalnum(static_cast<unsigned char>(text[after])) != 0 || text[after] == '_');
    if (!goes_on) return true;
  }
  return false;
}

void check_core_line(const std::string& path, int number, std::string_view line,
                     std::vector<Problem>& problems) {
  for (const std::string_view type : impure_types) {
    if (holds_word(line, type)) {
      problems.push_back({path, number, std::string(type) + " has no place in a core or codec"});
    }
  }
}

}  // namespace

std::vector<Problem> check_includes(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const auto& [path, text] : tree) {
    if (!is_cpp(path)) continue;
    int number = 0;
    for (const std::string_view line : lines_of(text)) {
      ++number;
      const std::optional<Include> include = parse_include(line);
      if (!include) continue;
      std::string what =
          include->quoted ? quoted_problem(tree, path, include->name) : angled_problem(path, include->name);
      if (!what.empty()) problems.push_back({path, number, std::move(what)});
    }
  }
  return problems;
}

std::vector<Problem> check_core_types(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const auto& [path, text] : tree) {
    if (!is_cpp(path) || !is_pure(path)) continue;
    const std::string code = code_only(text);
    int number = 0;
    for (const std::string_view line : lines_of(code)) check_core_line(path, ++number, line, problems);
  }
  return problems;
}

}  // namespace mallard::tidy
