#include "transport/door/door_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace mallard::transport::door {
namespace {

constexpr int backlog = 128;

// An address of a path of any length: long ones are named through their open directory.
class DoorAddress {
 public:
  explicit DoorAddress(const std::filesystem::path& path) {
    std::string name = path.string();
    if (name.size() >= sizeof address_.sun_path) {
      const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
      directory_ = FileDescriptor(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      name = fmt::format("/proc/self/fd/{}/{}", directory_.number(), path.filename().string());
    }
    good_ = name.size() < sizeof address_.sun_path;
    address_.sun_family = AF_UNIX;
    if (good_) {
      std::memcpy(address_.sun_path, name.c_str(), name.size() + 1);
    }
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  [[nodiscard]] static socklen_t size() { return sizeof(sockaddr_un); }

 private:
  sockaddr_un address_{};
  FileDescriptor directory_;
  bool good_ = false;
};

DoorProblem problem(const std::filesystem::path& path, const char* call, int error) {
  return {.what = fmt::format("{}: {}: {}", path.string(), call, std::generic_category().message(error)),
          .advice = error == ENOENT || error == ECONNREFUSED
                        ? "start the replica whose data directory this is"
                        : "check the directory and its permissions"};
}

Failure<DoorProblem> failure(const std::filesystem::path& path, const char* call, int error) {
  return Failure<DoorProblem>(problem(path, call, error));
}

FileDescriptor make_socket() {
  return FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// 0, or the number of the error.
int try_connect(const std::filesystem::path& path, FileDescriptor& socket) {
  const DoorAddress address(path);
  if (!address.good()) {
    return ENAMETOOLONG;
  }
  socket = make_socket();
  if (socket.number() < 0 || ::connect(socket.number(), address.get(), DoorAddress::size()) != 0) {
    return errno;
  }
  return 0;
}

// Nothing there, or a socket that nobody listens behind.
Result<void, DoorProblem> check_place(const std::filesystem::path& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? Result<void, DoorProblem>{} : failure(path, "lstat", errno);
  }
  if (!S_ISSOCK(found.st_mode)) {
    return Failure<DoorProblem>(DoorProblem{.what = fmt::format("{}: is not a socket", path.string()),
                                            .advice = "move it out of the way"});
  }
  FileDescriptor unused;
  if (try_connect(path, unused) != ECONNREFUSED) {
    return Failure<DoorProblem>(
        DoorProblem{.what = fmt::format("{}: another process listens here", path.string()),
                    .advice = "stop it, or give this one a data directory of its own"});
  }
  return {};
}

}  // namespace

std::filesystem::path door_path(const std::filesystem::path& directory) { return directory / "replica.sock"; }

Result<DoorListener, DoorProblem> DoorListener::open(const std::filesystem::path& path) {
  if (auto place = check_place(path); !place) {
    return Failure<DoorProblem>(std::move(place.error()));
  }
  // Made under another name and moved: nobody ever finds a socket that has another mode or does not listen.
  const std::filesystem::path made = path.string() + ".new";
  ::unlink(made.c_str());
  FileDescriptor socket = make_socket();
  const DoorAddress address(made);
  if (socket.number() < 0) {
    return failure(path, "socket", errno);
  }
  if (!address.good()) {
    return failure(path, "bind", ENAMETOOLONG);
  }
  if (::bind(socket.number(), address.get(), DoorAddress::size()) != 0) {
    return failure(made, "bind", errno);
  }
  struct stat file {};
  if (::chmod(made.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(socket.number(), backlog) != 0 ||
      ::lstat(made.c_str(), &file) != 0 || ::rename(made.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(made.c_str());
    return failure(path, "listen", error);
  }
  return DoorListener(path, std::move(socket), file.st_dev, file.st_ino);
}

DoorListener::DoorListener(std::filesystem::path path, FileDescriptor socket, dev_t device, ino_t inode)
    : path_(std::move(path)), socket_(std::move(socket)), device_(device), inode_(inode) {}

DoorListener::~DoorListener() {
  struct stat file {};
  if (socket_.number() >= 0 && ::lstat(path_.c_str(), &file) == 0 && file.st_dev == device_ &&
      file.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

FileDescriptor DoorListener::accept(bool& exhausted) {
  exhausted = false;
  for (;;) {
    const int made = ::accept4(socket_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (made >= 0) {
      return FileDescriptor(made);
    }
    if (errno != EINTR && errno != ECONNABORTED) {
      exhausted = errno != EAGAIN;
      return {};
    }
  }
}

Result<FileDescriptor, DoorProblem> connect_door(const std::filesystem::path& path) {
  FileDescriptor socket;
  if (const int error = try_connect(path, socket); error != 0) {
    return failure(path, "connect", error);
  }
  return socket;
}

std::optional<DoorCaller> caller_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return std::nullopt;
  }
  return DoorCaller{.process = credentials.pid, .user = credentials.uid};
}

uid_t own_user() { return ::geteuid(); }

}  // namespace mallard::transport::door
