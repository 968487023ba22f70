// The commented file that a new pairing starts from.
#pragma once

#include <string_view>

namespace mallard::config {

// The text of config/examples/two_clusters.yaml. It is valid as it is, with keys that nobody holds
// (is_placeholder).
[[nodiscard]] std::string_view pairing_template();

}  // namespace mallard::config
