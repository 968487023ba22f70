// One process's part of memory that is shared by the processes of one host: its own domain, and a link to
// every domain.
#pragma once

#include <memory>
#include <vector>

#include "transport/memory/shm/rendezvous.h"
#include "transport/memory/shm/shm_settings.h"

namespace mallard::memory {

class ShmNode {
 public:
  // Makes the domain, offers it to the others, and goes on looking for theirs until it ends. Takes all memory
  // that it will ever need. Refused when settings are wrong or the machine has not enough.
  [[nodiscard]] static Result<std::unique_ptr<ShmNode>, ShmError> open(const ShmSettings& settings);
  ShmNode(const ShmNode&) = delete;
  ShmNode& operator=(const ShmNode&) = delete;

  [[nodiscard]] Domain& domain() { return *domain_; }
  // To any process, this one included. A memory node has none.
  [[nodiscard]] Link& link(ProcessIndex to) { return *links_.at(to.value); }
  // Connections of other processes that were turned away: of strangers, of other settings, of a second
  // process with an index in use.
  [[nodiscard]] std::uint64_t refused() const { return rendezvous_->refused(); }

 private:
  ShmNode() = default;

  // In this order: links use the rendezvous and the domain, the rendezvous offers what the domain owns.
  std::unique_ptr<Domain> domain_;
  std::unique_ptr<Rendezvous> rendezvous_;
  std::vector<std::unique_ptr<Link>> links_;
};

}  // namespace mallard::memory
