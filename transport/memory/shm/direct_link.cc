#include "transport/memory/shm/direct_link.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "transport/memory/rights.h"
#include "transport/memory/shm/word_copy.h"

namespace mallard::memory {

namespace {

void apply(const Work& work, ByteSpan target, std::uint64_t& previous) {
  if (work.kind == WorkKind::write) {
    copy_in(target, work.source);
  } else {
    previous = swap_word(target, 0, work.expected, work.desired);
  }
}

}  // namespace

DirectLink::DirectLink(const ShmSettings& settings, ProcessIndex to, Rendezvous* rendezvous)
    : settings_(settings),
      to_(to),
      rendezvous_(rendezvous),
      regions_(settings.layout.size()),
      queue_(settings.queue_depth, true) {
  for (std::uint16_t i = 0; i < settings_.layout.size(); ++i) {
    const RegionLayout& layout = settings_.layout[i];
    regions_[i].writable = may_write(layout, to_, settings_.self);
    regions_[i].readable = may_read(layout, to_, settings_.self);
  }
}

DirectLink::DirectLink(const ShmSettings& settings, ProcessIndex to, Rendezvous& rendezvous)
    : DirectLink(settings, to, &rendezvous) {}

DirectLink::DirectLink(const ShmSettings& settings, const DirectDomain& own)
    : DirectLink(settings, settings.self, nullptr) {
  control_ = own.control();
  notes_ = own.notes(settings.self);
  for (std::uint16_t i = 0; i < regions_.size(); ++i) regions_[i].bytes = own.instances(RegionIndex(i));
  connecting_ = false;
}

// ---- Whether there is a domain behind it ----

Capabilities DirectLink::capabilities() const {
  if (rendezvous_ != nullptr && !attachment_) return {};
  return {.compare_swap = true,
          .dynamic_grants = true,
          .independent_of_process = true,
          .survives_process = attachment_ && attachment_->memory_node,
          .enforced_rights = settings_.separates_users(),
          .inline_bytes = inline_bytes_max};
}

bool DirectLink::is_live() {
  if (is_gone()) broken_ = true;
  if (broken_ || !connecting_) return !broken_;
  const std::uint64_t changes = rendezvous_->changes();
  if (changes == seen_changes_) return false;
  seen_changes_ = changes;
  std::shared_ptr<Attachment> latest = rendezvous_->attachment_to(to_);
  if (latest) attach(std::move(latest));
  return !connecting_;
}

// What another process offers and is not as agreed leaves the link dead: its fault, and it will be gone or
// come again.
void DirectLink::attach(std::shared_ptr<Attachment> attachment) {
  const auto map = [&](std::size_t fd, std::size_t bytes, bool writable) -> SharedMemory {
    if (fd >= attachment->fds.size()) return {};
    FileDescriptor copy(::fcntl(attachment->fds[fd].number(), F_DUPFD_CLOEXEC, 0));
    auto mapped = SharedMemory::attach(std::move(copy), bytes, writable);
    return mapped ? std::move(*mapped) : SharedMemory();
  };
  control_memory_ = map(0, lines_bytes, false);
  notes_memory_ = map(1, lines_bytes, true);
  control_ = control_memory_.bytes();
  notes_ = notes_memory_.bytes();
  bool complete = !control_.empty() && !notes_.empty();
  std::size_t fd = 2;
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    const RegionLayout& layout = settings_.layout[i];
    Mapping& mapping = regions_[i];
    const bool writable = mapping.writable || layout.granted;
    if (!writable && !mapping.readable) continue;
    const std::size_t bytes = layout.bytes * (layout.granted ? settings_.instances() : 1);
    mapping.memory = map(fd++, bytes, writable);
    mapping.bytes = mapping.memory.bytes();
    complete = complete && !mapping.bytes.empty();
  }
  if (!complete) return;
  attachment_ = std::move(attachment);
  connecting_ = false;
}

void DirectLink::reset() {
  queue_.flush();
  broken_ = false;
  connecting_ = rendezvous_ != nullptr && (attachment_ == nullptr || is_gone());
  if (!connecting_) return;
  attachment_.reset();
  static_cast<void>(is_live());
}

// ---- Works ----

bool DirectLink::post(std::span<const Work> chain) {
  if (chain.size() > queue_.room()) return false;
  const bool live = is_live();
  for (const Work& work : chain) queue_.push(work);
  if (!live) {
    flush_waiting();
    return true;
  }
  run();
  if (!queue_.all_done()) queue_.keep_sources();
  return true;
}

std::size_t DirectLink::poll(std::span<WorkDone> reports) {
  if (is_live()) {
    run();
  } else {
    flush_waiting();
  }
  std::uint64_t retired = 0;
  return queue_.report(reports, retired);
}

void DirectLink::flush_waiting() {
  while (!queue_.all_done()) queue_.finish_first(WorkStatus::flushed, 0);
}

void DirectLink::run() {
  while (!queue_.all_done() && carry_out(queue_.first_waiting().work)) {
    if (broken_) flush_waiting();
  }
}

bool DirectLink::carry_out(const Work& work) {
  WorkStatus status = WorkStatus::fenced;
  std::uint64_t previous = 0;
  const bool exists = work.region.value < regions_.size();
  if (exists && is_within(work.offset, bytes_of(work), settings_.layout[work.region.value])) {
    if (work.kind == WorkKind::read) {
      const std::optional<WorkStatus> loaded = load(work);
      if (!loaded) return false;
      status = *loaded;
    } else {
      status = store(work, previous);
    }
  }
  broken_ = status != WorkStatus::ok;
  queue_.finish_first(status, previous);
  return true;
}

GrantWord DirectLink::control(RegionIndex region) const {
  return {__atomic_load_n(words::at(control_.data() + line_of(region)), __ATOMIC_SEQ_CST)};
}

ByteSpan DirectLink::place(const Work& work, std::uint64_t instance) const {
  const std::uint64_t start = instance * settings_.layout[work.region.value].bytes;
  return regions_[work.region.value].bytes.subspan(start + work.offset, bytes_of(work));
}

WorkStatus DirectLink::store(const Work& work, std::uint64_t& previous) {
  if (!settings_.layout[work.region.value].granted) {
    if (!regions_[work.region.value].writable) return WorkStatus::fenced;
    apply(work, place(work, 0), previous);
    full_fence();
    return WorkStatus::ok;
  }
  const GrantWord grant{work.grant.value};
  if (grant.holder() != settings_.self.value || grant.instance() >= settings_.instances()) {
    return WorkStatus::fenced;
  }
  std::uint64_t* shown = words::at(notes_.data() + line_of(work.region));
  __atomic_exchange_n(shown, grant.value, __ATOMIC_SEQ_CST);
  WorkStatus status = WorkStatus::fenced;
  if (control(work.region) == grant) {
    apply(work, place(work, grant.instance()), previous);
    full_fence();
    status = control(work.region) == grant ? WorkStatus::ok : WorkStatus::unknown;
  }
  __atomic_store_n(shown, 0, __ATOMIC_RELEASE);
  return status;
}

std::optional<WorkStatus> DirectLink::load(const Work& work) {
  const Mapping& mapping = regions_[work.region.value];
  if (!settings_.layout[work.region.value].granted) {
    if (!mapping.readable) return WorkStatus::fenced;
    copy_out(work.destination, place(work, 0));
    full_fence();
    return WorkStatus::ok;
  }
  const GrantWord before = control(work.region);
  if (!mapping.readable && before.holder() != settings_.self.value) return WorkStatus::fenced;
  if (before.instance() >= settings_.instances()) return std::nullopt;  // being moved
  copy_out(work.destination, place(work, before.instance()));
  full_fence();
  if (control(work.region) != before) return std::nullopt;  // moved under our eyes
  return WorkStatus::ok;
}

}  // namespace mallard::memory
