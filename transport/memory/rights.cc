#include "transport/memory/rights.h"

#include <algorithm>

namespace mallard::memory {

std::uint64_t bytes_of(const Work& work) {
  switch (work.kind) {
    case WorkKind::write:
      return work.source.size();
    case WorkKind::read:
      return work.destination.size();
    case WorkKind::compare_swap:
      return word_bytes;
  }
  return 0;
}

bool is_within(std::uint64_t offset, std::uint64_t bytes, const RegionLayout& region) {
  return bytes != 0 && offset % word_bytes == 0 && bytes % word_bytes == 0 && offset <= region.bytes &&
         bytes <= region.bytes - offset;
}

bool may_write(const RegionLayout& region, ProcessIndex owner, ProcessIndex process) {
  return !region.granted && (process == owner || contains(region.writers, process));
}

bool may_read(const RegionLayout& region, ProcessIndex owner, ProcessIndex process) {
  return process == owner || contains(region.readers | region.writers, process);
}

bool is_valid(std::span<const RegionLayout> layout) {
  constexpr std::uint64_t line = 64;
  return layout.size() <= regions_max && std::all_of(layout.begin(), layout.end(), [](const RegionLayout& r) {
           return r.bytes >= line && r.bytes % line == 0 && r.bytes <= region_bytes_max &&
                  (!r.granted || r.writers == 0);
         });
}

}  // namespace mallard::memory
