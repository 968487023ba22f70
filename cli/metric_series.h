// Adds series to a snapshot of the admin pages, a line each.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "transport/admin/admin_snapshot.h"
#include "transport/admin/latency_histogram.h"

namespace mallard::cli {

class MetricSeries {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // `out` outlives this.
  explicit MetricSeries(std::vector<transport::MetricSample>& out) : out_(out) {}

  template <class Number>
  void counter(const char* name, const char* help, Labels labels, Number value) {
    add(transport::MetricType::counter, name, help, std::move(labels), static_cast<double>(value));
  }
  template <class Number>
  void gauge(const char* name, const char* help, Labels labels, Number value) {
    add(transport::MetricType::gauge, name, help, std::move(labels), static_cast<double>(value));
  }
  // Which process this is: what the other series, which do not repeat it, are joined with by `instance`.
  void build(const char* version, const char* process, const std::string& cluster, std::uint16_t id) {
    gauge("mallard_build_info", "1; which process of which version this is.",
          {{"version", version}, {"process", process}, {"cluster", cluster}, {"id", std::to_string(id)}}, 1);
  }
  void histogram(const char* name, const char* help, Labels labels,
                 const transport::LatencyHistogram& value) {
    add(transport::MetricType::histogram, name, help, std::move(labels), 0);
    transport::MetricSample& sample = out_.back();
    for (std::size_t i = 0; i < transport::LatencyHistogram::bounds.size(); ++i) {
      sample.buckets.push_back({seconds(transport::LatencyHistogram::bounds[i]), value.at_most(i)});
    }
    sample.count = value.count();
    sample.sum = seconds(value.sum());
  }

 private:
  static double seconds(Duration span) { return static_cast<double>(span.ns) / 1e9; }

  void add(transport::MetricType type, const char* name, const char* help, Labels labels, double value) {
    transport::MetricSample sample;
    sample.name = name;
    sample.help = help;
    sample.type = type;
    sample.labels = std::move(labels);
    sample.value = value;
    out_.push_back(std::move(sample));
  }

  std::vector<transport::MetricSample>& out_;
};

}  // namespace mallard::cli
