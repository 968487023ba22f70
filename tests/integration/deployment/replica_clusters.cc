#include "tests/integration/deployment/replica_clusters.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "cli/demo/local_pairing.h"
#include "tests/integration/deployment/deployment.h"
#include "tests/integration/deployment/http_get.h"
#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

constexpr std::array names{"east", "west"};
constexpr std::size_t last_words_bytes = 1500;

}  // namespace

ReplicaClusters::ReplicaClusters(ReplicaClustersSettings settings)
    : settings_(std::move(settings)), folder_("replicas") {
  if (settings_.root.empty()) settings_.root = folder_.path();
  std::vector<cli::LocalCluster> clusters(settings_.clusters);
  for (std::uint16_t c = 0; c < settings_.clusters; ++c) {
    clusters[c].settings.name = names.at(c);
    clusters[c].settings.kind = config::ClusterKind::cft;
    clusters[c].settings.durability = settings_.durability;
    clusters[c].directories = directories(ClusterIndex(c));
  }
  auto pairing =
      cli::make_local_pairing(std::move(clusters), settings_.clients, folder_.path() / "pairing.yaml");
  if (!pairing) throw std::runtime_error(pairing.error());
  pairing_ = std::move(*pairing);
}

std::vector<std::string> ReplicaClusters::command(ReplicaAddress address, const char* kind) const {
  return {built_program().string(),
          kind,
          "--config",
          (folder_.path() / "pairing.yaml").string(),
          "--cluster",
          names.at(address.cluster.value),
          "--id",
          std::to_string(address.replica.value),
          "--data",
          directory(address).string()};
}

void ReplicaClusters::start(ReplicaAddress address) {
  std::vector<std::string> replica = command(address, "replica");
  replica.insert(replica.end(), {"--memory", memory(address.cluster).string()});
  if (is_founding_) replica.emplace_back("--found");
  Seat& seat = processes_[address];
  seat.replica.emplace(replica, ChildOptions{.output = output(address, "replica"), .group = group(address)});
  if (settings_.clusters == 2) {
    seat.gateway.emplace(command(address, "gateway"), ChildOptions{.output = output(address, "gateway")});
  }
}

void ReplicaClusters::start_all() {
  for (const ReplicaAddress& address : addresses()) start(address);
}

ChildProcess ReplicaClusters::second(ReplicaAddress address, const char* kind) const {
  return ChildProcess(command(address, kind), {.output = output(address, kind)});
}

void ReplicaClusters::kill(ReplicaAddress address) {
  Seat& seat = processes_.at(address);
  for (const int number : {SIGSTOP, SIGKILL}) {
    seat.replica->signal(number);
    if (seat.gateway) seat.gateway->signal(number);
  }
  seat.replica->wait();
  if (seat.gateway) seat.gateway->wait();
}

void ReplicaClusters::kill_all() {
  for (auto& [address, seat] : processes_) {
    seat.replica->signal(SIGSTOP);
    if (seat.gateway) seat.gateway->signal(SIGSTOP);
  }
  for (auto& [address, seat] : processes_) kill(address);
  for (std::uint16_t c = 0; c < settings_.clusters; ++c) std::filesystem::remove_all(memory(ClusterIndex(c)));
}

bool ReplicaClusters::ready(Duration limit) {
  bool ended = false;
  return wait_until(limit,
                    [&] {
                      ended = !last_words().empty();
                      return ended || std::ranges::all_of(
                                          processes_, [&](const auto& one) { return is_ready(one.first); });
                    }) &&
         !ended;
}

bool ReplicaClusters::is_ready(ReplicaAddress address) const {
  return !page(address, "/readyz").empty() &&
         (settings_.clusters == 1 ||
          http_get(nullptr, settings_of(address).ports.admin, "/readyz").has_value());
}

std::optional<std::size_t> ReplicaClusters::leader(ClusterIndex cluster) const {
  for (std::uint16_t r = 0; r < replicas; ++r) {
    if (page({cluster, ReplicaIndex(r)}, "/status").find("\"state\":\"leading\"") != std::string::npos)
      return r;
  }
  return std::nullopt;
}

std::string ReplicaClusters::page(ReplicaAddress address, const std::string& path) const {
  return http_get(nullptr, settings_of(address).ports.replica_admin, path).value_or("");
}

std::vector<ReplicaAddress> ReplicaClusters::addresses() const {
  std::vector<ReplicaAddress> all;
  for (std::uint16_t c = 0; c < settings_.clusters; ++c) {
    for (std::uint16_t r = 0; r < replicas; ++r) all.push_back({ClusterIndex(c), ReplicaIndex(r)});
  }
  return all;
}

std::filesystem::path ReplicaClusters::directory(ReplicaAddress address) const {
  const auto found = settings_.places.find(address);
  if (found != settings_.places.end()) return found->second;
  return settings_.root /
         (names.at(address.cluster.value) + std::string("-") + std::to_string(address.replica.value));
}

std::vector<std::filesystem::path> ReplicaClusters::directories(ClusterIndex cluster) const {
  std::vector<std::filesystem::path> all;
  for (std::uint16_t r = 0; r < replicas; ++r) all.push_back(directory({cluster, ReplicaIndex(r)}));
  return all;
}

std::string ReplicaClusters::said(ReplicaAddress address, const char* kind) const {
  std::ifstream in(output(address, kind));
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string ReplicaClusters::last_words() {
  std::string words;
  for (auto& [address, seat] : processes_) {
    for (const char* kind : {"replica", "gateway"}) {
      std::optional<ChildProcess>& process = kind == std::string("replica") ? seat.replica : seat.gateway;
      if (process && !process->running()) {
        const std::string all = said(address, kind);
        words += std::string(kind) + " of " + directory(address).filename().string() +
                 " ended: " + all.substr(all.size() - std::min(all.size(), last_words_bytes)) + "\n";
      }
    }
  }
  return words;
}

std::filesystem::path ReplicaClusters::output(ReplicaAddress address, const char* kind) const {
  return folder_.path() /
         (names.at(address.cluster.value) + std::to_string(address.replica.value) + "-" + kind + ".out");
}

// Not with the data: it goes with the power.
std::filesystem::path ReplicaClusters::memory(ClusterIndex cluster) const {
  return folder_.path() / (std::string("memory-") + names.at(cluster.value));
}

// The path of the group that the replica's processes are in; empty: in none.
std::filesystem::path ReplicaClusters::group(ReplicaAddress address) {
  if (settings_.memory_bytes == 0) return {};
  if (!groups_.contains(address)) {
    auto made = MemoryGroup::create("replica-" + directory(address).filename().string());
    if (!made) {
      std::printf("NOTE: this replica runs without a limit: %s\n", made.error().c_str());
      return {};
    }
    made->limit(settings_.memory_bytes);
    groups_.emplace(address, std::move(*made));
  }
  return groups_.at(address).path();
}

std::optional<std::uint64_t> ReplicaClusters::kills() const {
  std::uint64_t sum = 0;
  for (const auto& one : groups_) sum += one.second.kills();
  return groups_.size() == addresses().size() ? std::optional(sum) : std::nullopt;
}

const config::ReplicaSettings& ReplicaClusters::settings_of(ReplicaAddress address) const {
  return pairing_.clusters[address.cluster.value].replicas[address.replica.value];
}

}  // namespace mallard::integration
