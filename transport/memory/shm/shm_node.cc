#include "transport/memory/shm/shm_node.h"

#include <utility>

#include "transport/memory/shm/agent_domain.h"
#include "transport/memory/shm/agent_link.h"
#include "transport/memory/shm/direct_domain.h"
#include "transport/memory/shm/direct_link.h"

namespace mallard::memory {

Result<std::unique_ptr<ShmNode>, ShmError> ShmNode::open(const ShmSettings& settings) {
  if (auto checked = settings.check(); !checked) return Failure<ShmError>(checked.error());
  std::unique_ptr<ShmNode> node(new ShmNode());
  Rendezvous::Offers offers;
  DirectDomain* direct = nullptr;
  if (settings.mode == ShmMode::direct) {
    auto domain = DirectDomain::create(settings);
    if (!domain) return Failure<ShmError>(domain.error());
    offers = (*domain)->offers();
    direct = domain->get();
    node->domain_ = std::move(*domain);
  } else {
    auto domain = AgentDomain::create(settings);
    if (!domain) return Failure<ShmError>(domain.error());
    offers = (*domain)->offers();
    node->domain_ = std::move(*domain);
  }
  auto rendezvous = Rendezvous::open(settings, std::move(offers));
  if (!rendezvous) return Failure<ShmError>(rendezvous.error());
  node->rendezvous_ = std::move(*rendezvous);
  if (direct != nullptr) direct->watch(*node->rendezvous_);
  for (std::uint16_t p = 0; p < settings.processes && !settings.memory_node; ++p) {
    const ProcessIndex to(p);
    if (direct == nullptr) {
      node->links_.push_back(std::make_unique<AgentLink>(settings, to, *node->rendezvous_));
    } else if (to == settings.self) {
      node->links_.push_back(std::make_unique<DirectLink>(settings, *direct));
    } else {
      node->links_.push_back(std::make_unique<DirectLink>(settings, to, *node->rendezvous_));
    }
  }
  return node;
}

}  // namespace mallard::memory
