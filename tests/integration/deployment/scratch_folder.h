// A folder for one test.
#pragma once

#include <filesystem>
#include <string>

namespace mallard::integration {

// Made at once, readable by its owner alone; goes with its object, unless MALLARD_KEEP is set in the
// environment.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& purpose);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace mallard::integration
