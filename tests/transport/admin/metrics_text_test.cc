#include "transport/admin/metrics_text.h"

#include <gtest/gtest.h>

namespace mallard::transport {
namespace {

TEST(MetricsText, writes_counters_gauges_and_histograms_by_name) {
  const std::vector<MetricSample> samples{
      {.name = "mallard_frames_total",
       .help = "Frames.",
       .type = MetricType::counter,
       .labels = {{"lane", "data"}},
       .value = 3},
      {.name = "mallard_up", .help = "Up.", .type = MetricType::gauge, .value = 0},
      {.name = "mallard_latency_seconds",
       .help = "Latency.",
       .type = MetricType::histogram,
       .buckets = {{0.5, 1}, {1, 2}},
       .count = 4,
       .sum = 6.5},
      {.name = "mallard_frames_total",
       .help = "Frames.",
       .type = MetricType::counter,
       .labels = {{"lane", "con\"trol\\\n"}},
       .value = 4},
  };
  EXPECT_EQ(metrics_text(samples),
            "# HELP mallard_frames_total Frames.\n"
            "# TYPE mallard_frames_total counter\n"
            "mallard_frames_total{lane=\"data\"} 3\n"
            "mallard_frames_total{lane=\"con\\\"trol\\\\\\n\"} 4\n"
            "# HELP mallard_up Up.\n"
            "# TYPE mallard_up gauge\n"
            "mallard_up 0\n"
            "# HELP mallard_latency_seconds Latency.\n"
            "# TYPE mallard_latency_seconds histogram\n"
            "mallard_latency_seconds_count 4\n"
            "mallard_latency_seconds_sum 6.5\n"
            "mallard_latency_seconds_bucket{le=\"0.5\"} 1\n"
            "mallard_latency_seconds_bucket{le=\"1\"} 2\n"
            "mallard_latency_seconds_bucket{le=\"+Inf\"} 4\n");
}

TEST(MetricsText, keeps_large_counts_exact) {
  EXPECT_EQ(metrics_text({{.name = "mallard_x_total",
                           .help = "X.",
                           .type = MetricType::counter,
                           .value = 9'007'199'254'740'991.0}}),
            "# HELP mallard_x_total X.\n# TYPE mallard_x_total counter\nmallard_x_total 9007199254740991\n");
}

TEST(MetricsText, is_empty_without_samples) { EXPECT_EQ(metrics_text({}), ""); }

}  // namespace
}  // namespace mallard::transport
