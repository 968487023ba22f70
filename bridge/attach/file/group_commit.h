// Makes delivered batches durable on a thread of its own: whatever has come in while the disk was busy is
// written and synced together.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "bridge/attach/file/record_writer.h"
#include "bridge/attach/file/storage_problem.h"
#include "bridge/core/event.h"
#include "bridge/core/frame.h"
#include "config/base/bytes.h"

namespace mallard::bridge::file {

struct AppendOrder {
  RecordWriter* writer = nullptr;
  LinkIndex link;
  BatchHeader header;
  std::uint16_t proof_bytes = 0;
  ByteView payload;  // stays valid until poll() has reported the batch
};

class GroupCommit {
 public:
  struct Callbacks {
    std::function<void()> wake;  // poll() has something; from the thread
    std::function<void(const StorageProblem&)>
        on_failure;  // from the thread, once; nothing is written after it
  };
  // `orders_max`: how many orders may wait, over all links.
  GroupCommit(std::size_t orders_max, Callbacks callbacks);
  // Finishes what was submitted, then ends the thread.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // False when orders_max orders wait. Orders of one writer are appended in the order of these calls.
  [[nodiscard]] bool submit(const AppendOrder& order);
  // The next link whose batches became durable, with the last of them.
  [[nodiscard]] std::optional<Applied> poll();

 private:
  void run();
  [[nodiscard]] Result<void, StorageProblem> write_all();
  void report();

  std::size_t orders_max_;
  Callbacks callbacks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<AppendOrder> waiting_;  // under mutex_
  std::vector<Applied> done_;         // under mutex_; at most one per link
  bool stopping_ = false;             // under mutex_
  std::vector<AppendOrder> group_;    // the thread's
  std::vector<Applied> reported_;     // poll()'s
  std::thread thread_;
};

}  // namespace mallard::bridge::file
