// Stands for the source's RSM where that is a log in files: appends the same entries to the committed log of
// each replica, running or not (the RSM is the log; what crashes is the gateway beside it).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bridge/attach/file/committed_log_writer.h"
#include "cli/demo/demo_loader.h"

namespace mallard::cli {

class FileLoader final : public DemoLoader {
 public:
  // The error is a sentence.
  [[nodiscard]] static Result<std::unique_ptr<FileLoader>, std::string> open(
      const DemoWorkload& workload, const std::string& cluster,
      const std::vector<std::filesystem::path>& directories, double messages_per_second);

  [[nodiscard]] Result<void, std::string> advance(Instant now, std::size_t hold_at, Instant until) override;
  [[nodiscard]] Result<void, std::string> finish() override;

 private:
  FileLoader(const DemoWorkload& workload, double rate) : DemoLoader(workload, rate) {}
  [[nodiscard]] Result<void, std::string> commit_entry();

  std::vector<bridge::file::CommittedLogWriter> logs_;
};

}  // namespace mallard::cli
