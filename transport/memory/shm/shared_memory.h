// A piece of memory that several processes map: a memfd, whose size and rights the kernel seals
// (memfd_create(2), fcntl(2) "File Sealing").
#pragma once

#include <string>

#include "config/base/bytes.h"
#include "config/base/result.h"
#include "config/system/file_descriptor.h"

namespace mallard::memory {

// What the machine refused, in words for the operator.
struct ShmError {
  std::string what;
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
  [[nodiscard]] static Result<SharedMemory, ShmError> attach(FileDescriptor fd, std::size_t bytes,
                                                             bool writable);

  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory() { unmap(); }

  // Only to be read where it was attached so.
  [[nodiscard]] ByteSpan bytes() const { return bytes_; }
  [[nodiscard]] int fd() const { return fd_.number(); }
  // For who may only read. Who runs as another user cannot turn it into a writable one.
  [[nodiscard]] Result<FileDescriptor, ShmError> read_only_fd() const;

 private:
  SharedMemory(FileDescriptor fd, ByteSpan bytes) : fd_(std::move(fd)), bytes_(bytes) {}
  void unmap();

  FileDescriptor fd_;
  ByteSpan bytes_;
};

// `what`, and what errno says.
[[nodiscard]] ShmError system_error(const std::string& what);

}  // namespace mallard::memory
