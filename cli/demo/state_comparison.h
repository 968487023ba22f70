// Compares what a replica of a cluster that Mallard runs holds, key by key, with the demo's own record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/demo/demo_workload.h"
#include "cli/demo/log_comparison.h"
#include "config/base/result.h"

namespace mallard::cli {

// A full scan of what each replica itself has, with nothing going on meanwhile; `directories`: of all
// replicas of the cluster. Differences of all of them are added up. What a sum of increments is too high
// counts as delivered twice. The error is a sentence.
[[nodiscard]] Result<LogComparison, std::string> compare_states(
    const std::vector<std::filesystem::path>& directories, const DemoWorkload& expected);

}  // namespace mallard::cli
