#include "cli/demo/replica_watch.h"

#include <nlohmann/json.hpp>

#include "cli/status/admin_page.h"

namespace mallard::cli {
namespace {

constexpr Duration interval = Duration::milliseconds(100);
constexpr Duration patience = Duration::milliseconds(100);

}  // namespace

ReplicaWatch::ReplicaWatch(const DemoDeployment& deployment, std::size_t cluster)
    : deployment_(deployment), cluster_(cluster), messages_(deployment.replicas()) {}

Result<void, std::string> ReplicaWatch::look(const DemoLoader& /*loader*/, Instant now) {
  if (now - looked_at_ < interval) {
    return {};
  }
  looked_at_ = now;
  for (std::size_t replica = 0; replica < messages_.size(); ++replica) {
    const auto page = fetch_page(deployment_.replica_admin_port(cluster_, replica), "/status", patience);
    const auto status = nlohmann::json::parse(page ? *page : "", nullptr, false);
    if (!status.is_object()) {
      continue;  // it is down
    }
    const auto links = status.value("links", nlohmann::json::array());
    if (!links.empty()) {
      messages_[replica] = links[0].value("message", std::uint64_t{0});
    }
    if (status.value("state", "") == "leading") {
      leader_ = replica;
    }
  }
  return {};
}

}  // namespace mallard::cli
