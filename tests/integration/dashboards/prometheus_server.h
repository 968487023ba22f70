// A Prometheus that a test started, on loopback, with files of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "config/base/time.h"
#include "tests/integration/deployment/child_process.h"
#include "tests/integration/deployment/scratch_folder.h"

namespace mallard::integration {

struct ScrapeJob {
  std::string name;
  std::vector<std::uint16_t> ports;  // at 127.0.0.1
};

struct QueryAnswer {
  std::size_t series = 0;  // with a value that is a number
  std::string labels;      // of them, a line each
  std::string error;       // empty: it was answered
};

struct AlertRule {
  std::string name;
  std::string query;
  std::string problem;  // why it could not be worked out the last time; empty: it was
};

class PrometheusServer {
 public:
  // Scrapes all jobs, and works the rules of the file out, every second. The program is `prometheus` of PATH,
  // or the one that MALLARD_PROMETHEUS names in the environment. Throws std::system_error.
  PrometheusServer(const std::vector<ScrapeJob>& jobs, const std::filesystem::path& rules);

  // Whether it answers before `limit` has passed.
  [[nodiscard]] bool ready(Duration limit);
  // The instant query, now.
  [[nodiscard]] QueryAnswer ask(const std::string& expression) const;
  // Those of the file, once each has been worked out; empty before.
  [[nodiscard]] std::vector<AlertRule> rules() const;
  // All that it has printed.
  [[nodiscard]] std::string said() const;

 private:
  // The JSON text of an answer; empty: none came within two seconds.
  [[nodiscard]] std::string get(const std::string& path) const;

  ScratchFolder folder_;
  std::uint16_t port_;
  ChildProcess process_;
};

}  // namespace mallard::integration
