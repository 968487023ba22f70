// The folder of one run of a benchmark.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "config/pairing.h"

namespace mallard::cli {

// A new folder; goes, with all that is in it, at the end. Throws std::system_error when it cannot be made.
class ScratchFolder {
 public:
  enum class Medium : std::uint8_t {
    disk,    // among the machine's temporary folders: TMPDIR decides on which disk
    memory,  // in /dev/shm, for what promises no more than memory; on the disk where /dev/shm is too small
  };
  explicit ScratchFolder(Medium medium);
  // On the medium of what a cluster promises.
  explicit ScratchFolder(config::Durability durability)
      : ScratchFolder(durability == config::Durability::disk ? Medium::disk : Medium::memory) {}
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // A new folder in it.
  [[nodiscard]] std::filesystem::path make(const std::string& name) const;

 private:
  std::filesystem::path path_;
};

}  // namespace mallard::cli
