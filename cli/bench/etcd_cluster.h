// A cluster of etcd on this machine, for comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/demo/child_process.h"

namespace mallard::cli {

// The program of this name that a shell would run, if there is one.
[[nodiscard]] std::optional<std::filesystem::path> find_program(const std::string& name);

// Whether `etcd` and `etcdctl` are among the programs of this machine.
[[nodiscard]] bool has_etcd();

struct EtcdClusterSettings {
  std::filesystem::path folder;  // exists; the members' data lies in it
  std::uint16_t members = 3;
  bool tls = false;  // with certificates that the members make themselves
};

class EtcdCluster {
 public:
  static constexpr std::size_t ports_per_member = 3;

  // Starts the members; there must be `etcd`. `ports`: so many free ones for each.
  EtcdCluster(const EtcdClusterSettings& settings, const std::uint16_t* ports);

  [[nodiscard]] bool is_healthy() const;
  // Values that a member has taken in its life; 0 while it does not say.
  [[nodiscard]] std::uint64_t puts(std::size_t member) const;
  [[nodiscard]] bool has_ended();
  [[nodiscard]] std::uint16_t client_port(std::size_t member) const { return client_ports_[member]; }
  // Of a member's clients, as etcdctl takes it.
  [[nodiscard]] std::string endpoint(std::size_t member) const;
  // What a client must trust to talk to the first member with TLS.
  [[nodiscard]] std::filesystem::path certificate() const;
  // With which etcdctl talks to this cluster.
  [[nodiscard]] std::vector<std::string> client_arguments() const;

 private:
  [[nodiscard]] std::filesystem::path data(std::size_t member) const;

  EtcdClusterSettings settings_;
  std::vector<std::uint16_t> client_ports_;
  std::vector<std::uint16_t> metrics_ports_;
  std::vector<ChildProcess> processes_;
};

}  // namespace mallard::cli
