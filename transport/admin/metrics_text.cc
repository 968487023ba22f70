#include "transport/admin/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cstddef>
#include <limits>
#include <string_view>
#include <unordered_map>

namespace mallard::transport {
namespace {

prometheus::MetricType type_of(MetricType type) {
  switch (type) {
    case MetricType::counter:
      return prometheus::MetricType::Counter;
    case MetricType::gauge:
      return prometheus::MetricType::Gauge;
    case MetricType::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric metric_of(const MetricSample& sample) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) {
    metric.label.push_back({name, value});
  }
  switch (sample.type) {
    case MetricType::counter:
      metric.counter.value = sample.value;
      break;
    case MetricType::gauge:
      metric.gauge.value = sample.value;
      break;
    case MetricType::histogram:
      metric.histogram.sample_count = sample.count;
      metric.histogram.sample_sum = sample.sum;
      for (const MetricSample::Bucket& bucket : sample.buckets) {
        metric.histogram.bucket.push_back({bucket.count, bucket.upper_bound});
      }
      metric.histogram.bucket.push_back({sample.count, std::numeric_limits<double>::infinity()});
      break;
  }
  return metric;
}

}  // namespace

std::string metrics_text(const std::vector<MetricSample>& samples) {
  std::vector<prometheus::MetricFamily> families;
  std::unordered_map<std::string_view, std::size_t> family_of;
  for (const MetricSample& sample : samples) {
    const auto [at, is_new] = family_of.try_emplace(sample.name, families.size());
    if (is_new) {
      families.push_back({sample.name, sample.help, type_of(sample.type), {}});
    }
    families[at->second].metric.push_back(metric_of(sample));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace mallard::transport
