#include "tests/integration/dashboards/prometheus_server.h"

#include <httplib.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/demo/free_ports.h"
#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

using Json = nlohmann::json;

constexpr time_t patience_seconds = 2;

std::string program() {
  const char* named = std::getenv("MALLARD_PROMETHEUS");
  return named != nullptr ? named : "prometheus";
}

// Every file that it is told of is in `folder`.
std::vector<std::string> command(const std::filesystem::path& folder, std::uint16_t port,
                                 const std::vector<ScrapeJob>& jobs, const std::filesystem::path& rules) {
  std::ofstream out(folder / "prometheus.yml");
  out << "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
      << "rule_files: [\"" << rules.string() << "\"]\n"
      << "scrape_configs:\n";
  for (const ScrapeJob& job : jobs) {
    out << "  - job_name: " << job.name << "\n    static_configs:\n      - targets: [";
    for (std::size_t i = 0; i < job.ports.size(); ++i) {
      out << (i == 0 ? "" : ", ") << "\"127.0.0.1:" << job.ports[i] << "\"";
    }
    out << "]\n";
  }
  return {program(), "--config.file=" + (folder / "prometheus.yml").string(),
          "--storage.tsdb.path=" + (folder / "series").string(),
          "--web.listen-address=127.0.0.1:" + std::to_string(port), "--log.level=warn"};
}

}  // namespace

PrometheusServer::PrometheusServer(const std::vector<ScrapeJob>& jobs, const std::filesystem::path& rules)
    : folder_("prometheus"),
      port_(cli::find_free_ports(1).at(0)),
      process_(command(folder_.path(), port_, jobs, rules), {.output = folder_.path() / "output"}) {}

bool PrometheusServer::ready(Duration limit) {
  return wait_until(limit, [&] { return !process_.running() || ask("vector(1)").series == 1; }) &&
         process_.running();
}

std::string PrometheusServer::get(const std::string& path) const {
  httplib::Client client("127.0.0.1", port_);
  client.set_connection_timeout(patience_seconds);
  client.set_read_timeout(patience_seconds);
  const auto answer = client.Get(path.c_str());
  return answer ? answer->body : std::string();
}

QueryAnswer PrometheusServer::ask(const std::string& expression) const {
  const Json answer = Json::parse(
      get("/api/v1/query?query=" + httplib::detail::encode_query_param(expression)), nullptr, false);
  if (answer.is_discarded()) return {.error = "no answer"};
  if (answer.value("status", "") != "success") return {.error = answer.value("error", "not a success")};
  QueryAnswer result;
  for (const Json& series : answer.at("data").at("result")) {
    const double value = std::strtod(series.at("value").at(1).get<std::string>().c_str(), nullptr);
    if (std::isnan(value)) continue;
    ++result.series;
    result.labels += series.at("metric").dump() + "\n";
  }
  return result;
}

std::vector<AlertRule> PrometheusServer::rules() const {
  const Json answer = Json::parse(get("/api/v1/rules"), nullptr, false);
  if (answer.is_discarded() || answer.value("status", "") != "success") return {};
  std::vector<AlertRule> all;
  for (const Json& group : answer.at("data").at("groups")) {
    for (const Json& rule : group.at("rules")) {
      const auto health = rule.value("health", "unknown");
      if (health == "unknown") return {};
      all.push_back({rule.at("name"), rule.at("query"),
                     health == "ok" ? std::string() : health + ": " + rule.value("lastError", "")});
    }
  }
  return all;
}

std::string PrometheusServer::said() const {
  std::ifstream in(folder_.path() / "output");
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace mallard::integration
