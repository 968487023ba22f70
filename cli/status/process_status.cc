#include "cli/status/process_status.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <array>
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

// The addresses of this machine, in the textual form that inet_ntop gives.
std::set<std::string> machine_addresses() {
  std::set<std::string> addresses{"127.0.0.1", "::1"};
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

// A DNS name other than localhost counts as another machine's: asking a name server could take long.
bool is_here(const std::string& host, const std::set<std::string>& addresses) {
  return host == "localhost" || host.starts_with("127.") || addresses.contains(host);
}

struct Answer {
  Result<ProcessStatus, std::string> status;
  std::string page;
};

Answer ask(std::uint16_t port, Duration patience) {
  Result<std::string, std::string> page = fetch_page(port, "/status", patience);
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
  const std::set<std::string> addresses = machine_addresses();
  std::map<std::uint16_t, Answer> answers;  // replicas on different machines share a port: asked once
  LocalProcesses local;
  for (const config::ClusterSettings& cluster : pairing.clusters) {
    for (const config::ReplicaSettings& replica : cluster.replicas) {
      const std::uint16_t port = replica.ports.admin;
      auto found = answers.find(port);
      if (found == answers.end()) {
        found = answers.emplace(port, ask(port, patience)).first;
      }
      const Answer& answer = found->second;
      const bool is_it =
          answer.status && answer.status->cluster == cluster.name && answer.status->id == replica.id.value;
      if (is_it) {
        local.replicas.push_back({cluster.name, replica.id.value, port, answer.status, answer.page});
      } else if (is_here(replica.host, addresses)) {
        const std::string why = answer.status ? fmt::format("port {} belongs to {} {}", port,
                                                            answer.status->cluster, answer.status->id)
                                              : answer.status.error();
        local.replicas.push_back({cluster.name, replica.id.value, port, Failure<std::string>(why), ""});
      } else {
        ++local.elsewhere;
      }
    }
  }
  return local;
}

}  // namespace mallard::cli
