// A mounted forgetful disk, for one test.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "config/base/result.h"
#include "tests/integration/deployment/child_process.h"
#include "tests/integration/deployment/scratch_folder.h"

namespace mallard::integration {

class ForgetfulMount {
 public:
  // Starts the program `forgetful_disk` beside this one and waits until it answers; unmounted with its
  // object. The error says what is missing on this machine.
  [[nodiscard]] static Result<ForgetfulMount, std::string> mount();
  ForgetfulMount(ForgetfulMount&&) = default;
  ~ForgetfulMount();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // A command of forgetful_disk.cc. False if it is refused.
  [[nodiscard]] bool tell(const std::string& command) const;

 private:
  ForgetfulMount(std::unique_ptr<ScratchFolder> folder, std::filesystem::path path, ChildProcess server)
      : folder_(std::move(folder)), path_(std::move(path)), server_(std::move(server)) {}

  std::unique_ptr<ScratchFolder> folder_;  // nothing after it was moved away
  std::filesystem::path path_;
  ChildProcess server_;
};

}  // namespace mallard::integration
