// Checks certificates on threads of its own: 50 us for each signature are too much for a loop.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "config/base/bytes.h"
#include "crypto/checked_claims.h"
#include "crypto/commit_certificate.h"

namespace mallard::crypto {

// One check. What it points to stays valid until its answer was taken, or the pool is gone.
struct VerifyOrder {
  std::uint64_t ticket = 0;  // the caller's name for it
  const CertificateContext* context = nullptr;
  BatchRange range;
  ByteView messages;
  ByteView proof;
};

struct VerifyAnswer {
  std::uint64_t ticket = 0;
  Result<CertifiedBatch, CertificateRefusal> verdict;
};

// One thread constructs it, submits, polls and destroys it. It fails closed: what was not checked to its end
// has no answer, and an order that finds no room is not taken.
class VerifyPool {
 public:
  struct Settings {
    std::size_t orders_max = 128;    // taken and not answered yet; at least 1
    std::size_t threads = 1;         // at least 1
    std::size_t claims_kept = 4096;  // that need no second check of signatures; 32 bytes each
  };
  // `wake` is called from the threads: poll() has something after it had nothing. All memory is taken here.
  // Throws std::runtime_error when libsodium judges signatures otherwise than Mallard relies on, or
  // std::system_error when a thread cannot be had.
  VerifyPool(const Settings& settings, std::function<void()> wake);
  // Leaves what no thread has begun, and waits for the rest.
  ~VerifyPool();
  VerifyPool(const VerifyPool&) = delete;
  VerifyPool& operator=(const VerifyPool&) = delete;

  // False when orders_max orders have no answer yet, or their answers have not been taken.
  [[nodiscard]] bool submit(const VerifyOrder& order);
  // The next answer. They come in any order.
  [[nodiscard]] std::optional<VerifyAnswer> poll();

 private:
  void run();
  void stop();

  const std::size_t orders_max_;
  const std::function<void()> wake_;
  CheckedClaims claims_;
  std::size_t open_ = 0;               // the owner's: submitted, and the answer not taken
  std::vector<VerifyAnswer> answers_;  // the owner's: taken from done_
  std::size_t answers_given_ = 0;      // how many of answers_ poll() has returned
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<VerifyOrder> waiting_;  // under mutex_: a ring of orders_max_
  std::size_t first_waiting_ = 0;     // under mutex_
  std::size_t waiting_count_ = 0;     // under mutex_
  std::vector<VerifyAnswer> done_;    // under mutex_
  bool stopping_ = false;             // under mutex_
  std::vector<std::thread> threads_;
};

}  // namespace mallard::crypto
