#include "cli/bench/scratch_folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace mallard::cli {
namespace {

// The journals of a cluster, before they forget.
constexpr std::uintmax_t memory_bytes_min = 1ULL << 30;

std::filesystem::path parent_of(ScratchFolder::Medium medium) {
  std::filesystem::path memory = "/dev/shm";
  if (medium == ScratchFolder::Medium::memory) {
    std::error_code failed;
    const std::filesystem::space_info space = std::filesystem::space(memory, failed);
    if (!failed && space.available >= memory_bytes_min) {
      return memory;
    }
    fmt::print(stderr, "/dev/shm has less than {} MiB: the journals lie in {}, which may slow them down\n",
               memory_bytes_min >> 20, std::filesystem::temp_directory_path().string());
  }
  return std::filesystem::temp_directory_path();
}

}  // namespace

ScratchFolder::ScratchFolder(Medium medium) {
  std::string pattern = (parent_of(medium) / "mallard-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), pattern);
  }
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path ScratchFolder::make(const std::string& name) const {
  std::filesystem::path made = path_ / name;
  std::filesystem::create_directory(made);
  return made;
}

}  // namespace mallard::cli
