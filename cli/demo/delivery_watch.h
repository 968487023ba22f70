// Follows the delivered logs of all replicas of the demo's destination while they grow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/attach/file/record_reader.h"
#include "cli/demo/demo_loader.h"
#include "config/base/result.h"
#include "config/base/time.h"

namespace mallard::cli {

class DeliveryWatch {
 public:
  // `quorum`: in how many replicas' logs a batch must stand to count as delivered for the lag.
  DeliveryWatch(const std::vector<std::filesystem::path>& directories, std::string_view link,
                std::size_t quorum);

  // Reads what is new. The error is a sentence.
  [[nodiscard]] Result<void, std::string> look(const DemoLoader& loader, Instant now);

  // Messages in the log of one replica, of the furthest one, and of the one that is furthest behind.
  [[nodiscard]] std::uint64_t messages(std::size_t replica) const;
  [[nodiscard]] std::uint64_t furthest() const;
  [[nodiscard]] std::uint64_t least() const;

  // From an entry's commit until its batch stood in the logs of `quorum` replicas, in milliseconds; 0 where
  // there is none.
  [[nodiscard]] double lag_ms(double quantile);

 private:
  std::vector<bridge::file::RecordReader> logs_;
  std::size_t quorum_;
  std::uint64_t counted_ = 0;  // batches whose lag was taken
  std::vector<double> lags_;
};

}  // namespace mallard::cli
