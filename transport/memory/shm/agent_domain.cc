#include "transport/memory/shm/agent_domain.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "transport/memory/rights.h"
#include "transport/memory/shm/grant_word.h"
#include "transport/memory/shm/word_copy.h"

namespace mallard::memory {

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr int works_per_turn = 16;  // of one peer, before the next one's turn

}  // namespace

void wake_agent(ByteView page, int bell) {
  // The agent says that it sleeps, fences, looks once more; we have put our work, fence, and look.
  full_fence();
  if (load_word(page, 0) == 0) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(bell, &one, sizeof(one));
}

AgentDomain::AgentDomain(const ShmSettings& settings)
    : settings_(settings), regions_(new Region[settings.layout.size()]), peers_(settings.processes) {}

Result<std::unique_ptr<AgentDomain>, ShmError> AgentDomain::create(const ShmSettings& settings) {
  std::unique_ptr<AgentDomain> domain(new AgentDomain(settings));
  if (auto built = domain->build(); !built) return Failure<ShmError>(built.error());
  domain->agent_ = std::thread([&object = *domain] { object.serve(); });
  return domain;
}

Result<void, ShmError> AgentDomain::build() {
  for (std::size_t i = 0; i < settings_.layout.size(); ++i) {
    regions_[i].words.resize(settings_.layout[i].bytes / word_bytes);
    regions_[i].sequence = first_grant_sequence();
  }
  const std::size_t ring_bytes = WorkRing::bytes_for(settings_.ring_bytes);
  for (Peer& peer : peers_) {
    auto memory = SharedMemory::create("mallard-ring", ring_bytes, SharedMemory::Writers::holders_of_fd);
    if (!memory) return Failure<ShmError>(memory.error());
    peer.memory = std::move(*memory);
    peer.ring = WorkRing(peer.memory.bytes());
  }
  auto page = SharedMemory::create("mallard-agent", page_bytes, SharedMemory::Writers::maker_only);
  if (!page) return Failure<ShmError>(page.error());
  page_ = std::move(*page);
  auto read_only = page_.read_only_fd();
  if (!read_only) return Failure<ShmError>(read_only.error());
  page_read_only_ = std::move(*read_only);
  bell_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell_.is_open()) return Failure<ShmError>(system_error("eventfd"));
  return {};
}

AgentDomain::~AgentDomain() {
  if (!agent_.joinable()) return;
  stop_.store(true, std::memory_order_seq_cst);
  wake_agent(page_.bytes(), bell_.number());
  agent_.join();
}

Rendezvous::Offers AgentDomain::offers() const {
  Rendezvous::Offers offers;
  for (const Peer& peer : peers_)
    offers.push_back({peer.memory.fd(), page_read_only_.number(), bell_.number()});
  return offers;
}

// ---- The owner's thread ----

ByteSpan AgentDomain::span_of(RegionIndex region) {
  std::vector<std::uint64_t>& words = regions_[region.value].words;
  return {reinterpret_cast<std::byte*>(words.data()), words.size() * word_bytes};
}

ByteSpan AgentDomain::bytes(RegionIndex region) {
  MALLARD_INVARIANT(region.value < settings_.layout.size());
  return span_of(region);
}

void AgentDomain::regrant(RegionIndex region, ProcessIndex writer, LiveRange live) {
  MALLARD_INVARIANT(region.value < settings_.layout.size() && settings_.layout[region.value].granted);
  MALLARD_INVARIANT(live.bytes <= settings_.layout[region.value].bytes);
  Region& state = regions_[region.value];
  const bool under_way = state.wanted.load(std::memory_order_relaxed) != state.given.load();
  MALLARD_INVARIANT(writer.value < settings_.processes && !under_way);
  state.wanted.store(GrantWord::of(++state.sequence, writer.value, 0).value, std::memory_order_seq_cst);
  wake_agent(page_.bytes(), bell_.number());
}

GrantNumber AgentDomain::granted(RegionIndex region) {
  MALLARD_INVARIANT(region.value < settings_.layout.size());
  const Region& state = regions_[region.value];
  const std::uint64_t given = state.given.load(std::memory_order_acquire);
  return GrantNumber(given == state.wanted.load(std::memory_order_relaxed) ? given : 0);
}

// ---- The agent's thread ----

void AgentDomain::serve() {
  std::uint32_t idle = 0;
  while (!stop_.load(std::memory_order_relaxed)) {
    bool busy = serve_grants();
    for (std::uint16_t p = 0; p < settings_.processes; ++p) busy = serve_peer(ProcessIndex(p)) || busy;
    if (busy) {
      idle = 0;
    } else if (++idle > settings_.spin_rounds) {
      sleep();
      idle = 0;
    }
  }
}

void AgentDomain::sleep() {
  store_word(page_.bytes(), 0, 1);
  full_fence();
  if (!has_work()) {
    pollfd bell{bell_.number(), POLLIN, 0};
    ::poll(&bell, 1, -1);
    std::uint64_t rung = 0;
    [[maybe_unused]] const ssize_t got = ::read(bell_.number(), &rung, sizeof(rung));
  }
  store_word(page_.bytes(), 0, 0);
}

bool AgentDomain::has_work() const {
  if (stop_.load(std::memory_order_seq_cst)) return true;
  for (std::size_t i = 0; i < settings_.layout.size(); ++i) {
    if (regions_[i].wanted.load(std::memory_order_seq_cst) != regions_[i].given.load()) return true;
  }
  RingWork work;
  for (const Peer& peer : peers_) {
    if (peer.ring.wanted_incarnation() != peer.incarnation ||
        peer.ring.take(WorkRing::sequence(peer.incarnation, peer.next), work)) {
      return true;
    }
  }
  return false;
}

bool AgentDomain::serve_grants() {
  bool busy = false;
  for (std::size_t i = 0; i < settings_.layout.size(); ++i) {
    const std::uint64_t wanted = regions_[i].wanted.load(std::memory_order_acquire);
    if (wanted == regions_[i].given.load(std::memory_order_relaxed)) continue;
    regions_[i].given.store(wanted, std::memory_order_release);
    busy = true;
  }
  return busy;
}

bool AgentDomain::serve_peer(ProcessIndex process) {
  Peer& peer = peers_[process.value];
  const std::uint64_t wanted = peer.ring.wanted_incarnation();
  if (wanted != peer.incarnation) {
    peer.incarnation = wanted;
    peer.next = 1;
    peer.broken = false;
    peer.ring.serve_incarnation(wanted);
    return true;
  }
  int done = 0;
  RingWork work;
  for (; done < works_per_turn; ++done) {
    const std::uint64_t sequence = WorkRing::sequence(peer.incarnation, peer.next);
    if (!peer.ring.take(sequence, work)) break;
    const RingOutcome outcome = peer.broken ? RingOutcome{WorkStatus::flushed, 0} : carry_out(process, work);
    peer.broken = outcome.status != WorkStatus::ok;
    full_fence();
    peer.ring.put_outcome(sequence, outcome);
    ++peer.next;
  }
  return done > 0;
}

bool AgentDomain::is_allowed(ProcessIndex process, const RingWork& work) const {
  if (work.region >= settings_.layout.size()) return false;
  const RegionLayout& layout = settings_.layout[work.region];
  const std::uint64_t bytes =
      work.kind == static_cast<std::uint32_t>(WorkKind::compare_swap) ? word_bytes : work.bytes;
  if (!is_within(work.offset, bytes, layout)) return false;
  if (bytes > settings_.ring_bytes || work.payload_at > settings_.ring_bytes - bytes ||
      work.payload_at % word_bytes != 0) {
    return false;
  }
  const std::uint64_t given = regions_[work.region].given.load(std::memory_order_relaxed);
  const bool holds = layout.granted && given != 0 && GrantWord{given}.holder() == process.value;
  if (work.kind == static_cast<std::uint32_t>(WorkKind::read)) {
    return holds || may_read(layout, settings_.self, process);
  }
  return layout.granted ? holds && work.grant == given : may_write(layout, settings_.self, process);
}

RingOutcome AgentDomain::carry_out(ProcessIndex process, const RingWork& work) {
  constexpr auto kind_max = static_cast<std::uint32_t>(WorkKind::compare_swap);
  if (work.kind > kind_max || !is_allowed(process, work)) return {WorkStatus::fenced, 0};
  const ByteSpan region = span_of(RegionIndex(static_cast<std::uint16_t>(work.region)));
  const ByteSpan payload = peers_[process.value].ring.payload();
  switch (static_cast<WorkKind>(work.kind)) {
    case WorkKind::write:
      copy_shared(region.subspan(work.offset, work.bytes), payload.subspan(work.payload_at, work.bytes));
      break;
    case WorkKind::read:
      copy_shared(payload.subspan(work.payload_at, work.bytes), region.subspan(work.offset, work.bytes));
      break;
    case WorkKind::compare_swap:
      return {WorkStatus::ok, swap_word(region, work.offset, work.expected, work.desired)};
  }
  return {WorkStatus::ok, 0};
}

}  // namespace mallard::memory
