// Metrics in the text format that Prometheus scrapes.
#pragma once

#include <string>
#include <vector>

#include "transport/admin/admin_snapshot.h"

namespace mallard::transport {

// Prometheus text format 0.0.4. Series of one name stand together, in the order in which names first come up.
[[nodiscard]] std::string metrics_text(const std::vector<MetricSample>& samples);

}  // namespace mallard::transport
