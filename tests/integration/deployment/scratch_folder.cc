#include "tests/integration/deployment/scratch_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace mallard::integration {

ScratchFolder::ScratchFolder(const std::string& purpose) {
  std::string name = (std::filesystem::temp_directory_path() / ("mallard-" + purpose + "-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), name);
  }
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  if (std::getenv("MALLARD_KEEP") != nullptr) {
    std::fprintf(stderr, "kept: %s\n", path_.c_str());
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace mallard::integration
