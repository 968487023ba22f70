#include "tests/integration/deployment/deployment.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "config/print_pairing.h"
#include "config/system/file_descriptor.h"
#include "config/weights.h"
#include "crypto/key_file.h"
#include "tests/integration/deployment/http_get.h"
#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

constexpr std::size_t ports_per_replica = 4;

bool is_free(std::uint16_t port) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const void* bytes = &address;
  return ::bind(socket.number(), static_cast<const sockaddr*>(bytes), sizeof address) == 0;
}

// Below the range from which the kernel takes ports for outgoing connections.
std::vector<std::uint16_t> free_ports(std::size_t count) {
  std::vector<std::uint16_t> ports;
  auto port = static_cast<std::uint16_t>(10'000 + ::getpid() % 500 * 40);
  for (; ports.size() < count && port < 32'000; ++port) {
    if (is_free(port)) ports.push_back(port);
  }
  if (ports.size() < count) throw std::runtime_error("too few free ports");
  return ports;
}

}  // namespace

Deployment::Deployment(std::filesystem::path program, const std::vector<Site>& sites,
                       const config::WindowSettings& window)
    : program_(std::move(program)), folder_("deployment"), sites_(sites) {
  std::size_t replicas = 0;
  for (const Site& site : sites) replicas += site.replicas;
  const std::vector<std::uint16_t> ports = free_ports(replicas * ports_per_replica);
  auto port = ports.begin();
  for (std::uint16_t c = 0; c < sites.size(); ++c) {
    config::ClusterSettings cluster;
    cluster.name = sites[c].name;
    for (std::uint16_t r = 0; r < sites[c].replicas; ++r) {
      config::ReplicaSettings replica;
      replica.id = ReplicaIndex(r);
      replica.host = sites[c].hosts[r % sites[c].hosts.size()];
      replica.ports = {.bridge = port[0], .local = port[1], .clients = port[2], .admin = port[3]};
      port += ports_per_replica;
      const auto keys = crypto::generate_keys(folder_.path() / (cluster.name + "-" + std::to_string(r)));
      if (!keys) throw std::runtime_error(keys.error().what);
      replica.keys = {.gateway = (*keys)[0], .replica = (*keys)[1], .signing = (*keys)[2]};
      cluster.replicas.push_back(replica);
    }
    cluster.faults = config::implied_faults(cluster.replicas.size());
    pairing_.clusters.push_back(cluster);
  }
  config::LinkSettings settings;
  settings.name = link;
  settings.from = ClusterIndex(0);
  settings.to = ClusterIndex(1);
  settings.window = window;
  pairing_.links.push_back(settings);
  std::ofstream(configuration_path()) << config::print_pairing(pairing_);
}

void Deployment::start(ReplicaAddress replica, const std::filesystem::path& group) {
  const Site& site = sites_[replica.cluster.value];
  ChildOptions options;
  options.space = site.space == nullptr ? -1 : site.space->descriptor();
  options.output = directory(replica) / "gateway.log";
  options.group = group;
  processes_.insert_or_assign(
      replica, ChildProcess({program_.string(), "gateway", "--config", configuration_path().string(),
                             "--cluster", site.name, "--id", std::to_string(replica.replica.value), "--data",
                             directory(replica).string()},
                            options));
}

void Deployment::start_all() {
  for (std::uint16_t c = 0; c < sites_.size(); ++c) {
    for (std::uint16_t r = 0; r < sites_[c].replicas; ++r) start({ClusterIndex(c), ReplicaIndex(r)});
  }
}

bool Deployment::ready(Duration limit) const {
  return wait_until(limit, [&] {
    return std::ranges::all_of(processes_,
                               [&](const auto& one) { return ask(one.first, "/readyz").has_value(); });
  });
}

std::optional<std::string> Deployment::ask(ReplicaAddress replica, const std::string& path) const {
  const config::ReplicaSettings& settings =
      pairing_.clusters[replica.cluster.value].replicas[replica.replica.value];
  return http_get(sites_[replica.cluster.value].space, settings.ports.admin, path);
}

double Deployment::sum(ClusterIndex site, const std::string& metric, const std::string& label) const {
  double total = 0;
  for (const auto& one : processes_) {
    if (one.first.cluster == site)
      total += metric_sum(ask(one.first, "/metrics").value_or(""), metric, label);
  }
  return total;
}

std::filesystem::path Deployment::directory(ReplicaAddress replica) const {
  return folder_.path() / (sites_[replica.cluster.value].name + "-" + std::to_string(replica.replica.value));
}

std::vector<std::filesystem::path> Deployment::directories(ClusterIndex site) const {
  std::vector<std::filesystem::path> all;
  for (std::uint16_t r = 0; r < sites_[site.value].replicas; ++r) {
    all.push_back(directory({site, ReplicaIndex(r)}));
  }
  return all;
}

std::string Deployment::last_words(ReplicaAddress replica) const {
  std::ifstream file(directory(replica) / "gateway.log");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.substr(text.size() - std::min<std::size_t>(text.size(), 2000));
}

std::filesystem::path built_program() {
  const char* named = std::getenv("MALLARD_PROGRAM");
  return named != nullptr ? named : MALLARD_PROGRAM;
}

}  // namespace mallard::integration
