// Commits the demo's messages at every replica of the source, at a steady pace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bridge/attach/file/committed_log_writer.h"
#include "cli/demo/demo_workload.h"
#include "config/base/result.h"
#include "config/base/time.h"

namespace mallard::cli {

// Stands for the source's RSM: appends the same entries to the committed log of each replica, running or not
// (the RSM is the log; what crashes is the gateway beside it).
class DemoLoader {
 public:
  // The error is a sentence.
  [[nodiscard]] static Result<DemoLoader, std::string> open(
      const DemoWorkload& workload, const std::string& cluster,
      const std::vector<std::filesystem::path>& directories, double messages_per_second);

  // Commits what is due at `now`, but no message from `hold_at` on.
  [[nodiscard]] Result<void, std::string> advance(Instant now, std::size_t hold_at);
  [[nodiscard]] bool finished() const { return next_ == workload_->size(); }
  // Makes everything durable.
  [[nodiscard]] Result<void, std::string> finish();

  [[nodiscard]] std::size_t messages() const { return next_; }
  // When entry `number` (1, 2 ...) was committed, which is also the batch that it becomes.
  [[nodiscard]] Instant committed_at(std::uint64_t number) const { return committed_at_[number - 1]; }
  [[nodiscard]] std::uint64_t entries() const { return committed_at_.size(); }
  [[nodiscard]] Instant started() const { return started_; }

 private:
  explicit DemoLoader(const DemoWorkload& workload, double rate) : workload_(&workload), rate_(rate) {}
  [[nodiscard]] Result<void, std::string> commit_entry(std::size_t end);

  const DemoWorkload* workload_;
  double rate_;
  std::vector<bridge::file::CommittedLogWriter> logs_;
  std::size_t next_ = 0;
  Instant started_;
  Instant paced_from_;              // the pace counts from here ...
  std::size_t paced_messages_ = 0;  // ... with so many done before
  std::vector<Instant> committed_at_;
};

}  // namespace mallard::cli
