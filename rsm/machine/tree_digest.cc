#include "rsm/machine/tree_digest.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "crypto/digest.h"

namespace mallard::rsm {
namespace {

constexpr std::string_view leaf_domain = "mallard.kv.leaf.1";
constexpr std::string_view branch_domain = "mallard.kv.branch.1";

ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
ByteView bytes_of(const StateDigest& digest) { return std::as_bytes(std::span(digest.bytes)); }

StateDigest digest_of(ByteView message) { return StateDigest{crypto::digest_of(message).bytes}; }

// One bound of a range on its way down: where it leaves the tree, and on which side of it the rest then lies.
struct Bound {
  Bound(const KeyForest& forest, UnitIndex top, ByteView bound)
      : key(bound), leaves_at(forest.difference(forest.closest(top, bound), bound)) {}

  // Whether all keys below the node lie on one side.
  [[nodiscard]] bool decides(const TreeNode& node) const {
    return node.kind == NodeKind::leaf || (leaves_at && node.place > *leaves_at);
  }
  // Whether they come before the bound, where decides().
  [[nodiscard]] bool is_above() const { return leaves_at && bit_of(key, *leaves_at); }

  ByteView key;
  std::optional<KeyBit> leaves_at;
};

}  // namespace

TreeDigest::TreeDigest(KeyForest& forest)
    : forest_(forest), content_(leaf_domain.size() + 4 + key_bytes_max + value_bytes_max) {
  open_.reserve(tree_depth_max + 2);
  path_.reserve(tree_depth_max + 2);
}

StateDigest TreeDigest::root(TreeRoot root) { return root.unit == 0 ? StateDigest{} : of(root.unit); }

StateDigest TreeDigest::range(TreeRoot root, const KeyRange& range) {
  if (root.unit == 0) {
    return {};
  }
  const Bound from(forest_, root.unit, range.from);
  const Bound to(forest_, root.unit, range.to.value_or(ByteView{}));
  bool from_open = true;
  bool to_open = range.to.has_value();
  for (UnitIndex unit = root.unit;;) {
    const TreeNode& node = forest_.node(unit);
    if (from_open && from.decides(node)) {
      if (from.is_above()) {
        return {};
      }
      from_open = false;
    }
    if (to_open && to.decides(node)) {
      if (!to.is_above()) {
        return {};
      }
      to_open = false;
    }
    if (!from_open && !to_open) {
      return of(unit);
    }
    if (!to_open) {
      return split(unit, range.from, true).value_or(StateDigest{});
    }
    if (!from_open) {
      return split(unit, to.key, false).value_or(StateDigest{});
    }
    const bool from_right = bit_of(from.key, node.place);
    const bool to_right = bit_of(to.key, node.place);
    if (from_right && !to_right) {
      return {};
    }
    if (from_right == to_right) {
      unit = from_right ? node.right : node.left;
      continue;
    }
    const Side left = split(node.left, from.key, true);
    return join(left, split(node.right, to.key, false)).value_or(StateDigest{});
  }
}

StateDigest TreeDigest::of(UnitIndex top) {
  open_.clear();
  open_.push_back(top);
  while (!open_.empty()) {
    const UnitIndex unit = open_.back();
    const TreeNode& node = forest_.node(unit);
    if (node.digest_known) {
      open_.pop_back();
    } else if (node.kind == NodeKind::leaf) {
      forest_.remember_digest(unit, of_leaf(unit).bytes);
    } else if (!forest_.node(node.left).digest_known) {
      open_.push_back(node.left);
    } else if (!forest_.node(node.right).digest_known) {
      open_.push_back(node.right);
    } else {
      const Side digest =
          join(StateDigest{forest_.node(node.left).digest}, StateDigest{forest_.node(node.right).digest});
      forest_.remember_digest(unit, digest->bytes);
    }
  }
  return StateDigest{forest_.node(top).digest};
}

StateDigest TreeDigest::of_leaf(UnitIndex leaf) {
  const std::size_t key_bytes = forest_.key_bytes(leaf);
  const std::size_t value_bytes = forest_.value_bytes(leaf);
  ByteWriter writer(content_);
  writer.write_bytes(bytes_of(leaf_domain));
  writer.write(static_cast<std::uint32_t>(key_bytes));
  const ByteSpan rest = ByteSpan(content_).subspan(writer.used());
  forest_.copy_key(leaf, rest);
  forest_.copy_value(leaf, 0, rest.subspan(key_bytes, value_bytes));
  return digest_of(ByteView(content_).first(writer.used() + key_bytes + value_bytes));
}

TreeDigest::Side TreeDigest::join(const Side& left, const Side& right) {
  if (!left || !right) {
    return left ? left : right;
  }
  std::array<std::byte, branch_domain.size() + 2 * sizeof(StateDigest)> message{};
  ByteWriter writer(message);
  writer.write_bytes(bytes_of(branch_domain));
  writer.write_bytes(bytes_of(*left));
  writer.write_bytes(bytes_of(*right));
  return digest_of(message);
}

TreeDigest::Side TreeDigest::split(UnitIndex top, ByteView bound, bool upper) {
  const Bound edge(forest_, top, bound);
  path_.clear();
  UnitIndex unit = top;
  while (!edge.decides(forest_.node(unit))) {
    path_.push_back(unit);
    const TreeNode& node = forest_.node(unit);
    unit = bit_of(bound, node.place) ? node.right : node.left;
  }
  Side side;
  if (edge.is_above() != upper) {
    side = of(unit);
  }
  for (; !path_.empty(); path_.pop_back()) {
    const TreeNode& node = forest_.node(path_.back());
    const bool went_right = bit_of(bound, node.place);
    if (upper && !went_right) {
      side = join(side, of(node.right));
    } else if (!upper && went_right) {
      side = join(of(node.left), side);
    }
  }
  return side;
}

}  // namespace mallard::rsm
