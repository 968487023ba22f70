#include "cli/demo/demo_loader.h"

#include <algorithm>

#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

constexpr Duration pace_slack = Duration::milliseconds(100);

}  // namespace

DemoLoader::DemoLoader(const DemoWorkload& workload, double messages_per_second)
    : workload_(workload),
      rate_(messages_per_second),
      started_(transport::EventLoop::now()),
      paced_from_(started_) {}

bool DemoLoader::is_due(Instant now, std::size_t hold_at) {
  if (finished()) {
    return false;
  }
  const double elapsed = static_cast<double>((now - paced_from_).ns) / 1e9;
  const auto due = paced_messages_ + static_cast<std::size_t>(elapsed * rate_);
  const bool is_due = workload_.entry_end(entries()) <= std::min(due, hold_at);
  if (is_due && !waits_) {
    waits_ = true;
    waits_since_ = now;
  }
  if (static_cast<double>(due - std::min(due, messages())) >
      rate_ * static_cast<double>(pace_slack.ns) / 1e9) {
    paced_from_ = now;
    paced_messages_ = workload_.entry_end(entries());
  }
  return is_due;
}

void DemoLoader::committed(Instant now) {
  if (waits_) {
    longest_stall_ = std::max(longest_stall_, now - waits_since_);
    waits_ = false;
  }
  committed_at_.push_back(now);
}

}  // namespace mallard::cli
