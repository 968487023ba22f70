#include "cli/bench/scratch_folder.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace mallard::cli {

ScratchFolder::ScratchFolder(Medium medium) {
  const std::filesystem::path parent =
      medium == Medium::disk ? std::filesystem::temp_directory_path() : std::filesystem::path("/dev/shm");
  std::string pattern = (parent / "mallard-bench-XXXXXX").string();
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
  const std::filesystem::path made = path_ / name;
  std::filesystem::create_directory(made);
  return made;
}

}  // namespace mallard::cli
