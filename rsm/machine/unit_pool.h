// The memory of all versions of the state: units of one cache line each, allocated once. Units of one size
// cannot be fragmented, so that what a state needs depends on its content alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "config/base/bytes.h"

namespace mallard::rsm {

// Names a unit of a pool; 0 names none.
using UnitIndex = std::uint32_t;

enum class NodeKind : std::uint8_t { leaf, branch };

// A node of a tree of keys (key_forest.h).
struct TreeNode {
  std::uint32_t owners;  // branches and roots that point here
  std::uint16_t place;   // branch: the KeyBit that tells left from right; leaf: length of the key
  NodeKind kind;
  bool digest_known;
  UnitIndex
      left;  // branch: keys whose bit is 0; leaf: the first unit with the rest of its content, 0 if none
  UnitIndex right;  // branch: keys whose bit is 1; leaf: length of the value
  std::array<std::byte, 16>
      front;  // leaf: the first bytes of its content, which is the key and then the value
  std::array<std::uint8_t, 32> digest;
};

// More content of a leaf.
struct ContentUnit {
  UnitIndex next;
  std::array<std::byte, 60> bytes;
};

union TreeUnit {
  TreeNode node;
  ContentUnit content;
};
static_assert(sizeof(TreeUnit) == 64);

class UnitPool {
 public:
  static constexpr std::size_t unit_bytes = sizeof(TreeUnit);

  // `units` from 1 to 2^32 - 2. Pages are not touched before they are used.
  explicit UnitPool(std::uint64_t units);

  // A unit with undefined content; 0 when all are taken.
  [[nodiscard]] UnitIndex take();
  void give(UnitIndex unit);
  // Gives all units back at once.
  void clear();

  [[nodiscard]] TreeUnit& operator[](UnitIndex unit) { return units_[unit]; }
  [[nodiscard]] const TreeUnit& operator[](UnitIndex unit) const { return units_[unit]; }
  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

 private:
  struct ArenaDeleter {
    void operator()(TreeUnit* arena) const;
  };

  std::unique_ptr<TreeUnit[], ArenaDeleter> units_;
  std::uint64_t capacity_;
  std::uint64_t taken_ = 0;
  std::uint64_t fresh_ = 1;  // units from here on were never taken
  UnitIndex free_ = 0;       // list of given ones, by ContentUnit::next
};

}  // namespace mallard::rsm
