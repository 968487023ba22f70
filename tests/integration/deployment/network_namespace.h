// A network of its own for some processes: no name, no file, gone with the last process that uses it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/base/result.h"
#include "config/system/file_descriptor.h"

namespace mallard::integration {

class NetworkNamespace {
 public:
  // A new one with its loopback device up. Fails, with the reason, where this process lacks the rights
  // (CAP_SYS_ADMIN and CAP_NET_ADMIN) or `ip` is not installed.
  [[nodiscard]] static Result<NetworkNamespace, std::string> create();

  // Runs `action` inside, on a thread of its own; sockets and devices that it opens stay inside. What it
  // throws comes out.
  void visit(const std::function<void()>& action) const;

  // Runs a program inside and waits for it. Throws std::runtime_error unless it exits with 0.
  void run(const std::vector<std::string>& command) const;

  // For setns(2).
  [[nodiscard]] int descriptor() const { return space_.number(); }

 private:
  explicit NetworkNamespace(FileDescriptor space) : space_(std::move(space)) {}

  FileDescriptor space_;
};

}  // namespace mallard::integration
