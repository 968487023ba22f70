// Merkle roots of trees of keys: of a whole version, or of the keys of a range.
//
//   leaf    BLAKE2b("mallard.kv.leaf.1", u32 length of the key, key, value)
//   branch  BLAKE2b("mallard.kv.branch.1", digest of the left side, digest of the right side)
//   empty   zeros
//
// The root of a range is that of the tree that holds only its keys: since the shape of a crit-bit tree
// follows from its keys, a branch with both sides in the range is one of that tree too, and one with one side
// is not there.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "config/base/bytes.h"
#include "config/contract/machine.h"
#include "rsm/machine/key_forest.h"

namespace mallard::rsm {

// Not for two threads: it works in buffers of its own and writes digests into the forest.
class TreeDigest {
 public:
  explicit TreeDigest(KeyForest& forest);

  // Computes what is not known yet: at most one digest for each node that changed since.
  [[nodiscard]] StateDigest root(TreeRoot root);
  // Twice the depth of digests besides.
  [[nodiscard]] StateDigest range(TreeRoot root, const KeyRange& range);

 private:
  // Nothing stands for no keys: it leaves no trace in what it is part of.
  using Side = std::optional<StateDigest>;

  [[nodiscard]] StateDigest of(UnitIndex top);
  [[nodiscard]] StateDigest of_leaf(UnitIndex leaf);
  [[nodiscard]] static Side join(const Side& left, const Side& right);
  // Below `top`, the keys that are not before `bound`, or those that are.
  [[nodiscard]] Side split(UnitIndex top, ByteView bound, bool upper);

  KeyForest& forest_;
  std::vector<UnitIndex> open_;     // nodes whose digest waits for others
  std::vector<UnitIndex> path_;     // of split()
  std::vector<std::byte> content_;  // of one leaf
};

}  // namespace mallard::rsm
