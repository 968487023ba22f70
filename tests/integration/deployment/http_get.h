// Asks a gateway's admin port, as a scraper would.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/integration/deployment/network_namespace.h"

namespace mallard::integration {

// The body of http://127.0.0.1:PORT/PATH, fetched inside `space` (null: where the caller is). Nothing when
// there is no answer with status 200 within two seconds.
[[nodiscard]] std::optional<std::string> http_get(const NetworkNamespace* space, std::uint16_t port,
                                                  const std::string& path);

// The same from where the caller is, whatever the status: status line, headers and body. Empty: no answer.
[[nodiscard]] std::string http_answer(std::uint16_t port, const std::string& path);

// The sum of all series of the metric `name` in the text that /metrics gives; with `label`, such as
// `peer="west/0"`, only of those that have it.
[[nodiscard]] double metric_sum(const std::string& metrics, const std::string& name,
                                const std::string& label = "");

}  // namespace mallard::integration
