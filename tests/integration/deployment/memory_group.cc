#include "tests/integration/deployment/memory_group.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace mallard::integration {
namespace {

const std::filesystem::path root = "/sys/fs/cgroup";

bool unified_has_memory() {
  std::ifstream file(root / "cgroup.controllers");
  for (std::string word; file >> word;) {
    if (word == "memory") return true;
  }
  return false;
}

}  // namespace

Result<MemoryGroup, std::string> MemoryGroup::create(const std::string& name) {
  const bool unified = unified_has_memory();
  const std::filesystem::path parent = unified ? root : root / "memory";
  const std::filesystem::path path = parent / ("mallard-" + std::to_string(::getpid()) + "-" + name);
  if (unified) std::ofstream(parent / "cgroup.subtree_control") << "+memory";
  std::error_code error;
  if (!std::filesystem::create_directory(path, error)) {
    return Failure<std::string>("no memory group can be made at " + path.string() + ": " + error.message());
  }
  return MemoryGroup(path, unified);
}

MemoryGroup::~MemoryGroup() {
  if (!path_.empty()) ::rmdir(path_.c_str());
}

MemoryGroup::MemoryGroup(MemoryGroup&& other) noexcept
    : path_(std::exchange(other.path_, {})), unified_(other.unified_) {}

void MemoryGroup::limit(std::uint64_t bytes) const {
  std::ofstream file(path_ / (unified_ ? "memory.max" : "memory.limit_in_bytes"));
  file << bytes << std::flush;
  if (!file) throw std::runtime_error("the limit of " + path_.string() + " cannot be set");
}

std::uint64_t MemoryGroup::anonymous_bytes() const {
  return number_after("memory.stat", unified_ ? "anon" : "rss");
}

std::uint64_t MemoryGroup::kills() const {
  return number_after(unified_ ? "memory.events" : "memory.oom_control", "oom_kill");
}

std::uint64_t MemoryGroup::number_after(const char* file, const std::string& label) const {
  std::ifstream stream(path_ / file);
  std::string word;
  std::uint64_t value = 0;
  while (stream >> word >> value) {
    if (word == label) return value;
  }
  return 0;
}

}  // namespace mallard::integration
