// Follows the delivered logs of a destination in files, while they grow.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "bridge/attach/file/record_reader.h"
#include "cli/demo/delivery_watch.h"

namespace mallard::cli {

class FileWatch final : public DeliveryWatch {
 public:
  // `quorum`: in how many replicas' logs a batch must stand to count as delivered for the lag.
  FileWatch(const std::vector<std::filesystem::path>& directories, std::string_view link, std::size_t quorum);

  [[nodiscard]] Result<void, std::string> look(const DemoLoader& loader, Instant now) override;
  [[nodiscard]] std::uint64_t messages(std::size_t replica) const override;
  [[nodiscard]] std::size_t replicas() const override { return logs_.size(); }

  // From an entry's commit until it stood in the logs of `quorum` replicas, in milliseconds; 0 where there is
  // none.
  [[nodiscard]] double lag_ms(double quantile);

 private:
  std::vector<bridge::file::RecordReader> logs_;
  std::size_t quorum_;
  std::size_t counted_ = 0;  // entries whose lag was taken
  std::vector<double> lags_;
};

}  // namespace mallard::cli
