#include "cli/status/process_status.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "cli/status/admin_page.h"

namespace mallard::cli {
namespace {

using Json = nlohmann::json;

// 0 where the process does not know a number.
std::uint64_t message_of(const Json& link, const char* key) {
  const Json& position = link.at(key);
  return position.is_null() ? 0 : position.at("message").get<std::uint64_t>();
}

LinkStatus link_from(const Json& json) {
  LinkStatus link;
  link.name = json.at("name");
  link.is_source = json.at("role") == "source";
  link.state = json.at("state");
  link.state_seconds = json.at("since_s");
  link.waiting_for = json.at("waiting_for");
  link.committed_message = message_of(json, "committed");
  link.done_message = message_of(json, link.is_source ? "quacked" : "applied");
  link.lag_messages = json.at("lag").at("messages");
  link.lag_bytes = json.at("lag").at("bytes");
  link.lag_seconds = json.at("lag").at("seconds");
  link.latency_p99_ms = json.at("latency").at("p99_ms");
  link.copies = json.at("copies");
  link.repeats = json.at("resends");
  link.last_error = json.at("last_error");
  link.next = json.at("next");
  return link;
}

PeerStatus peer_from(const Json& json) {
  return {json.at("cluster"), json.at("id"), json.at("up"), json.at("since_s"), json.at("last_error")};
}

EngineStatus engine_from(const Json& page) {
  EngineStatus engine;
  engine.state = page.at("state");
  engine.leads = page.at("role") == "leader";
  engine.state_seconds = page.at("since_s");
  if (!page.at("leader").is_null()) {
    engine.leader = page.at("leader").get<std::uint64_t>();
  }
  engine.term = page.at("term");
  engine.epoch = page.at("epoch");
  engine.committed = page.at("committed");
  engine.durable = page.at("durable");
  engine.applied = page.at("applied");
  engine.waiting_for = page.at("waiting_for");
  engine.last_error = page.at("last_error");
  return engine;
}

// The addresses of this machine, in the textual form that inet_ntop gives, and its name.
std::set<std::string> machine_addresses() {
  std::set<std::string> addresses{"127.0.0.1", "::1"};
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) {
    addresses.insert(name.data());
  }
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    return addresses;
  }
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* address = at->ifa_addr;
    const void* bytes = nullptr;
    if (at->ifa_addr->sa_family == AF_INET) {
      bytes = &static_cast<const sockaddr_in*>(address)->sin_addr;
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      bytes = &static_cast<const sockaddr_in6*>(address)->sin6_addr;
    }
    if (bytes != nullptr &&
        ::inet_ntop(at->ifa_addr->sa_family, bytes, text.data(), text.size()) != nullptr) {
      addresses.insert(text.data());
    }
  }
  return addresses;
}

struct Answer {
  Result<ProcessStatus, std::string> status;
  std::string page;
};

// A port of this machine, and where it is served.
using Place = std::pair<std::string, std::uint16_t>;

Answer ask(const Place& place, Duration patience) {
  const auto& [address, port] = place;
  Result<std::string, std::string> page = fetch_page(port, "/status", patience, address);
  if (!page) {
    return {Failure<std::string>(fmt::format("no answer on port {}: {}", port, page.error())), ""};
  }
  Result<ProcessStatus, std::string> status = parse_status(*page);
  if (!status) {
    return {Failure<std::string>(fmt::format("port {} answered something else: {}", port, status.error())),
            ""};
  }
  return {std::move(status), std::move(*page)};
}

std::string name_of(ProcessKind kind, const std::string& cluster, std::uint64_t id) {
  return fmt::format("the {} of {} {}", kind == ProcessKind::gateway ? "gateway" : "replica", cluster, id);
}

// Asks ports of this machine, each once: replicas on different machines share them.
class Inquiry {
 public:
  explicit Inquiry(Duration patience) : patience_(patience), addresses_(machine_addresses()) {}

  // Any DNS name but this machine's own counts as another's: asking a name server could take long.
  [[nodiscard]] bool is_here(const std::string& host) const {
    return host == "localhost" || host.starts_with("127.") || addresses_.contains(host);
  }

  [[nodiscard]] ReplicaStatus status_of(const config::ClusterSettings& cluster,
                                        const config::ReplicaSettings& replica, ProcessKind kind) {
    const std::uint16_t port =
        kind == ProcessKind::gateway ? replica.ports.admin : replica.ports.replica_admin;
    const std::uint64_t id = replica.id.value;
    const auto without_answer = [&](const std::string& why) {
      return ReplicaStatus{cluster.name, id, port, Failure<std::string>(why), "", kind};
    };
    const std::optional<std::string> address = own_address(replica.admin_address);
    if (!address) {
      return without_answer(
          fmt::format("port {} is served at {}, which is not this machine's", port, replica.admin_address));
    }
    const Place place{*address, port};
    auto found = answers_.find(place);
    if (found == answers_.end()) {
      found = answers_.emplace(place, ask(place, patience_)).first;
    }
    const Result<ProcessStatus, std::string>& status = found->second.status;
    if (!status) {
      return without_answer(status.error());
    }
    if (status->kind != kind || status->cluster != cluster.name || status->id != id) {
      return without_answer(
          fmt::format("port {} belongs to {}", port, name_of(status->kind, status->cluster, status->id)));
    }
    return {cluster.name, id, port, status, found->second.page, kind};
  }

 private:
  // Where a port that is served at `address` is asked; nothing if that is another machine.
  [[nodiscard]] std::optional<std::string> own_address(const std::string& address) const {
    if (address == "0.0.0.0") return "127.0.0.1";
    if (address == "::") return "::1";
    return is_here(address) ? std::optional(address) : std::nullopt;
  }

  Duration patience_;
  std::set<std::string> addresses_;
  std::map<Place, Answer> answers_;
};

}  // namespace

Result<ProcessStatus, std::string> parse_status(std::string_view json) {
  try {
    const Json page = Json::parse(json);
    ProcessStatus status;
    status.cluster = page.at("cluster");
    status.id = page.at("id");
    status.uptime_seconds = page.at("uptime_s");
    status.is_ready = page.at("ready");
    status.not_ready_because = page.at("not_ready_because");
    if (page.at("process") == "replica") {
      status.kind = ProcessKind::replica;
      status.engine = engine_from(page);
      return status;
    }
    for (const Json& link : page.at("links")) {
      status.links.push_back(link_from(link));
    }
    for (const Json& peer : page.at("peers")) {
      status.peers.push_back(peer_from(peer));
    }
    return status;
  } catch (const Json::exception& wrong) {
    return Failure<std::string>(wrong.what());
  }
}

LocalProcesses ask_local_processes(const config::Pairing& pairing, Duration patience) {
  Inquiry inquiry(patience);
  LocalProcesses local;
  for (const config::ClusterSettings& cluster : pairing.clusters) {
    for (const config::ReplicaSettings& replica : cluster.replicas) {
      std::vector<ReplicaStatus> found{inquiry.status_of(cluster, replica, ProcessKind::gateway)};
      if (cluster.kind == config::ClusterKind::cft) {
        found.push_back(inquiry.status_of(cluster, replica, ProcessKind::replica));
      }
      const auto has_answer = [](const ReplicaStatus& one) { return one.answer.has_value(); };
      if (inquiry.is_here(replica.host) || std::any_of(found.begin(), found.end(), has_answer)) {
        std::move(found.begin(), found.end(), std::back_inserter(local.replicas));
      } else {
        ++local.elsewhere;
      }
    }
  }
  return local;
}

}  // namespace mallard::cli
