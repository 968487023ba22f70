#include "config/base/payload_pool.h"

#include <algorithm>
#include <bit>
#include <new>

#include "config/base/invariant.h"

namespace mallard {
namespace {

constexpr std::align_val_t arena_alignment{4096};

std::size_t units_of_capacity(std::size_t capacity) {
  MALLARD_INVARIANT(capacity >= PayloadPool::slot_bytes_max);
  MALLARD_INVARIANT(capacity < (1ULL << 40));
  return (capacity + PayloadPool::unit_bytes - 1) / PayloadPool::unit_bytes;
}

}  // namespace

void PayloadPool::ArenaDeleter::operator()(std::byte* arena) const {
  ::operator delete[](arena, arena_alignment);
}

PayloadPool::PayloadPool(std::size_t capacity)
    : arena_(static_cast<std::byte*>(
          ::operator new[](units_of_capacity(capacity) * unit_bytes, arena_alignment))),
      units_(units_of_capacity(capacity)) {
  static_assert(unit_bytes << (orders - 1) == slot_bytes_max);
  static_assert(sizeof(Unit) == 16, "memory_bytes() and the header say 16");
  free_lists_.fill(none);
  free_range(0, static_cast<std::uint32_t>(units_.size()));
}

std::size_t PayloadPool::memory_bytes(std::size_t capacity) {
  return units_of_capacity(capacity) * (unit_bytes + sizeof(Unit));
}

std::optional<PayloadRef> PayloadPool::allocate(std::size_t bytes) {
  if (bytes == 0) {
    return PayloadRef{};
  }
  if (bytes > slot_bytes_max) {
    return std::nullopt;
  }
  const std::uint32_t wanted = units_for(bytes);
  auto order = static_cast<std::size_t>(std::bit_width(wanted - 1U));
  while (order < orders && free_lists_[order] == none) {
    ++order;
  }
  if (order == orders) {
    return std::nullopt;
  }
  const std::uint32_t first = free_lists_[order];
  remove_free(first, order);
  free_units_ -= 1U << order;
  Unit& slot = units_[first];
  slot = Unit{
      .link = 1, .previous = static_cast<std::uint32_t>(bytes), .units = wanted, .state = UnitState::slot};
  free_range(first + wanted, (1U << order) - wanted);
  return PayloadRef{.slot = first + 1, .bytes = static_cast<std::uint32_t>(bytes)};
}

ByteView PayloadPool::view(PayloadRef ref) const {
  if (ref.bytes == 0) {
    return {};
  }
  static_cast<void>(slot_of(ref));
  return {arena_.get() + std::size_t{ref.slot - 1} * unit_bytes, ref.bytes};
}

ByteSpan PayloadPool::span(PayloadRef ref) {
  if (ref.bytes == 0) {
    return {};
  }
  static_cast<void>(slot_of(ref));
  return {arena_.get() + std::size_t{ref.slot - 1} * unit_bytes, ref.bytes};
}

void PayloadPool::retain(PayloadRef ref) {
  if (ref.slot == 0) {
    return;
  }
  Unit& slot = slot_of(ref);
  MALLARD_INVARIANT(slot.link < UINT32_MAX);
  ++slot.link;
}

void PayloadPool::release(PayloadRef ref) {
  if (ref.slot == 0) {
    return;
  }
  Unit& slot = slot_of(ref);
  if (--slot.link > 0) {
    return;
  }
  const std::uint32_t count = slot.units;
  slot = Unit{};
  free_range(ref.slot - 1, count);
}

const PayloadPool::Unit& PayloadPool::slot_of(PayloadRef ref) const {
  MALLARD_INVARIANT(ref.slot >= 1 && ref.slot <= units_.size());
  const Unit& slot = units_[ref.slot - 1];
  MALLARD_INVARIANT(slot.state == UnitState::slot);
  MALLARD_INVARIANT(ref.bytes <= slot.previous);
  return slot;
}

PayloadPool::Unit& PayloadPool::slot_of(PayloadRef ref) {
  return const_cast<Unit&>(static_cast<const PayloadPool*>(this)->slot_of(ref));
}

std::uint32_t PayloadPool::units_for(std::size_t bytes) {
  return static_cast<std::uint32_t>((bytes + unit_bytes - 1) / unit_bytes);
}

void PayloadPool::push_free(std::uint32_t first, std::size_t order) {
  const std::uint32_t head = free_lists_[order];
  units_[first] = Unit{.link = head,
                       .previous = none,
                       .units = static_cast<std::uint32_t>(1U << order),
                       .state = UnitState::free_block};
  if (head != none) {
    units_[head].previous = first;
  }
  free_lists_[order] = first;
}

void PayloadPool::remove_free(std::uint32_t first, std::size_t order) {
  const Unit block = units_[first];
  if (block.previous == none) {
    free_lists_[order] = block.link;
  } else {
    units_[block.previous].link = block.link;
  }
  if (block.link != none) {
    units_[block.link].previous = block.previous;
  }
  units_[first] = Unit{};
}

// Cuts the range into the largest aligned blocks it is made of.
void PayloadPool::free_range(std::uint32_t first, std::uint32_t count) {
  free_units_ += count;
  while (count > 0) {
    const auto by_length = static_cast<std::size_t>(std::bit_width(count)) - 1;
    const std::size_t by_place = first == 0 ? orders - 1 : static_cast<std::size_t>(std::countr_zero(first));
    const std::size_t order = std::min({by_length, by_place, orders - 1});
    free_block(first, order);
    first += 1U << order;
    count -= 1U << order;
  }
}

void PayloadPool::free_block(std::uint32_t first, std::size_t order) {
  while (order < orders - 1) {
    const std::uint32_t buddy = first ^ (1U << order);
    if (buddy >= units_.size() || units_[buddy].state != UnitState::free_block ||
        units_[buddy].units != (1U << order)) {
      break;
    }
    remove_free(buddy, order);
    first = std::min(first, buddy);
    ++order;
  }
  push_free(first, order);
}

}  // namespace mallard
