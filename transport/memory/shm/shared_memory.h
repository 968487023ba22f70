// A piece of memory that several processes map: a memfd, whose size and rights the kernel seals
// (memfd_create(2), fcntl(2) "File Sealing").
#pragma once

#include <string>

#include "config/base/bytes.h"
#include "config/base/result.h"

namespace mallard::memory {

// What the machine refused, in words for the operator.
struct ShmError {
  std::string what;
};

// An open file descriptor, closed at the end.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  ~OwnedFd() { close(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void close();

 private:
  int fd_ = -1;
};

class SharedMemory {
 public:
  // Who, besides its maker, may ever write: sealed by the kernel, for all time.
  enum class Writers { maker_only, holders_of_fd };

  // Zeroed, mapped to be written, its size sealed. Its pages are there from the start, so that nobody is ever
  // refused one later.
  [[nodiscard]] static Result<SharedMemory, ShmError> create(const std::string& name, std::size_t bytes,
                                                             Writers writers);
  // Maps what another process made. Refused unless it is at least `bytes` long and can never shrink (a
  // mapping beyond the end would kill the process).
  [[nodiscard]] static Result<SharedMemory, ShmError> attach(OwnedFd fd, std::size_t bytes, bool writable);

  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory() { unmap(); }

  // Only to be read where it was attached so.
  [[nodiscard]] ByteSpan bytes() const { return bytes_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  // For who may only read. Who runs as another user cannot turn it into a writable one.
  [[nodiscard]] Result<OwnedFd, ShmError> read_only_fd() const;

 private:
  SharedMemory(OwnedFd fd, ByteSpan bytes) : fd_(std::move(fd)), bytes_(bytes) {}
  void unmap();

  OwnedFd fd_;
  ByteSpan bytes_;
};

// `what`, and what errno says.
[[nodiscard]] ShmError system_error(const std::string& what);

}  // namespace mallard::memory
