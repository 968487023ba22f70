#include "transport/memory/shm/shm_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/base/prng.h"
#include "transport/memory/rights.h"
#include "transport/memory/shm/work_ring.h"

namespace mallard::memory {

bool ShmSettings::separates_users() const {
  std::vector<std::uint32_t> sorted = users;
  std::sort(sorted.begin(), sorted.end());
  return !sorted.empty() && sorted.front() != 0 &&
         std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

std::uint64_t ShmSettings::fingerprint() const {
  std::uint64_t hash = 0;
  const auto mix = [&](std::uint64_t value) { hash = Prng(hash ^ value).next(); };
  mix(processes);
  mix(static_cast<std::uint64_t>(mode));
  mix(instances());
  mix(ring_bytes);
  for (const RegionLayout& region : layout) {
    mix(region.bytes);
    mix(region.readers);
    mix(region.writers);
    mix(region.granted ? 1 : 0);
  }
  return hash;
}

Result<void, ShmError> ShmSettings::check() const {
  const auto refuse = [](std::string what) { return Failure<ShmError>(ShmError{std::move(what)}); };
  constexpr std::size_t line = 64;
  constexpr std::size_t path_max = 107;  // sun_path, unix(7)
  if (processes == 0 || processes > processes_max || self.value >= processes) {
    return refuse(
        fmt::format("process {} of {}; there may be 1 to {}", self.value, processes, processes_max));
  }
  if (!is_valid(layout)) return refuse("the layout of regions is beyond its limits");
  const std::size_t depth_max = mode == ShmMode::agent ? WorkRing::slots : 4096;
  if (queue_depth == 0 || queue_depth > depth_max) {
    return refuse(fmt::format("the queue's depth must be 1 to {}", depth_max));
  }
  if (instances() > 251) return refuse("there may be at most 250 spare instances");
  if (ring_bytes % line != 0 || ring_bytes < 4096 || ring_bytes > region_bytes_max) {
    return refuse("the bytes under way must be a multiple of 64 from 4096 up");
  }
  if (!users.empty() && users.size() != processes) return refuse("there must be one user for each process");
  if (socket_path(ProcessIndex(processes_max - 1)).size() > path_max) {
    return refuse(fmt::format("{} is too long a folder for a socket", folder));
  }
  return {};
}

}  // namespace mallard::memory
