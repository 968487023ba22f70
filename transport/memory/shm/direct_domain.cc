#include "transport/memory/shm/direct_domain.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "transport/memory/rights.h"
#include "transport/memory/shm/word_copy.h"

namespace mallard::memory {

Result<std::unique_ptr<DirectDomain>, ShmError> DirectDomain::create(const ShmSettings& settings) {
  std::unique_ptr<DirectDomain> domain(new DirectDomain(settings));
  if (auto built = domain->build(); !built) return Failure<ShmError>(built.error());
  return domain;
}

Result<void, ShmError> DirectDomain::build() {
  using Writers = SharedMemory::Writers;
  const auto make = [](SharedMemory& to, const std::string& name, std::size_t bytes,
                       Writers writers) -> Result<void, ShmError> {
    auto made = SharedMemory::create(name, bytes, writers);
    if (!made) return Failure<ShmError>(made.error());
    to = std::move(*made);
    return {};
  };
  if (auto made = make(control_, "mallard-control", lines_bytes, Writers::maker_only); !made) return made;
  auto control_fd = control_.read_only_fd();
  if (!control_fd) return Failure<ShmError>(control_fd.error());
  control_read_only_ = std::move(*control_fd);

  notes_.resize(settings_.processes);
  for (SharedMemory& notes : notes_) {
    if (auto made = make(notes, "mallard-notes", lines_bytes, Writers::holders_of_fd); !made) return made;
  }
  regions_.resize(settings_.layout.size());
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    const RegionLayout& layout = settings_.layout[i];
    Region& region = regions_[i];
    const std::size_t instances = layout.granted ? settings_.instances() : 1;
    const bool only_owner = !layout.granted && (layout.writers & ~only(settings_.self)) == 0;
    if (auto made = make(region.memory, fmt::format("mallard-region-{}", i), layout.bytes * instances,
                         only_owner ? Writers::maker_only : Writers::holders_of_fd);
        !made) {
      return made;
    }
    auto fd = region.memory.read_only_fd();
    if (!fd) return Failure<ShmError>(fd.error());
    region.read_only = std::move(*fd);
    region.instances.resize(instances);
    region.current = GrantWord::of(first_grant_sequence(), GrantWord::nobody, 0);
    store_word(control_.bytes(), line_of(RegionIndex(static_cast<std::uint16_t>(i))), region.current.value);
  }
  return {};
}

Rendezvous::Offers DirectDomain::offers() const {
  Rendezvous::Offers offers(settings_.processes);
  for (std::uint16_t p = 0; p < settings_.processes; ++p) {
    offers[p] = {control_read_only_.number(), notes_[p].fd()};
    for (std::size_t i = 0; i < regions_.size(); ++i) {
      const RegionLayout& layout = settings_.layout[i];
      if (layout.granted || may_write(layout, settings_.self, ProcessIndex(p))) {
        offers[p].push_back(regions_[i].memory.fd());
      } else if (may_read(layout, settings_.self, ProcessIndex(p))) {
        offers[p].push_back(regions_[i].read_only.number());
      }
    }
  }
  return offers;
}

ByteSpan DirectDomain::instance(RegionIndex region, std::uint64_t index) const {
  const std::uint64_t size = settings_.layout[region.value].bytes;
  return regions_[region.value].memory.bytes().subspan(index * size, size);
}

ByteSpan DirectDomain::bytes(RegionIndex region) {
  MALLARD_INVARIANT(region.value < regions_.size());
  return instance(region, regions_[region.value].current.instance());
}

void DirectDomain::regrant(RegionIndex region, ProcessIndex writer, LiveRange live) {
  MALLARD_INVARIANT(region.value < regions_.size() && settings_.layout[region.value].granted);
  MALLARD_INVARIANT(writer.value < settings_.processes && !regions_[region.value].pending);
  const std::uint64_t size = settings_.layout[region.value].bytes;
  MALLARD_INVARIANT(live.offset % word_bytes == 0 && live.bytes % word_bytes == 0);
  MALLARD_INVARIANT(live.offset <= size && live.bytes <= size);
  Region& state = regions_[region.value];
  state.pending = true;
  state.writer = writer;
  state.live = live;
  [[maybe_unused]] const GrantNumber now = granted(region);
}

GrantNumber DirectDomain::granted(RegionIndex region) {
  MALLARD_INVARIANT(region.value < regions_.size());
  Region& state = regions_[region.value];
  if (state.pending) {
    const std::uint64_t to = free_instance(region);
    if (to == state.instances.size()) {
      ++starved_;
      return {};
    }
    relocate(region, to);
  }
  return GrantNumber(state.current.holder() == GrantWord::nobody ? 0 : state.current.value);
}

std::uint64_t DirectDomain::free_instance(RegionIndex region) {
  Region& state = regions_[region.value];
  for (std::uint64_t i = 0; i < state.instances.size(); ++i) {
    Instance& candidate = state.instances[i];
    if (i == state.current.instance()) continue;
    if (candidate.waiting) {
      const ProcessIndex holder(static_cast<std::uint16_t>(candidate.grant.holder()));
      // A holder shows its grant before it looks at the control word, and for as long as it stores. One that
      // did not show it after our fence will find the word changed.
      const std::uint64_t shown = load_word(notes_[holder.value].bytes(), line_of(region));
      if (shown == candidate.grant.value && lives_->life_of(holder) == candidate.life) continue;
      candidate.waiting = false;
    }
    return i;
  }
  return state.instances.size();
}

void DirectDomain::relocate(RegionIndex region, std::uint64_t to) {
  Region& state = regions_[region.value];
  const GrantWord before = state.current;
  const std::uint64_t sequence = before.sequence() + 1;
  store_word(control_.bytes(), line_of(region),
             GrantWord::of(sequence, GrantWord::nobody, GrantWord::moving).value);
  full_fence();
  if (before.holder() != GrantWord::nobody && before.holder() != settings_.self.value) {
    const std::uint64_t life = lives_->life_of(ProcessIndex(static_cast<std::uint16_t>(before.holder())));
    const bool attached = life % 2 == 1;
    state.instances[before.instance()] = Instance{attached, before, life};
  }
  copy_live(instance(region, to), instance(region, before.instance()), state.live);
  state.current = GrantWord::of(sequence, state.writer.value, to);
  state.pending = false;
  store_word(control_.bytes(), line_of(region), state.current.value);
}

void DirectDomain::copy_live(ByteSpan to, ByteView from, LiveRange live) const {
  const std::uint64_t first = std::min<std::uint64_t>(live.bytes, from.size() - live.offset);
  copy_shared(to.subspan(live.offset, first), from.subspan(live.offset, first));
  copy_shared(to.subspan(0, live.bytes - first), from.subspan(0, live.bytes - first));
}

}  // namespace mallard::memory
