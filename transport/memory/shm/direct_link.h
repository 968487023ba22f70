// A way into the memory of another process that is mapped here: works are carried out by whoever posts them,
// when posted, in the poster's thread. See direct_domain.h for how grants end.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "transport/memory/shm/direct_domain.h"
#include "transport/memory/shm/grant_word.h"
#include "transport/memory/shm/rendezvous.h"
#include "transport/memory/shm/shared_memory.h"
#include "transport/memory/shm/shm_settings.h"
#include "transport/memory/shm/work_queue.h"

namespace mallard::memory {

// A write is `ok` if the control word still names our grant after a full fence behind its stores; if not, it
// is `unknown` (a copy may have caught some of it), and `fenced` if the grant was gone before the first
// store. While it stores, the poster shows its grant in a word that the owner reads (a hazard pointer:
// Michael, "Hazard Pointers", TPDS 2004), so that the owner knows which instances it must leave alone.
class DirectLink final : public Link {
 public:
  // To another process.
  DirectLink(const ShmSettings& settings, ProcessIndex to, Rendezvous& rendezvous);
  // Of a process to itself.
  DirectLink(const ShmSettings& settings, const DirectDomain& own);

  [[nodiscard]] bool post(std::span<const Work> chain) override;
  [[nodiscard]] std::size_t poll(std::span<WorkDone> reports) override;
  [[nodiscard]] std::size_t queue_depth() const override { return queue_.depth(); }
  [[nodiscard]] Capabilities capabilities() const override;
  [[nodiscard]] bool dead() const override { return broken_ || connecting_ || is_gone(); }
  void reset() override;

 private:
  struct Mapping {
    SharedMemory memory;  // of another process
    ByteSpan bytes;       // all instances
    bool readable = false;
    bool writable = false;
  };

  DirectLink(const ShmSettings& settings, ProcessIndex to, Rendezvous* rendezvous);

  // Whether the link lives, after a look for a new attachment if it is waiting for one.
  bool is_live();
  void attach(std::shared_ptr<Attachment> attachment);
  // Carries out what waits, in order; stops at a read of a region that is being moved.
  void run();
  void flush_waiting();
  // False: it has to wait.
  bool carry_out(const Work& work);
  [[nodiscard]] WorkStatus store(const Work& work, std::uint64_t& previous);
  // Nothing: it has to wait.
  [[nodiscard]] std::optional<WorkStatus> load(const Work& work);
  [[nodiscard]] bool is_gone() const {
    return attachment_ != nullptr && attachment_->gone.load(std::memory_order_relaxed);
  }
  [[nodiscard]] GrantWord control(RegionIndex region) const;
  [[nodiscard]] ByteSpan place(const Work& work, std::uint64_t instance) const;

  const ShmSettings settings_;
  const ProcessIndex to_;
  Rendezvous* rendezvous_;  // none: a link to itself
  std::shared_ptr<Attachment> attachment_;
  std::uint64_t seen_changes_ = 0;
  bool connecting_ = true;
  bool broken_ = false;
  SharedMemory control_memory_;
  SharedMemory notes_memory_;
  ByteView control_;
  ByteSpan notes_;
  std::vector<Mapping> regions_;
  WorkQueue queue_;
};

}  // namespace mallard::memory
