#include "tests/integration/forgetful_disk/forgetful_mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>

#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {

namespace {

constexpr Duration mount_limit = Duration::seconds(10);
constexpr const char* device = "/dev/fuse";

}  // namespace

Result<ForgetfulMount, std::string> ForgetfulMount::mount() {
  if (::access(device, R_OK | W_OK) != 0) {
    return Failure<std::string>(std::string(device) + " is missing or closed to this user");
  }
  auto folder = std::make_unique<ScratchFolder>("forgetful");
  const std::filesystem::path path = folder->path() / "disk";
  std::filesystem::create_directory(path);
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "forgetful_disk";
  ChildProcess server({program.string(), path.string()}, {.output = folder->path() / "output"});
  const bool answers = wait_until(mount_limit, [&] {
    std::error_code ignored;
    return !server.running() || std::filesystem::exists(path / ".control", ignored);
  });
  if (!answers || !server.running()) {
    return Failure<std::string>("a FUSE file system cannot be mounted here: it takes root, or fusermount3");
  }
  return ForgetfulMount(std::move(folder), path, std::move(server));
}

ForgetfulMount::~ForgetfulMount() {
  if (folder_) {
    // Lazily: a test that failed may still have files open.
    ::umount2(path_.c_str(), MNT_DETACH);
    if (server_.running()) {
      server_.signal(SIGTERM);
      server_.wait();
    }
  }
}

bool ForgetfulMount::tell(const std::string& command) const {
  const int file = ::open((path_ / ".control").c_str(), O_WRONLY | O_CLOEXEC);
  const bool told =
      file >= 0 && ::write(file, command.data(), command.size()) == static_cast<ssize_t>(command.size());
  ::close(file);
  return told;
}

}  // namespace mallard::integration
