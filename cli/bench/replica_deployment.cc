#include "cli/bench/replica_deployment.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "cli/demo/free_ports.h"
#include "cli/status/admin_page.h"
#include "config/print_pairing.h"
#include "config/weights.h"
#include "crypto/key_file.h"

namespace mallard::cli {
namespace {

constexpr std::size_t ports_per_replica = 6;
constexpr Duration page_patience = Duration::milliseconds(500);
constexpr Duration stop_patience = Duration::seconds(10);
constexpr auto start_patience = std::chrono::seconds(30);
constexpr const char* cluster_name = "bench";

}  // namespace

Result<ReplicaDeployment, std::string> ReplicaDeployment::make(const std::filesystem::path& root,
                                                               const ReplicaDeploymentSettings& settings) {
  ReplicaDeployment made(root);
  const std::size_t wanted = settings.replicas * ports_per_replica;
  const std::vector<std::uint16_t> ports = find_free_ports(wanted);
  if (ports.size() < wanted) {
    return Failure<std::string>(
        fmt::format("{} free ports are needed at 127.0.0.1, {} were found", wanted, ports.size()));
  }
  config::ClusterSettings cluster;
  cluster.name = cluster_name;
  cluster.kind = config::ClusterKind::cft;
  cluster.durability = settings.durability;
  cluster.faults = config::implied_faults(settings.replicas);
  for (std::uint16_t r = 0; r < settings.replicas; ++r) {
    made.directories_.push_back(root / std::to_string(r));
    const auto keys = crypto::generate_keys(made.directories_.back());
    if (!keys) {
      return Failure<std::string>(keys.error().what);
    }
    const std::uint16_t* own = ports.data() + r * ports_per_replica;
    config::ReplicaSettings replica;
    replica.id = ReplicaIndex(r);
    replica.host = "127.0.0.1";
    replica.ports = {.bridge = own[0],
                     .local = own[1],
                     .clients = own[2],
                     .admin = own[3],
                     .replica_admin = own[4],
                     .replicas = own[5]};
    replica.keys = {.gateway = (*keys)[0], .replica = (*keys)[1], .signing = (*keys)[2]};
    cluster.replicas.push_back(replica);
  }
  made.pairing_.clusters.push_back(cluster);
  std::ofstream out(root / "pairing.yaml");
  out << config::print_pairing(made.pairing_);
  if (!out.flush()) {
    return Failure<std::string>(fmt::format("{}: the configuration cannot be written", root.string()));
  }
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
