// A way into memory that an agent serves: works go through a ring in shared memory, their outcomes come back
// through it. Bytes to write are copied when posted.
#pragma once

#include <memory>

#include "transport/memory/shm/agent_domain.h"
#include "transport/memory/shm/rendezvous.h"
#include "transport/memory/shm/shm_settings.h"
#include "transport/memory/shm/work_queue.h"
#include "transport/memory/shm/work_ring.h"

namespace mallard::memory {

class AgentLink final : public Link {
 public:
  AgentLink(const ShmSettings& settings, ProcessIndex to, Rendezvous& rendezvous);

  [[nodiscard]] bool post(std::span<const Work> chain) override;
  [[nodiscard]] std::size_t poll(std::span<WorkDone> reports) override;
  [[nodiscard]] std::size_t queue_depth() const override { return queue_.depth(); }
  [[nodiscard]] Capabilities capabilities() const override;
  [[nodiscard]] bool dead() const override { return condition_ != Condition::live || is_gone(); }
  void reset() override;

 private:
  enum class Condition : std::uint8_t { attaching, awaiting_agent, live, broken };

  bool is_live();
  [[nodiscard]] bool is_gone() const {
    return attachment_ != nullptr && attachment_->gone.load(std::memory_order_relaxed);
  }
  void attach(std::shared_ptr<Attachment> attachment);
  void begin_incarnation();
  // Room for `bytes` among the bytes under way: where it begins, counted from the ring's first byte ever;
  // nothing if there is none.
  [[nodiscard]] bool take_room(std::uint64_t bytes, std::uint64_t& at);
  void put(QueuedWork& queued, std::uint64_t at);
  void flush_waiting();

  const ShmSettings settings_;
  const ProcessIndex to_;
  Rendezvous& rendezvous_;
  std::shared_ptr<Attachment> attachment_;
  std::uint64_t seen_changes_ = 0;
  Condition condition_ = Condition::attaching;
  SharedMemory memory_;
  SharedMemory page_;
  int bell_ = -1;  // the attachment's
  WorkRing ring_;
  WorkQueue queue_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t posted_ = 0;    // works of this incarnation
  std::uint64_t finished_ = 0;  // of those, how many have an outcome
  std::uint64_t used_to_ = 0;   // bytes under way: [freed_to_, used_to_), counted without end
  std::uint64_t freed_to_ = 0;
};

}  // namespace mallard::memory
