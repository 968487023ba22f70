#include "cli/demo/demo_loader.h"

#include <algorithm>

#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

// An entry of the source's log, and so a batch: small enough for short delays, large enough to be worth a
// frame.
constexpr std::size_t entry_messages_max = 64;
constexpr std::size_t entry_bytes_max = 64U << 10;
// How far the pace may fall behind before it starts over: a stall must not end in a burst.
constexpr Duration pace_slack = Duration::milliseconds(100);

}  // namespace

Result<DemoLoader, std::string> DemoLoader::open(const DemoWorkload& workload, const std::string& cluster,
                                                 const std::vector<std::filesystem::path>& directories,
                                                 double messages_per_second) {
  DemoLoader loader(workload, messages_per_second);
  for (const std::filesystem::path& directory : directories) {
    auto log = bridge::file::CommittedLogWriter::open(directory, cluster);
    if (!log) {
      return Failure<std::string>(log.error().what);
    }
    loader.logs_.push_back(std::move(*log));
  }
  loader.started_ = transport::EventLoop::now();
  loader.paced_from_ = loader.started_;
  return loader;
}

Result<void, std::string> DemoLoader::advance(Instant now, std::size_t hold_at) {
  const double elapsed = static_cast<double>((now - paced_from_).ns) / 1e9;
  const auto due = paced_messages_ + static_cast<std::size_t>(elapsed * rate_);
  const std::size_t end = std::min({due, hold_at, workload_->size()});
  while (next_ < end) {
    if (auto committed = commit_entry(end); !committed) {
      return committed;
    }
  }
  if (static_cast<double>(due - std::min(due, next_)) > rate_ * static_cast<double>(pace_slack.ns) / 1e9) {
    paced_from_ = now;
    paced_messages_ = next_;
  }
  return {};
}

Result<void, std::string> DemoLoader::commit_entry(std::size_t end) {
  std::size_t bytes = 0;
  const std::size_t first = next_;
  while (next_ < end && next_ - first < entry_messages_max && bytes < entry_bytes_max) {
    bytes += workload_->message(next_).size();
    ++next_;
  }
  for (bridge::file::CommittedLogWriter& log : logs_) {
    for (std::size_t i = first; i < next_; ++i) {
      if (!log.add(workload_->message(i))) {
        return Failure<std::string>("a message does not fit a log entry");
      }
    }
    auto committed = log.commit();
    if (committed) {
      committed = log.flush();
    }
    if (!committed) {
      return Failure<std::string>(committed.error().what);
    }
  }
  committed_at_.push_back(transport::EventLoop::now());
  return {};
}

Result<void, std::string> DemoLoader::finish() {
  for (bridge::file::CommittedLogWriter& log : logs_) {
    if (const auto synced = log.sync(); !synced) {
      return Failure<std::string>(synced.error().what);
    }
  }
  return {};
}

}  // namespace mallard::cli
