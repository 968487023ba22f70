// Loads the one YAML file of a pairing, strictly: whatever is unclear is refused, with its place and what to
// do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"
#include "config/pairing.h"
#include "config/yaml/config_problem.h"

namespace mallard::config {

// The pairing in the file at `path`, or all that is wrong with it. At most file_bytes_max + 1 bytes are read,
// so a huge file, a pipe or a device costs no more memory than a good one. The replicas of each cluster are
// in the order of their ids; a cluster that states no faults has those that its stakes imply.
[[nodiscard]] Result<Pairing, std::vector<ConfigProblem>> load_pairing(const std::string& path);

// The same for text; `file` is the name that problems mention.
[[nodiscard]] Result<Pairing, std::vector<ConfigProblem>> parse_pairing(std::string_view text,
                                                                        const std::string& file);

}  // namespace mallard::config
