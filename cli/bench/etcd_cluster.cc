#include "cli/bench/etcd_cluster.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "cli/status/admin_page.h"

namespace mallard::cli {
namespace {

constexpr Duration page_patience = Duration::milliseconds(500);

}  // namespace

std::optional<std::filesystem::path> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path program = std::filesystem::path(folder) / name;
    if (::access(program.c_str(), X_OK) == 0) {
      return program;
    }
  }
  return std::nullopt;
}

bool has_etcd() { return find_program("etcd") && find_program("etcdctl"); }

EtcdCluster::EtcdCluster(const EtcdClusterSettings& settings, const std::uint16_t* ports)
    : settings_(settings) {
  const char* scheme = settings.tls ? "https" : "http";
  std::vector<std::string> peers;
  std::string members;
  for (std::size_t i = 0; i < settings.members; ++i) {
    const std::uint16_t* own = ports + i * ports_per_member;
    client_ports_.push_back(own[0]);
    peers.push_back(fmt::format("{}://127.0.0.1:{}", scheme, own[1]));
    metrics_ports_.push_back(own[2]);
    members += fmt::format("{}m{}={}", i == 0 ? "" : ",", i, peers[i]);
  }
  for (std::size_t i = 0; i < settings.members; ++i) {
    std::vector<std::string> arguments{"--name",
                                       fmt::format("m{}", i),
                                       "--data-dir",
                                       data(i).string(),
                                       "--listen-client-urls",
                                       endpoint(i),
                                       "--advertise-client-urls",
                                       endpoint(i),
                                       "--listen-peer-urls",
                                       peers[i],
                                       "--initial-advertise-peer-urls",
                                       peers[i],
                                       "--initial-cluster",
                                       members,
                                       "--initial-cluster-token",
                                       settings.folder.filename().string(),
                                       "--listen-metrics-urls",
                                       fmt::format("http://127.0.0.1:{}", metrics_ports_[i])};
    if (settings.tls) {
      arguments.insert(arguments.end(), {"--auto-tls", "--peer-auto-tls"});
    }
    processes_.emplace_back(*find_program("etcd"), arguments, settings.folder / fmt::format("m{}.out", i));
  }
}

bool EtcdCluster::is_healthy() const {
  return std::all_of(metrics_ports_.begin(), metrics_ports_.end(), [](std::uint16_t port) {
    const auto page = fetch_page(port, "/health", page_patience);
    return page && page->find("true") != std::string::npos;
  });
}

std::uint64_t EtcdCluster::puts(std::size_t member) const {
  constexpr std::string_view name = "\netcd_debugging_mvcc_put_total ";
  const auto page = fetch_page(metrics_ports_[member], "/metrics", page_patience);
  const std::size_t at = page ? page->find(name) : std::string::npos;
  return at == std::string::npos
             ? 0
             : static_cast<std::uint64_t>(std::strtod(page->c_str() + at + name.size(), nullptr));
}

bool EtcdCluster::has_ended() {
  return std::any_of(processes_.begin(), processes_.end(),
                     [](ChildProcess& process) { return !process.running(); });
}

std::string EtcdCluster::endpoint(std::size_t member) const {
  return fmt::format("{}://127.0.0.1:{}", settings_.tls ? "https" : "http", client_ports_[member]);
}

std::filesystem::path EtcdCluster::certificate() const { return data(0) / "fixtures/client/cert.pem"; }

std::vector<std::string> EtcdCluster::client_arguments() const {
  std::string endpoints;
  for (std::size_t i = 0; i < settings_.members; ++i) {
    endpoints += (i == 0 ? "" : ",") + endpoint(i);
  }
  std::vector<std::string> arguments{"--endpoints=" + endpoints, "--command-timeout=60s"};
  if (settings_.tls) {
    arguments.insert(arguments.end(), {"--insecure-transport=false", "--insecure-skip-tls-verify"});
  }
  return arguments;
}

std::filesystem::path EtcdCluster::data(std::size_t member) const {
  return settings_.folder / fmt::format("m{}", member);
}

}  // namespace mallard::cli
