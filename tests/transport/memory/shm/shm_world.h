// A folder for sockets and settings for some processes that share memory, for tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "transport/memory/shm/shm_node.h"

namespace mallard::memory {

class ShmWorld {
 public:
  ShmWorld(ShmMode mode, std::size_t processes, const std::vector<RegionLayout>& layout) {
    std::string pattern = (std::filesystem::temp_directory_path() / "mallard-memory-XXXXXX").string();
    settings.folder = ::mkdtemp(pattern.data());
    settings.processes = processes;
    settings.layout = layout;
    settings.mode = mode;
  }
  ShmWorld(const ShmWorld&) = delete;
  ShmWorld& operator=(const ShmWorld&) = delete;
  // Only the process that made the folder removes it, not its forked children.
  ~ShmWorld() {
    if (::getpid() == maker_) std::filesystem::remove_all(settings.folder);
  }

  [[nodiscard]] std::unique_ptr<ShmNode> open(ProcessIndex self) {
    settings.self = self;
    auto node = ShmNode::open(settings);
    if (!node) {
      fmt::print(stderr, "shared memory: {}\n", node.error().what);
      std::abort();
    }
    return std::move(*node);
  }

  ShmSettings settings;

 private:
  const pid_t maker_ = ::getpid();
};

// Until `condition` holds; false after 20 seconds.
template <class Condition>
[[nodiscard]] bool wait_until(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// Until a link lives.
[[nodiscard]] inline bool wait_live(Link& link) {
  return wait_until([&] {
    std::array<WorkDone, 1> none;
    static_cast<void>(link.poll(none));
    return !link.dead();
  });
}

// Posts one work and waits for its report.
[[nodiscard]] inline WorkDone carry_out(Link& link, const Work& work) {
  std::array<WorkDone, 1> done;
  if (!link.post(std::span(&work, 1)) || !wait_until([&] { return link.poll(done) == 1; })) {
    ADD_FAILURE() << "no report";
    std::abort();
  }
  return done[0];
}

}  // namespace mallard::memory
