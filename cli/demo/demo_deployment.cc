#include "cli/demo/demo_deployment.h"

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <utility>

#include "cli/demo/local_pairing.h"

namespace mallard::cli {
namespace {

constexpr std::array<const char*, 2> cluster_names{"east", "west"};
constexpr const char* gateway_process = "gateway";
constexpr const char* replica_process = "replica";
constexpr Duration stop_patience = Duration::seconds(10);

}  // namespace

DemoDeployment::DemoDeployment(std::filesystem::path root, std::uint16_t replicas)
    : root_(std::move(root)), configuration_(root_ / "pairing.yaml"), replicas_(replicas) {
  seats_.resize(2 * std::size_t{replicas});
}

Result<DemoDeployment, std::string> DemoDeployment::make(const std::filesystem::path& root,
                                                         std::uint16_t replicas,
                                                         const std::array<config::ClusterKind, 2>& kinds) {
  DemoDeployment made(root, replicas);
  std::vector<LocalCluster> clusters;
  for (std::size_t c = 0; c < cluster_names.size(); ++c) {
    LocalCluster& cluster = clusters.emplace_back();
    cluster.settings.name = cluster_names[c];
    cluster.settings.kind = kinds[c];
    cluster.directories = made.directories(c);
  }
  auto pairing = make_local_pairing(std::move(clusters), {}, made.configuration_);
  if (!pairing) {
    return Failure<std::string>(pairing.error());
  }
  made.pairing_ = std::move(*pairing);
  return made;
}

std::string DemoDeployment::name(std::size_t cluster, std::size_t replica) const {
  return fmt::format("{}-{}", cluster_names[cluster], replica);
}

std::filesystem::path DemoDeployment::directory(std::size_t cluster, std::size_t replica) const {
  return root_ / name(cluster, replica);
}

std::filesystem::path DemoDeployment::log_path(std::size_t cluster, std::size_t replica,
                                               const char* process) const {
  return root_ / fmt::format("{}-{}.out", name(cluster, replica), process);
}

std::uint16_t DemoDeployment::admin_port(std::size_t cluster, std::size_t replica) const {
  return pairing_.clusters[cluster].replicas[replica].ports.admin;
}

std::vector<std::filesystem::path> DemoDeployment::directories(std::size_t cluster) const {
  std::vector<std::filesystem::path> all;
  for (std::size_t r = 0; r < replicas_; ++r) {
    all.push_back(directory(cluster, r));
  }
  return all;
}

void DemoDeployment::start_process(std::size_t cluster, std::size_t replica, const char* process) {
  std::vector<std::string> arguments{process,
                                     "--config",
                                     configuration_.string(),
                                     "--cluster",
                                     pairing_.clusters[cluster].name,
                                     "--id",
                                     std::to_string(replica),
                                     "--data",
                                     directory(cluster, replica).string()};
  const bool is_gateway = process == gateway_process;
  if (!is_gateway) {
    arguments.insert(arguments.end(), {"--memory", (root_ / fmt::format("memory{}", cluster)).string()});
    if (!founded_) {
      arguments.emplace_back("--found");
    }
  }
  (is_gateway ? seat(cluster, replica).gateway : seat(cluster, replica).replica) =
      ChildProcess(own_program(), arguments, log_path(cluster, replica, process));
}

void DemoDeployment::start(std::size_t cluster, std::size_t replica) {
  if (has_replicas(cluster)) {
    start_process(cluster, replica, replica_process);
  }
  start_process(cluster, replica, gateway_process);
}

void DemoDeployment::start_all() {
  for (std::size_t c = 0; c < cluster_names.size(); ++c) {
    for (std::size_t r = 0; r < replicas_; ++r) {
      start(c, r);
    }
  }
  founded_ = true;
}

void DemoDeployment::crash(std::size_t cluster, std::size_t replica) {
  seat(cluster, replica).replica.kill();
  seat(cluster, replica).gateway.kill();
}

std::size_t DemoDeployment::processes() const {
  return replicas_ * (cluster_names.size() + (has_replicas(0) ? 1U : 0U) + (has_replicas(1) ? 1U : 0U));
}

std::string DemoDeployment::last_words(std::size_t cluster, std::size_t replica) {
  constexpr std::size_t tail_bytes = 2'000;
  const bool gateway_ended = !seat(cluster, replica).gateway.running();
  const bool replica_ended = has_replicas(cluster) && !seat(cluster, replica).replica.running();
  if (!gateway_ended && !replica_ended) {
    return {};
  }
  const char* process = replica_ended ? replica_process : gateway_process;
  std::ifstream in(log_path(cluster, replica, process));
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.size() > tail_bytes) {
    text = text.substr(text.find('\n', text.size() - tail_bytes) + 1);
  }
  return fmt::format("the {} of {} ended:\n{}", process, name(cluster, replica), text);
}

Result<void, std::string> DemoDeployment::stop_all() {
  for (const Seat& one : seats_) {
    one.gateway.signal(SIGTERM);
    one.replica.signal(SIGTERM);
  }
  std::string wrong;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    for (ChildProcess* child : {&seats_[i].gateway, &seats_[i].replica}) {
      const std::string who = name(i / replicas_, i % replicas_);
      if (!child->wait(stop_patience)) {
        wrong = fmt::format("{} did not end within {} s", who, stop_patience.ns / 1'000'000'000);
      } else if (child->exit_status() && *child->exit_status() != 0) {
        wrong = fmt::format("{} ended with status {}", who, *child->exit_status());
      }
      child->kill();
    }
  }
  if (!wrong.empty()) {
    return Failure<std::string>(wrong);
  }
  return {};
}

}  // namespace mallard::cli
