#include "transport/memory/shm/agent_link.h"

#include <fcntl.h>

#include <utility>

#include "transport/memory/rights.h"
#include "transport/memory/shm/word_copy.h"

namespace mallard::memory {

namespace {

constexpr std::size_t page_bytes = 4096;

}  // namespace

AgentLink::AgentLink(const ShmSettings& settings, ProcessIndex to, Rendezvous& rendezvous)
    : settings_(settings), to_(to), rendezvous_(rendezvous), queue_(settings.queue_depth, false) {}

Capabilities AgentLink::capabilities() const {
  if (!attachment_) return {};
  return {.compare_swap = true,
          .dynamic_grants = true,
          .independent_of_process = attachment_->memory_node,
          .survives_process = attachment_->memory_node,
          .enforced_rights = settings_.separates_users(),
          .inline_bytes = settings_.ring_bytes};
}

// ---- Whether there is an agent behind it ----

bool AgentLink::is_live() {
  if (is_gone() && condition_ != Condition::attaching) condition_ = Condition::broken;
  if (condition_ == Condition::attaching) {
    const std::uint64_t changes = rendezvous_.changes();
    if (changes == seen_changes_) return false;
    seen_changes_ = changes;
    std::shared_ptr<Attachment> latest = rendezvous_.attachment_to(to_);
    if (latest) attach(std::move(latest));
  }
  if (condition_ == Condition::awaiting_agent && ring_.served_incarnation() == incarnation_) {
    condition_ = Condition::live;
  }
  return condition_ == Condition::live;
}

void AgentLink::attach(std::shared_ptr<Attachment> attachment) {
  if (attachment->fds.size() != 3) return;
  const auto map = [&](std::size_t fd, std::size_t bytes, bool writable) {
    return SharedMemory::attach(FileDescriptor(::fcntl(attachment->fds[fd].number(), F_DUPFD_CLOEXEC, 0)),
                                bytes, writable);
  };
  auto memory = map(0, WorkRing::bytes_for(settings_.ring_bytes), true);
  auto page = map(1, page_bytes, false);
  if (!memory || !page) return;
  memory_ = std::move(*memory);
  page_ = std::move(*page);
  bell_ = attachment->fds[2].number();
  attachment_ = std::move(attachment);
  ring_ = WorkRing(memory_.bytes());
  incarnation_ = ring_.wanted_incarnation();  // of an earlier life of this process
  begin_incarnation();
}

void AgentLink::begin_incarnation() {
  ring_.begin_incarnation(++incarnation_);
  wake_agent(page_.bytes(), bell_);
  posted_ = finished_ = 0;
  // Nothing is posted before the agent has let go of everything older. Counted on, so that a report that is
  // still to come of an older work frees nothing.
  freed_to_ = used_to_;
  condition_ = Condition::awaiting_agent;
}

void AgentLink::reset() {
  queue_.flush();
  if (attachment_ != nullptr && !is_gone()) {
    begin_incarnation();
    return;
  }
  attachment_.reset();
  condition_ = Condition::attaching;
  static_cast<void>(is_live());
}

// ---- Works ----

bool AgentLink::take_room(std::uint64_t bytes, std::uint64_t& at) {
  const std::uint64_t ring = settings_.ring_bytes;
  bytes = (bytes + word_bytes - 1) / word_bytes * word_bytes;
  std::uint64_t start = used_to_;
  if (start % ring + bytes > ring) start += ring - start % ring;  // not across the end
  if (start + bytes - freed_to_ > ring) return false;
  at = start;
  used_to_ = start + bytes;
  return true;
}

bool AgentLink::post(std::span<const Work> chain) {
  if (chain.size() > queue_.room()) return false;
  const bool live = is_live();
  // With nothing under way it begins at the ring's front, so that whatever fits the ring at all fits now.
  const std::uint64_t ring = settings_.ring_bytes;
  if (used_to_ == freed_to_) used_to_ = freed_to_ = (used_to_ + ring - 1) / ring * ring;
  const std::uint64_t used_before = used_to_;
  for (const Work& work : chain) {
    std::uint64_t at = 0;
    if (!live || bytes_of(work) > settings_.ring_bytes || take_room(bytes_of(work), at)) continue;
    used_to_ = used_before;
    return false;
  }
  used_to_ = used_before;
  for (const Work& work : chain) {
    QueuedWork& queued = queue_.push(work);
    if (!live) continue;
    std::uint64_t at = 0;
    // What could never pass is put as what the agent refuses: in its place in the order.
    const bool fits = bytes_of(work) <= settings_.ring_bytes && take_room(bytes_of(work), at);
    put(queued, fits ? at : UINT64_MAX);
  }
  if (live) {
    wake_agent(page_.bytes(), bell_);
  } else {
    flush_waiting();
  }
  return true;
}

void AgentLink::put(QueuedWork& queued, std::uint64_t at) {
  const Work& work = queued.work;
  const std::uint64_t bytes = bytes_of(work);
  RingWork order{static_cast<std::uint32_t>(work.kind),
                 work.region.value,
                 work.grant.value,
                 work.offset,
                 bytes,
                 at % settings_.ring_bytes,
                 work.expected,
                 work.desired};
  if (at == UINT64_MAX) {
    order.region = UINT32_MAX;
  } else if (work.kind == WorkKind::write && bytes % word_bytes == 0) {
    copy_in(ring_.payload().subspan(order.payload_at, bytes), work.source);
  }
  queued.tag = used_to_;
  ring_.put(WorkRing::sequence(incarnation_, ++posted_), order);
}

std::size_t AgentLink::poll(std::span<WorkDone> reports) {
  RingOutcome outcome;
  if (!is_live()) {
    flush_waiting();
  } else {
    while (!queue_.all_done() && finished_ < posted_ && condition_ == Condition::live &&
           ring_.take_outcome(WorkRing::sequence(incarnation_, finished_ + 1), outcome)) {
      QueuedWork& queued = queue_.first_waiting();
      const Work& work = queued.work;
      if (outcome.status == WorkStatus::ok && work.kind == WorkKind::read) {
        const std::uint64_t at = (queued.tag - bytes_of(work)) % settings_.ring_bytes;
        copy_out(work.destination, ring_.payload().subspan(at, bytes_of(work)));
      }
      ++finished_;
      queue_.finish_first(outcome.status, outcome.previous);
      if (outcome.status != WorkStatus::ok) condition_ = Condition::broken;
    }
    if (condition_ == Condition::broken) flush_waiting();
  }
  std::uint64_t retired = 0;
  const std::size_t written = queue_.report(reports, retired);
  if (condition_ == Condition::live && retired > freed_to_) freed_to_ = retired;
  return written;
}

void AgentLink::flush_waiting() {
  while (!queue_.all_done()) queue_.finish_first(WorkStatus::flushed, 0);
}

}  // namespace mallard::memory
