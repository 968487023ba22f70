// Persistent sorted trees of keys and values in one pool: what a version shares with another is there once.
//
// Each tree is a crit-bit tree (Morrison, PATRICIA, J. ACM 15(4), 1968; in Bernstein's form): a branch splits
// its keys at the first bit in which they differ. Its shape depends on the set of keys alone, so a digest of
// the tree is a digest of the content, and the keys of any range form the tree that one would get by storing
// only them. A path is at most as long as a key has bits, whatever keys are chosen to make it long.
//
// A version is a root. Nodes count their owners; a change copies those nodes of its path that another version
// owns too, and changes the others in place. Without other versions nothing is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/bytes.h"
#include "rsm/machine/key_bits.h"
#include "rsm/machine/unit_pool.h"

namespace mallard::rsm {

// The top of one version of one tree; 0 is the empty tree. Whoever holds a root owns it: share() for a second
// holder, drop() by each.
struct TreeRoot {
  UnitIndex unit = 0;
};

// Branches on one path, at most.
inline constexpr std::size_t tree_depth_max = key_bytes_max * 9 + 1;

// Who gives versions up when the pool is empty.
class VersionKeeper {
 public:
  virtual ~VersionKeeper() = default;
  // Drops a version that can be spared; false if there is none.
  virtual bool give_up_version() = 0;
};

// The pool must be large enough for the versions that cannot be given up, and for what a change needs beside
// them.
class KeyForest {
 public:
  KeyForest(std::uint64_t units, VersionKeeper& keeper) : pool_(units), keeper_(keeper) {}

  // What an entry takes of the pool in a version of its own: a function of the two lengths.
  [[nodiscard]] static std::uint64_t units_of(std::size_t key_bytes, std::size_t value_bytes);

  // Keys are 1 to key_bytes_max bytes, values up to 2^32 - 1. A key that is there gets the new value.
  void put(TreeRoot& root, ByteView key, ByteView value);
  // As put(), for a key that is known to be there: saves looking for where it belongs.
  void replace(TreeRoot& root, ByteView key, ByteView value);
  // False if the key is not there.
  bool erase(TreeRoot& root, ByteView key);
  // The leaf of the key; 0 if it is not there.
  [[nodiscard]] UnitIndex find(TreeRoot root, ByteView key) const;

  void share(TreeRoot root);
  // The nodes of a dropped version become free bit by bit, by collect() or when they are needed.
  void drop(TreeRoot& root);
  // Frees about `units` units of dropped versions.
  void collect(std::size_t units);
  // Empties the pool: every root is void from now on.
  void clear();

  [[nodiscard]] std::size_t key_bytes(UnitIndex leaf) const { return pool_[leaf].node.place; }
  [[nodiscard]] std::size_t value_bytes(UnitIndex leaf) const { return pool_[leaf].node.right; }
  // Copies the leaf's key; returns it as the front of `out`, which has room for it.
  ByteView copy_key(UnitIndex leaf, ByteSpan out) const;
  // Fills `out` with the value's bytes from `offset` on; there are that many.
  void copy_value(UnitIndex leaf, std::size_t offset, ByteSpan out) const;

  // For who reads the trees' structure: the node, the leaf that agrees with the key longest (of a tree that
  // is not empty), and where it differs from the key (nothing: it is the key).
  [[nodiscard]] const TreeNode& node(UnitIndex unit) const { return pool_[unit].node; }
  [[nodiscard]] UnitIndex closest(UnitIndex top, ByteView key) const;
  [[nodiscard]] std::optional<KeyBit> difference(UnitIndex leaf, ByteView key) const;
  // Keeps a digest of the node with it until something below it changes.
  void remember_digest(UnitIndex unit, const std::array<std::uint8_t, 32>& digest);

  [[nodiscard]] std::uint64_t units_taken() const { return pool_.taken(); }
  [[nodiscard]] std::uint64_t units() const { return pool_.capacity(); }

 private:
  [[nodiscard]] UnitIndex take();
  [[nodiscard]] UnitIndex make_leaf(ByteView key, ByteView value);
  // The slot at the end of the key's path, or of that part of it that lies before the bit `end`; everything
  // above it belongs to this version alone from now on.
  [[nodiscard]] UnitIndex* own_path(TreeRoot& root, ByteView key, KeyBit end);
  void own(UnitIndex& at);
  void drop_unit(UnitIndex unit);
  void copy_content(UnitIndex leaf, std::size_t offset, ByteSpan out) const;

  UnitPool pool_;
  VersionKeeper& keeper_;
  UnitIndex dropped_ = 0;  // branches without owners, a list by `owners`; what they own is still counted
};

// Goes through the entries of one version in order of their keys. The version must not change meanwhile.
class TreeWalk {
 public:
  explicit TreeWalk(const KeyForest& forest) : forest_(forest) { pending_.reserve(tree_depth_max + 1); }

  // Goes to the first key that is not before `from`.
  void seek(TreeRoot root, ByteView from);
  // The leaf at which the walk is; 0 at the end.
  [[nodiscard]] UnitIndex leaf() const { return leaf_; }
  void next();

 private:
  void descend(UnitIndex unit);

  const KeyForest& forest_;
  std::vector<UnitIndex> pending_;  // right sides that come later, the next one last
  UnitIndex leaf_ = 0;
};

}  // namespace mallard::rsm
