#include "tests/bench/loopback/run.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "bridge/attach/file/delivered_log.h"
#include "bridge/attach/file/record_format.h"
#include "tests/integration/deployment/deployment.h"
#include "tests/integration/deployment/waiting.h"
#include "tests/integration/deployment/workload.h"

namespace mallard::bench {
namespace {

using integration::clock_now;
using integration::Deployment;

constexpr ClusterIndex source(0);
constexpr ClusterIndex destination(1);

class Measurement {
 public:
  explicit Measurement(const RunSettings& settings)
      : settings_(settings),
        deployment_(integration::built_program(),
                    {{.name = "east", .replicas = settings.from}, {.name = "west", .replicas = settings.to}},
                    {.messages = settings.window_messages, .bytes = settings.window_bytes}),
        logs_(deployment_.directories(source), "east", settings.message_bytes) {
    for (const auto& directory : deployment_.directories(destination)) {
      delivered_.push_back(bridge::file::delivered_log_path(directory, Deployment::link));
    }
  }

  RunFigures run() {
    RunFigures figures;
    const std::uint64_t before = settings_.live ? settings_.messages_per_entry : settings_.messages;
    logs_.commit(before, settings_.messages_per_entry);
    deployment_.start_all();
    if (!integration::wait_until(Duration::seconds(30),
                                 [&] { return largest() > bridge::file::file_head_bytes; })) {
      figures.problem = "nothing was delivered\n" + deployment_.last_words({source, ReplicaIndex(0)});
      return figures;
    }
    const Instant start = clock_now();
    const Duration used_before = processor_time();
    while (logs_.messages() < settings_.messages) {
      logs_.commit(std::min(settings_.messages_per_entry, settings_.messages - logs_.messages()),
                   settings_.messages_per_entry);
    }
    const bool complete = integration::wait_until(Duration::seconds(120),
                                                  [&] { return smallest() >= logs_.delivered_bytes(); });
    figures.seconds = static_cast<double>((clock_now() - start).ns) / 1e9;
    figures.processor_seconds = static_cast<double>((processor_time() - used_before).ns) / 1e9;
    figures.messages_per_second = static_cast<double>(settings_.messages) / figures.seconds;
    figures.cpu_ns_per_message = figures.processor_seconds * 1e9 / static_cast<double>(settings_.messages);
    for (auto& [address, process] : deployment_.processes()) {
      figures.pss_mib_max =
          std::max(figures.pss_mib_max, static_cast<double>(process.pss_bytes()) / (1 << 20));
    }
    figures.problem = complete ? check() : "the deadline passed";
    return figures;
  }

 private:
  // Of the delivered logs.
  [[nodiscard]] std::vector<std::uint64_t> sizes() const {
    std::vector<std::uint64_t> all;
    for (const auto& path : delivered_) {
      std::error_code missing;
      const std::uint64_t size = std::filesystem::file_size(path, missing);
      all.push_back(missing ? 0 : size);
    }
    return all;
  }
  [[nodiscard]] std::uint64_t largest() const { return std::ranges::max(sizes()); }
  [[nodiscard]] std::uint64_t smallest() const { return std::ranges::min(sizes()); }

  [[nodiscard]] Duration processor_time() {
    Duration sum;
    for (auto& [address, process] : deployment_.processes()) sum = sum + process.processor_time();
    return sum;
  }

  [[nodiscard]] std::string check() const {
    for (const auto& directory : deployment_.directories(destination)) {
      integration::DeliveryCheck delivered(directory, Deployment::link, settings_.message_bytes);
      if (delivered.read_on() != settings_.messages)
        return directory.filename().string() + ": " + delivered.problem();
    }
    return {};
  }

  RunSettings settings_;
  Deployment deployment_;
  integration::SourceLogs logs_;
  std::vector<std::filesystem::path> delivered_;
};

}  // namespace

RunFigures run_loopback(const RunSettings& settings) { return Measurement(settings).run(); }

}  // namespace mallard::bench
