#include "cli/bench/replica_deployment.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "cli/demo/local_pairing.h"
#include "cli/status/admin_page.h"

namespace mallard::cli {
namespace {

constexpr Duration page_patience = Duration::milliseconds(500);
constexpr Duration stop_patience = Duration::seconds(10);
constexpr auto start_patience = std::chrono::seconds(30);
constexpr const char* cluster_name = "bench";

}  // namespace

Result<ReplicaDeployment, std::string> ReplicaDeployment::make(const std::filesystem::path& root,
                                                               const ReplicaDeploymentSettings& settings) {
  ReplicaDeployment made(root);
  LocalCluster cluster;
  cluster.settings.name = cluster_name;
  cluster.settings.kind = config::ClusterKind::cft;
  cluster.settings.durability = settings.durability;
  for (std::uint16_t r = 0; r < settings.replicas; ++r) {
    made.directories_.push_back(root / std::to_string(r));
  }
  cluster.directories = made.directories_;
  auto pairing = make_local_pairing({cluster}, {}, root / "pairing.yaml");
  if (!pairing) {
    return Failure<std::string>(pairing.error());
  }
  made.pairing_ = std::move(*pairing);
  return made;
}

Result<void, std::string> ReplicaDeployment::start(const volatile int& interrupted) {
  const auto log_of = [this](std::size_t r) { return root_ / fmt::format("{}.out", r); };
  for (std::size_t r = 0; r < directories_.size(); ++r) {
    processes_.emplace_back(
        own_program(),
        std::vector<std::string>{"replica", "--config", (root_ / "pairing.yaml").string(), "--cluster",
                                 cluster_name, "--id", std::to_string(r), "--data", directories_[r].string(),
                                 "--memory", (root_ / "memory").string(), "--found"},
        log_of(r));
  }
  const auto end = std::chrono::steady_clock::now() + start_patience;
  for (std::size_t r = 0; r < directories_.size();) {
    if (interrupted != 0) {
      return Failure<std::string>("interrupted");
    }
    if (!processes_[r].running() || std::chrono::steady_clock::now() > end) {
      std::ifstream in(log_of(r));
      const std::string words{std::istreambuf_iterator<char>(in), {}};
      return Failure<std::string>(fmt::format("replica {} does not become ready: {}", r, words));
    }
    const std::uint16_t port = pairing_.clusters[0].replicas[r].ports.replica_admin;
    if (fetch_page(port, "/readyz", page_patience)) {
      ++r;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  return {};
}

void ReplicaDeployment::stop() {
  for (const ChildProcess& process : processes_) {
    process.signal(SIGTERM);
  }
  for (ChildProcess& process : processes_) {
    if (!process.wait(stop_patience)) {
      process.kill();
    }
  }
}

}  // namespace mallard::cli
