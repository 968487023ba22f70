// What a process shows of itself over HTTP at one moment.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mallard::transport {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

// One series at one moment. Name, help and type are the same for all series of a name.
struct MetricSample {
  // Cumulative, as Prometheus has it: how many observations were at most `upper_bound`. Ascending; the bucket
  // of infinity is added.
  struct Bucket {
    double upper_bound = 0;
    std::uint64_t count = 0;
  };

  std::string name;  // mallard_NOUN_UNIT; counters end in _total, base units
  std::string help;  // one sentence
  MetricType type = MetricType::gauge;
  std::vector<std::pair<std::string, std::string>> labels;  // few and bounded: link, peer, reason, lane
  double value = 0;                                         // counter, gauge
  std::vector<Bucket> buckets;                              // histogram
  std::uint64_t count = 0;                                  // histogram: observations
  double sum = 0;                                           // histogram: of all observations
};

struct AdminSnapshot {
  std::string status_json;            // one JSON object; shown as it is
  std::vector<MetricSample> metrics;  // series exist at 0 from the start
  bool ready =
      false;  // the local RSM is there and the configuration loaded; never depends on a remote cluster
  std::string not_ready_because;  // a phrase, unless ready
};

}  // namespace mallard::transport
