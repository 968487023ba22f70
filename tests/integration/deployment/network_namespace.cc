#include "tests/integration/deployment/network_namespace.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "tests/integration/deployment/child_process.h"

namespace mallard::integration {

Result<NetworkNamespace, std::string> NetworkNamespace::create() {
  FileDescriptor space;
  int error = 0;
  // A thread may leave its network alone; this one ends right after.
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      error = errno;
      return;
    }
    space = FileDescriptor(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!space.is_open()) error = errno;
  }).join();
  if (error != 0) {
    return Failure<std::string>(std::string("no network namespace can be made here: ") +
                                std::strerror(error));
  }
  NetworkNamespace made(std::move(space));
  try {
    made.run({"ip", "link", "set", "lo", "up"});
  } catch (const std::exception& problem) {
    return Failure<std::string>(problem.what());
  }
  return made;
}

void NetworkNamespace::visit(const std::function<void()>& action) const {
  std::exception_ptr thrown;
  std::thread([&] {
    try {
      if (::setns(descriptor(), CLONE_NEWNET) != 0) {
        throw std::system_error(errno, std::generic_category(), "setns");
      }
      action();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
}

void NetworkNamespace::run(const std::vector<std::string>& command) const {
  ChildProcess child(command, {.space = descriptor(), .output = "/dev/stderr"});
  if (const int status = child.wait(); status != 0) {
    throw std::runtime_error(command.front() + " failed with " + std::to_string(status));
  }
}

}  // namespace mallard::integration
