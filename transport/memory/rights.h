// Who may do what with which bytes of a region: the checks that every backend of one-sided memory makes
// before it carries out a work (contract R12 and the bounds of config/contract/one_sided.h).
#pragma once

#include <cstdint>
#include <span>

#include "config/contract/one_sided.h"

namespace mallard::memory {

[[nodiscard]] constexpr ProcessSet only(ProcessIndex process) { return ProcessSet{1} << process.value; }
[[nodiscard]] constexpr bool contains(ProcessSet set, ProcessIndex process) {
  return process.value < processes_max && (set & only(process)) != 0;
}

// The bytes that a work moves. Never believe a span of a foreign work: backends build works of their own.
[[nodiscard]] std::uint64_t bytes_of(const Work& work);

// Whether a work of `bytes` bytes at `offset` is aligned, not empty and inside the region.
[[nodiscard]] bool is_within(std::uint64_t offset, std::uint64_t bytes, const RegionLayout& region);

// What the layout alone allows `process` in the domain of `owner`. A granted region's newest holder may read
// and write it besides; that is the backend's to know.
[[nodiscard]] bool may_write(const RegionLayout& region, ProcessIndex owner, ProcessIndex process);
[[nodiscard]] bool may_read(const RegionLayout& region, ProcessIndex owner, ProcessIndex process);

// At most regions_max regions, sizes within their limits, no fixed writers in granted regions.
[[nodiscard]] bool is_valid(std::span<const RegionLayout> layout);

}  // namespace mallard::memory
