#include "tests/tidy/mirror_rules.h"

#include <algorithm>
#include <array>
#include <set>

namespace mallard::tidy {

namespace {

struct Excuse {
  std::string_view path;
  std::string_view reason;
};

constexpr std::array mirrored{std::string_view("config"), std::string_view("crypto"),
                              std::string_view("bridge"), std::string_view("rsm"),
                              std::string_view("transport")};

// Files that compute something and still have no test of their own, each with its reason.
constexpr std::array excuses{
    Excuse{"crypto/sodium.h", "the start of a library; every other test of crypto/ goes through it"},
    Excuse{"crypto/sodium.cc", "the same"},
};

std::string mirror_of(std::string_view path) {
  return "tests/" + std::string(folder_of(path)) + "/" + std::string(noun_of(path)) + "_test.cc";
}

// True if the CMakeLists.txt of the file's folder, or of one above, names the file by its path from there, or
// all files of its folder by a pattern.
bool is_built(const SourceTree& tree, std::string_view path) {
  for (std::string_view folder = folder_of(path); !folder.empty(); folder = folder_of(folder)) {
    const auto cmake = tree.find(std::string(folder) + "/CMakeLists.txt");
    if (cmake == tree.end()) continue;
    const std::string_view name = path.substr(folder.size() + 1);
    const std::string pattern =
        folder_of(name).empty() ? " *.cc" : " " + std::string(folder_of(name)) + "/*.cc";
    if (cmake->second.find(name) != std::string::npos || cmake->second.find(pattern) != std::string::npos) {
      return true;
    }
  }
  return false;
}

// True for a header alone that computes nothing: types, constants, ports. Their tests are those of their
// users.
bool only_declares(const SourceTree& tree, const std::string& path, std::string_view text) {
  if (!path.ends_with(".h")) return false;
  const std::string source = path.substr(0, path.size() - 2) + ".cc";
  return !tree.contains(source) && code_only(text).find("return ") == std::string::npos;
}

bool is_mirrored(std::string_view path) {
  return std::any_of(mirrored.begin(), mirrored.end(), [&](auto top) { return is_within(path, top); });
}

bool is_excused(std::string_view path) {
  return std::any_of(excuses.begin(), excuses.end(),
                     [&](const Excuse& excuse) { return excuse.path == path; });
}

}  // namespace

std::vector<Problem> check_mirrors(const SourceTree& tree) {
  std::vector<Problem> problems;
  std::set<std::string> reported;
  for (const auto& [path, text] : tree) {
    if (!is_cpp(path) || !is_mirrored(path)) continue;
    const std::string mirror = mirror_of(path);
    if (tree.contains(mirror) || only_declares(tree, path, text)) continue;
    if (!is_excused(path) && reported.insert(mirror).second)
      problems.push_back({path, 0, "has no " + mirror});
  }
  return problems;
}

std::vector<Problem> check_excuses(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const Excuse& excuse : excuses) {
    const std::string path(excuse.path);
    if (!tree.contains(path)) problems.push_back({path, 0, "is excused from a test but does not exist"});
    if (tree.contains(mirror_of(path))) problems.push_back({path, 0, "is excused from a test but has one"});
  }
  return problems;
}

std::vector<Problem> check_sources_are_built(const SourceTree& tree) {
  std::vector<Problem> problems;
  for (const auto& [path, text] : tree) {
    if (!path.ends_with(".cc")) continue;
    if (!is_built(tree, path)) problems.push_back({path, 0, "is not compiled: no CMakeLists.txt names it"});
  }
  return problems;
}

}  // namespace mallard::tidy
