#include "cli/demo/delivery_watch.h"

#include <algorithm>
#include <functional>

#include "bridge/attach/file/delivered_log.h"

namespace mallard::cli {

namespace file = bridge::file;

DeliveryWatch::DeliveryWatch(const std::vector<std::filesystem::path>& directories, std::string_view link,
                             std::size_t quorum)
    : quorum_(quorum) {
  for (const std::filesystem::path& directory : directories) {
    logs_.emplace_back(file::delivered_log_path(directory, link), file::LogKind::delivered, link);
  }
}

Result<void, std::string> DeliveryWatch::look(const DemoLoader& loader, Instant now) {
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
  for (; counted_ < std::min(batches[quorum_ - 1], loader.entries()); ++counted_) {
    lags_.push_back(static_cast<double>((now - loader.committed_at(counted_ + 1)).ns) / 1e6);
  }
  return {};
}

std::uint64_t DeliveryWatch::messages(std::size_t replica) const {
  return logs_[replica].position().next_message - 1;
}

std::uint64_t DeliveryWatch::furthest() const {
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < logs_.size(); ++i) {
    most = std::max(most, messages(i));
  }
  return most;
}

std::uint64_t DeliveryWatch::least() const {
  std::uint64_t least = messages(0);
  for (std::size_t i = 1; i < logs_.size(); ++i) {
    least = std::min(least, messages(i));
  }
  return least;
}

double DeliveryWatch::lag_ms(double quantile) {
  if (lags_.empty()) {
    return 0;
  }
  const auto at = static_cast<std::ptrdiff_t>(quantile * static_cast<double>(lags_.size() - 1));
  std::nth_element(lags_.begin(), lags_.begin() + at, lags_.end());
  return lags_[static_cast<std::size_t>(at)];
}

}  // namespace mallard::cli
