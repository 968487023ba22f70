// The door's socket in the file system: making it, finding it, and who is at the other end.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "config/base/result.h"
#include "config/system/file_descriptor.h"

namespace mallard::transport::door {

// The door of the replica whose data are in `directory`.
[[nodiscard]] std::filesystem::path door_path(const std::filesystem::path& directory);

// Why there is no socket, and what to do about it.
struct DoorProblem {
  std::string what;
  std::string advice;
};

// A listening, non-blocking UNIX stream socket at a path, with the mode 0600. A socket file that is there
// already is replaced only if nobody listens behind it; anything else in its place is left alone. Two
// processes that start at once must be kept apart by the lock of the directory. The path may be of any
// length.
class DoorListener {
 public:
  [[nodiscard]] static Result<DoorListener, DoorProblem> open(const std::filesystem::path& path);
  // Removes the file, if it is still the one that was made.
  ~DoorListener();
  DoorListener(DoorListener&&) noexcept = default;
  DoorListener& operator=(DoorListener&&) = delete;

  // Of the next caller; non-blocking. An empty FileDescriptor: nobody is waiting, or the machine has no more
  // descriptors (`exhausted`).
  [[nodiscard]] FileDescriptor accept(bool& exhausted);
  [[nodiscard]] int number() const { return socket_.number(); }

 private:
  DoorListener(std::filesystem::path path, FileDescriptor socket, dev_t device, ino_t inode);

  std::filesystem::path path_;
  FileDescriptor socket_;
  dev_t device_;
  ino_t inode_;
};

// A non-blocking connection to the door at `path`. UNIX sockets connect at once or not at all.
[[nodiscard]] Result<FileDescriptor, DoorProblem> connect_door(const std::filesystem::path& path);

// The process at the other end, as the kernel saw it when it connected.
struct DoorCaller {
  pid_t process = 0;
  uid_t user = 0;
};
[[nodiscard]] std::optional<DoorCaller> caller_of(int socket);

// Whether a process of that user may be at the other end of a door of a process of `own`: itself, or root.
[[nodiscard]] constexpr bool may_use_door(uid_t user, uid_t own) { return user == own || user == 0; }
[[nodiscard]] uid_t own_user();

}  // namespace mallard::transport::door
