#include "config/yaml/load_pairing.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "config/relations.h"
#include "config/value_text.h"
#include "config/yaml/document.h"
#include "config/yaml/settings_reader.h"

namespace mallard::config {
namespace {

using Problems = std::vector<ConfigProblem>;

Failure<Problems> whole_file(const std::string& file, std::string what, std::string advice) {
  return Failure<Problems>(Problems{{file, {}, std::move(what), std::move(advice)}});
}

std::string reason(int error) { return std::generic_category().message(error); }

// The file's content, of which more than file_bytes_max is never read.
Result<std::string, Problems> read_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) {
    return whole_file(path, fmt::format("cannot be opened: {}", reason(errno)),
                      "check the path and its permissions");
  }
  std::string content(file_bytes_max + 1, '\0');
  std::size_t filled = 0;
  ssize_t got = 1;
  int error = 0;
  while (got > 0 && filled < content.size()) {
    got = ::read(file, content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) {
      got = 1;
      continue;
    }
    error = got < 0 ? errno : 0;
    filled += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  ::close(file);
  if (error != 0) {
    return whole_file(path, fmt::format("cannot be read: {}", reason(error)), "name a file that can be read");
  }
  if (filled > file_bytes_max) {
    return whole_file(path, fmt::format("is larger than {}", size_text(file_bytes_max)),
                      "name the pairing's YAML file; a real one is a few KiB");
  }
  content.resize(filled);
  return content;
}

}  // namespace

Result<Pairing, Problems> load_pairing(const std::string& path) {
  const Result<std::string, Problems> content = read_file(path);
  if (!content) {
    return Failure<Problems>(content.error());
  }
  return parse_pairing(*content, path);
}

Result<Pairing, Problems> parse_pairing(std::string_view text, const std::string& file) {
  if (text.size() > file_bytes_max) {
    return whole_file(file, fmt::format("is larger than {}", size_text(file_bytes_max)), "make it smaller");
  }
  ProblemList problems(file);
  const TreeNode root = parse_document(text, problems);
  if (root.kind == TreeNode::Kind::nothing) {
    if (problems.empty()) {
      return whole_file(file, "is empty", "start from `mallard config template`");
    }
    return Failure<Problems>(problems.take());
  }
  Pairing pairing;
  SettingsReader reader(problems);
  reader.read(root, pairing);
  for (BrokenRelation& broken : check_relations(pairing)) {
    reader.add_broken(broken.settings, std::move(broken.what), std::move(broken.advice));
  }
  if (!problems.empty()) {
    return Failure<Problems>(problems.take());
  }
  for (ClusterSettings& cluster : pairing.clusters) {
    std::sort(cluster.replicas.begin(), cluster.replicas.end(),
              [](const ReplicaSettings& a, const ReplicaSettings& b) { return a.id < b.id; });
  }
  return pairing;
}

}  // namespace mallard::config
