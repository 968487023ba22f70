// How processes on one host hand each other their memory: one socket per process, over which descriptors are
// passed (unix(7), SCM_RIGHTS), and which tells both sides when the other is gone. The kernel closes a socket
// only after the last thread of its process has stopped, so "gone" means: will never write again.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "transport/memory/shm/shared_memory.h"
#include "transport/memory/shm/shm_settings.h"

namespace mallard::memory {

// What another process gave us of its memory, for one life of that process.
struct Attachment {
  bool memory_node = false;         // it only serves memory
  std::vector<FileDescriptor> fds;  // as offered; the link maps them and leaves them open
  std::atomic<bool> gone = false;   // set once, by the rendezvous
};

class Rendezvous {
 public:
  // The descriptors that a peer gets of this process's memory, borrowed.
  using Offers = std::vector<std::vector<int>>;  // by process
  static constexpr std::size_t fds_max = 2 + regions_max;

  // Listens and begins to look for the others, for as long as it lives. Refused if the socket
  // cannot be made. An old socket of the same process index is replaced.
  [[nodiscard]] static Result<std::unique_ptr<Rendezvous>, ShmError> open(const ShmSettings& settings,
                                                                          Offers offers);
  ~Rendezvous();
  Rendezvous(const Rendezvous&) = delete;
  Rendezvous& operator=(const Rendezvous&) = delete;

  // Counts how often a process has attached to us and left again: odd while it is attached. Any thread.
  [[nodiscard]] std::uint64_t life_of(ProcessIndex process) const {
    return lives_[process.value].load(std::memory_order_seq_cst);
  }
  // Grows with every attachment to any other process: a cheap way to see that there is nothing new.
  [[nodiscard]] std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }
  // The latest attachment to `process` if it is not known to be gone. Any thread; takes a lock.
  [[nodiscard]] std::shared_ptr<Attachment> attachment_to(ProcessIndex process);
  // Connections that were turned away.
  [[nodiscard]] std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  struct Inbound {
    FileDescriptor socket;
    bool welcomed = false;
    ProcessIndex process;
  };
  struct Outbound {
    FileDescriptor socket;
    std::shared_ptr<Attachment> attachment;  // after the welcome
    std::chrono::steady_clock::time_point redial_at{};
  };

  Rendezvous(const ShmSettings& settings, Offers offers);
  Result<void, ShmError> listen();
  void serve();
  void accept_one();
  // Both return false when the connection has ended or must end.
  bool read_hello(Inbound& inbound);
  bool read_welcome(Outbound& outbound);
  void welcome(const Inbound& inbound);
  void end(Inbound& inbound);
  void end(Outbound& outbound);
  void dial(ProcessIndex process);
  [[nodiscard]] bool is_complete() const;
  [[nodiscard]] bool is_allowed(int socket, ProcessIndex process) const;
  [[nodiscard]] bool is_taken(ProcessIndex process);

  const ShmSettings settings_;
  const Offers offers_;
  FileDescriptor listener_;
  FileDescriptor stop_;  // eventfd
  std::vector<Inbound> inbound_;
  std::vector<Outbound> outbound_;  // by process
  std::array<std::atomic<std::uint64_t>, processes_max> lives_{};
  std::atomic<std::uint64_t> changes_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::mutex mutex_;  // guards latest_
  std::vector<std::shared_ptr<Attachment>> latest_;
  std::thread thread_;
};

}  // namespace mallard::memory
