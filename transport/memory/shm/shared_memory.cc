#include "transport/memory/shm/shared_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace mallard::memory {

ShmError system_error(const std::string& what) {
  return {fmt::format("{}: {}", what, std::generic_category().message(errno))};
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)), bytes_(std::exchange(other.bytes_, {})) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  if (this != &other) {
    unmap();
    fd_ = std::move(other.fd_);
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

void SharedMemory::unmap() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  bytes_ = {};
}

Result<SharedMemory, ShmError> SharedMemory::create(const std::string& name, std::size_t bytes,
                                                    Writers writers) {
  // The kernel would try, and kill processes for lack of memory long before it gave up.
  struct sysinfo machine {};
  if (::sysinfo(&machine) != 0 || bytes / machine.mem_unit >= machine.totalram / 2) {
    return Failure<ShmError>(
        ShmError{fmt::format("{} bytes for {} are too many for this machine", bytes, name)});
  }
  FileDescriptor fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.is_open()) return Failure<ShmError>(system_error("memfd_create " + name));
  // Who gets a descriptor that can only read must not open the file anew through /proc.
  if (::fchmod(fd.number(), 0600) != 0 || ::fallocate(fd.number(), 0, 0, static_cast<off_t>(bytes)) != 0) {
    return Failure<ShmError>(system_error(fmt::format("{} bytes for {}", bytes, name)));
  }
  void* place = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd.number(), 0);
  if (place == MAP_FAILED) return Failure<ShmError>(system_error("mmap " + name));
  SharedMemory memory(std::move(fd), {static_cast<std::byte*>(place), bytes});
  int seals = F_SEAL_SHRINK | F_SEAL_GROW;
  if (writers == Writers::maker_only) seals |= F_SEAL_FUTURE_WRITE;
  if (::fcntl(memory.fd(), F_ADD_SEALS, seals | F_SEAL_SEAL) != 0) {
    return Failure<ShmError>(system_error("seal " + name));
  }
  return memory;
}

Result<SharedMemory, ShmError> SharedMemory::attach(FileDescriptor fd, std::size_t bytes, bool writable) {
  struct stat status {};
  if (::fstat(fd.number(), &status) != 0) return Failure<ShmError>(system_error("fstat"));
  const int seals = ::fcntl(fd.number(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || status.st_size < static_cast<off_t>(bytes)) {
    return Failure<ShmError>(ShmError{"another process offers memory that is too small or may shrink"});
  }
  const int rights = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* place = ::mmap(nullptr, bytes, rights, MAP_SHARED | MAP_POPULATE, fd.number(), 0);
  if (place == MAP_FAILED) return Failure<ShmError>(system_error("mmap of another process's memory"));
  return SharedMemory(std::move(fd), {static_cast<std::byte*>(place), bytes});
}

Result<FileDescriptor, ShmError> SharedMemory::read_only_fd() const {
  FileDescriptor fd(::open(fmt::format("/proc/self/fd/{}", fd_.number()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return Failure<ShmError>(system_error("open memory to be read"));
  return fd;
}

}  // namespace mallard::memory
