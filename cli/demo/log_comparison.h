// Compares a log, message by message, with the demo's own record of what was committed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "bridge/attach/file/record_format.h"
#include "cli/demo/demo_workload.h"
#include "config/base/result.h"

namespace mallard::cli {

struct LogComparison {
  std::uint64_t missing = 0;
  std::uint64_t different = 0;
  std::uint64_t delivered_twice = 0;  // messages whose number had come before
  [[nodiscard]] bool identical() const { return missing == 0 && different == 0 && delivered_twice == 0; }
  void add(const LogComparison& other) {
    missing += other.missing;
    different += other.different;
    delivered_twice += other.delivered_twice;
  }
};

// Reads the log at `path` from its first byte. The error is a sentence: the log cannot be read or is damaged.
[[nodiscard]] Result<LogComparison, std::string> compare_log(const std::filesystem::path& path,
                                                             bridge::file::LogKind kind,
                                                             std::string_view name,
                                                             const DemoWorkload& expected);

}  // namespace mallard::cli
