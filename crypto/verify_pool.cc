#include "crypto/verify_pool.h"

#include <stdexcept>
#include <utility>

#include "config/base/invariant.h"
#include "crypto/signature.h"

namespace mallard::crypto {

VerifyPool::VerifyPool(const Settings& settings, std::function<void()> wake)
    : orders_max_(settings.orders_max),
      wake_(std::move(wake)),
      claims_(settings.claims_kept),
      waiting_(settings.orders_max) {
  MALLARD_INVARIANT(orders_max_ > 0 && settings.threads > 0);
  if (!signatures_are_judged_as_expected()) {
    throw std::runtime_error("libsodium judges signatures otherwise than Mallard relies on");
  }
  answers_.reserve(orders_max_);
  done_.reserve(orders_max_);
  threads_.reserve(settings.threads);
  try {
    for (std::size_t i = 0; i < settings.threads; ++i) {
      threads_.emplace_back([this] { run(); });
    }
  } catch (...) {
    stop();
    throw;
  }
}

VerifyPool::~VerifyPool() { stop(); }

void VerifyPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  came_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

bool VerifyPool::submit(const VerifyOrder& order) {
  MALLARD_INVARIANT(order.context != nullptr);
  if (open_ == orders_max_) {
    return false;
  }
  ++open_;
  {
    const std::lock_guard lock(mutex_);
    waiting_[(first_waiting_ + waiting_count_) % orders_max_] = order;
    ++waiting_count_;
  }
  came_.notify_one();
  return true;
}

std::optional<VerifyAnswer> VerifyPool::poll() {
  if (answers_given_ == answers_.size()) {
    answers_.clear();
    answers_given_ = 0;
    const std::lock_guard lock(mutex_);
    std::swap(answers_, done_);
  }
  if (answers_.empty()) {
    return std::nullopt;
  }
  --open_;
  return answers_[answers_given_++];
}

void VerifyPool::run() {
  for (;;) {
    VerifyOrder order;
    {
      std::unique_lock lock(mutex_);
      came_.wait(lock, [this] { return stopping_ || waiting_count_ > 0; });
      if (stopping_) {
        return;
      }
      order = waiting_[first_waiting_];
      first_waiting_ = (first_waiting_ + 1) % orders_max_;
      --waiting_count_;
    }
    VerifyAnswer answer{
        .ticket = order.ticket,
        .verdict = check_certificate(*order.context, order.range, order.messages, order.proof, &claims_)};
    bool is_news = false;
    {
      const std::lock_guard lock(mutex_);
      is_news = done_.empty();
      done_.push_back(answer);
    }
    if (is_news) {
      wake_();
    }
  }
}

}  // namespace mallard::crypto
