// A control group that limits the memory of the processes in it, and says what they used.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "config/base/result.h"

namespace mallard::integration {

// Of cgroup version 1, or of version 2 where the memory controller is there. Goes with its object; its
// processes must have ended by then.
class MemoryGroup {
 public:
  // Fails, with the reason, where the machine or our rights do not allow it.
  [[nodiscard]] static Result<MemoryGroup, std::string> create(const std::string& name);
  ~MemoryGroup();
  MemoryGroup(MemoryGroup&& other) noexcept;
  MemoryGroup& operator=(MemoryGroup&&) = delete;

  // What is more is taken from the page cache first; then a process is killed.
  void limit(std::uint64_t bytes) const;
  // Memory of the processes themselves, without the page cache of the files that they read and write.
  [[nodiscard]] std::uint64_t anonymous_bytes() const;
  // How many processes the kernel has killed for want of memory.
  [[nodiscard]] std::uint64_t kills() const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  MemoryGroup(std::filesystem::path path, bool unified) : path_(std::move(path)), unified_(unified) {}
  [[nodiscard]] std::uint64_t number_after(const char* file, const std::string& label) const;

  std::filesystem::path path_;
  bool unified_;  // version 2
};

}  // namespace mallard::integration
