#include "cli/demo/file_watch.h"

#include <algorithm>
#include <functional>

#include "bridge/attach/file/delivered_log.h"

namespace mallard::cli {

namespace file = bridge::file;

FileWatch::FileWatch(const std::vector<std::filesystem::path>& directories, std::string_view link,
                     std::size_t quorum)
    : quorum_(quorum) {
  for (const std::filesystem::path& directory : directories) {
    logs_.emplace_back(file::delivered_log_path(directory, link), file::LogKind::delivered, link);
  }
}

Result<void, std::string> FileWatch::look(const DemoLoader& loader, Instant now) {
  std::vector<std::uint64_t> batches;
  for (file::RecordReader& log : logs_) {
    for (;;) {
      const auto record = log.next();
      if (!record) {
        return Failure<std::string>(record.error().what);
      }
      if (!*record) {
        break;
      }
    }
    batches.push_back(log.position().number);
  }
  std::ranges::sort(batches, std::greater<>());
  // What is delivered before its acknowledgement has come back has no lag.
  for (; counted_ < std::min<std::uint64_t>(batches[quorum_ - 1], loader.entries()); ++counted_) {
    lags_.push_back(std::max(0.0, static_cast<double>((now - loader.committed_at(counted_)).ns) / 1e6));
  }
  return {};
}

std::uint64_t FileWatch::messages(std::size_t replica) const {
  return logs_[replica].position().next_message - 1;
}

double FileWatch::lag_ms(double quantile) {
  if (lags_.empty()) {
    return 0;
  }
  const auto at = static_cast<std::ptrdiff_t>(quantile * static_cast<double>(lags_.size() - 1));
  std::nth_element(lags_.begin(), lags_.begin() + at, lags_.end());
  return lags_[static_cast<std::size_t>(at)];
}

}  // namespace mallard::cli
