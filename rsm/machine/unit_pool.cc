#include "rsm/machine/unit_pool.h"

#include <new>

#include "config/base/invariant.h"

namespace mallard::rsm {
namespace {

constexpr std::align_val_t arena_alignment{4096};

std::size_t arena_bytes(std::uint64_t units) {
  MALLARD_INVARIANT(units >= 1 && units < UINT32_MAX);
  return (units + 1) * sizeof(TreeUnit);  // unit 0 is never used
}

}  // namespace

void UnitPool::ArenaDeleter::operator()(TreeUnit* arena) const {
  ::operator delete[](arena, arena_alignment);
}

UnitPool::UnitPool(std::uint64_t units)
    : units_(static_cast<TreeUnit*>(::operator new[](arena_bytes(units), arena_alignment))),
      capacity_(units) {}

UnitIndex UnitPool::take() {
  UnitIndex unit = free_;
  if (unit != 0) {
    free_ = units_[unit].content.next;
  } else if (fresh_ <= capacity_) {
    unit = static_cast<UnitIndex>(fresh_++);
  } else {
    return 0;
  }
  ++taken_;
  return unit;
}

void UnitPool::give(UnitIndex unit) {
  MALLARD_INVARIANT(unit != 0 && unit < fresh_ && taken_ > 0);
  units_[unit].content.next = free_;
  free_ = unit;
  --taken_;
}

void UnitPool::clear() {
  fresh_ = 1;
  free_ = 0;
  taken_ = 0;
}

}  // namespace mallard::rsm
