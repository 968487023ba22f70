// Follows a cluster that Mallard runs by what its replicas say of themselves.
#pragma once

#include <optional>
#include <vector>

#include "cli/demo/delivery_watch.h"
#include "cli/demo/demo_deployment.h"

namespace mallard::cli {

class ReplicaWatch final : public DeliveryWatch {
 public:
  // Of the cluster at one end of the only link. `deployment` outlives this.
  ReplicaWatch(const DemoDeployment& deployment, std::size_t cluster);

  // Asks at most ten times a second.
  [[nodiscard]] Result<void, std::string> look(const DemoLoader& loader, Instant now) override;
  [[nodiscard]] std::uint64_t messages(std::size_t replica) const override { return messages_[replica]; }
  [[nodiscard]] std::size_t replicas() const override { return messages_.size(); }
  // Who said last that it leads.
  [[nodiscard]] std::size_t leader() const { return leader_; }

 private:
  const DemoDeployment& deployment_;
  std::size_t cluster_;
  std::vector<std::uint64_t> messages_;
  std::size_t leader_ = 0;
  Instant looked_at_;
};

}  // namespace mallard::cli
