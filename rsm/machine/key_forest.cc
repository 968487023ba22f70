#include "rsm/machine/key_forest.h"

#include <algorithm>
#include <cstring>

#include "config/base/invariant.h"

namespace mallard::rsm {
namespace {

constexpr std::size_t front_bytes = sizeof(TreeNode::front);
constexpr std::size_t content_bytes = sizeof(ContentUnit::bytes);

// The pieces of a leaf's content, one after the other.
class ContentPieces {
 public:
  ContentPieces(const UnitPool& pool, UnitIndex leaf)
      : pool_(pool), piece_(pool[leaf].node.front), next_(pool[leaf].node.left) {}

  // At most `bytes` bytes, at least one if `bytes` is not 0. The content must go on for so long.
  ByteView take(std::size_t bytes) {
    if (piece_.empty()) {
      piece_ = pool_[next_].content.bytes;
      next_ = pool_[next_].content.next;
    }
    const ByteView taken = piece_.first(std::min(bytes, piece_.size()));
    piece_ = piece_.subspan(taken.size());
    return taken;
  }

  void skip(std::size_t bytes) {
    while (bytes > 0) {
      bytes -= take(bytes).size();
    }
  }

 private:
  const UnitPool& pool_;
  ByteView piece_;
  UnitIndex next_;
};

// Takes `out.size()` bytes from the front of two spans that are thought of as one.
void take_joined(ByteView& first, ByteView& second, ByteSpan out) {
  const std::size_t of_first = std::min(first.size(), out.size());
  if (of_first > 0) {
    std::memcpy(out.data(), first.data(), of_first);
    first = first.subspan(of_first);
  }
  const std::size_t of_second = std::min(second.size(), out.size() - of_first);
  if (of_second > 0) {
    std::memcpy(out.data() + of_first, second.data(), of_second);
    second = second.subspan(of_second);
  }
}

}  // namespace

std::uint64_t KeyForest::units_of(std::size_t key_bytes, std::size_t value_bytes) {
  const std::uint64_t bytes = std::uint64_t{key_bytes} + value_bytes;
  const std::uint64_t beyond = bytes - std::min<std::uint64_t>(bytes, front_bytes);
  return 2 + (beyond + content_bytes - 1) / content_bytes;
}

void KeyForest::put(TreeRoot& root, ByteView key, ByteView value) {
  MALLARD_INVARIANT(!key.empty() && key.size() <= key_bytes_max && value.size() <= UINT32_MAX);
  if (root.unit == 0) {
    root.unit = make_leaf(key, value);
    return;
  }
  const std::optional<KeyBit> bit = difference(closest(root.unit, key), key);
  if (!bit) {
    replace(root, key, value);
    return;
  }
  const UnitIndex leaf = make_leaf(key, value);
  const UnitIndex unit = take();
  UnitIndex* const at = own_path(root, key, *bit);
  const bool goes_right = bit_of(key, *bit);
  pool_[unit].node = TreeNode{.owners = 1,
                              .place = *bit,
                              .kind = NodeKind::branch,
                              .digest_known = false,
                              .left = goes_right ? *at : leaf,
                              .right = goes_right ? leaf : *at,
                              .front = {},
                              .digest = {}};
  *at = unit;
}

void KeyForest::replace(TreeRoot& root, ByteView key, ByteView value) {
  const UnitIndex leaf = make_leaf(key, value);
  UnitIndex* const at = own_path(root, key, key_bit_end);
  drop_unit(*at);
  *at = leaf;
}

bool KeyForest::erase(TreeRoot& root, ByteView key) {
  if (find(root, key) == 0) {
    return false;
  }
  UnitIndex* parent = nullptr;
  UnitIndex* at = &root.unit;
  while (pool_[*at].node.kind == NodeKind::branch) {
    own(*at);
    TreeNode& branch = pool_[*at].node;
    branch.digest_known = false;
    parent = at;
    at = bit_of(key, branch.place) ? &branch.right : &branch.left;
  }
  const UnitIndex leaf = *at;
  if (parent == nullptr) {
    root.unit = 0;
  } else {
    const UnitIndex unit = *parent;
    const TreeNode& branch = pool_[unit].node;
    *parent = at == &branch.left ? branch.right : branch.left;
    pool_.give(unit);
  }
  drop_unit(leaf);
  return true;
}

UnitIndex KeyForest::find(TreeRoot root, ByteView key) const {
  if (root.unit == 0) {
    return 0;
  }
  const UnitIndex leaf = closest(root.unit, key);
  return difference(leaf, key) ? 0 : leaf;
}

void KeyForest::share(TreeRoot root) {
  if (root.unit != 0) {
    ++pool_[root.unit].node.owners;
  }
}

void KeyForest::drop(TreeRoot& root) {
  if (root.unit != 0) {
    drop_unit(root.unit);
  }
  root.unit = 0;
}

void KeyForest::collect(std::size_t units) {
  for (std::size_t i = 0; i < units && dropped_ != 0; ++i) {
    const UnitIndex unit = dropped_;
    const TreeNode branch = pool_[unit].node;
    dropped_ = branch.owners;
    pool_.give(unit);
    drop_unit(branch.left);
    drop_unit(branch.right);
  }
}

void KeyForest::clear() {
  pool_.clear();
  dropped_ = 0;
}

ByteView KeyForest::copy_key(UnitIndex leaf, ByteSpan out) const {
  const ByteSpan key = out.first(key_bytes(leaf));
  copy_content(leaf, 0, key);
  return key;
}

void KeyForest::copy_value(UnitIndex leaf, std::size_t offset, ByteSpan out) const {
  MALLARD_INVARIANT(offset <= value_bytes(leaf) && out.size() <= value_bytes(leaf) - offset);
  copy_content(leaf, key_bytes(leaf) + offset, out);
}

UnitIndex KeyForest::closest(UnitIndex top, ByteView key) const {
  while (pool_[top].node.kind == NodeKind::branch) {
    const TreeNode& branch = pool_[top].node;
    top = bit_of(key, branch.place) ? branch.right : branch.left;
  }
  return top;
}

std::optional<KeyBit> KeyForest::difference(UnitIndex leaf, ByteView key) const {
  const std::size_t bytes = key_bytes(leaf);
  ContentPieces pieces(pool_, leaf);
  for (std::size_t at = 0; at < std::min(bytes, key.size());) {
    const ByteView piece = pieces.take(std::min(bytes, key.size()) - at);
    const auto differs =
        std::mismatch(piece.begin(), piece.end(), key.begin() + static_cast<std::ptrdiff_t>(at));
    if (differs.first != piece.end()) {
      return bit_between(at + static_cast<std::size_t>(differs.first - piece.begin()), *differs.first,
                         *differs.second);
    }
    at += piece.size();
  }
  return bit_of_lengths(bytes, key.size());
}

void KeyForest::remember_digest(UnitIndex unit, const std::array<std::uint8_t, 32>& digest) {
  pool_[unit].node.digest = digest;
  pool_[unit].node.digest_known = true;
}

UnitIndex KeyForest::take() {
  UnitIndex unit = pool_.take();
  while (unit == 0) {
    constexpr std::size_t at_once = 1024;
    if (dropped_ != 0) {
      collect(at_once);
    } else {
      // The pool was made large enough for the live version.
      MALLARD_INVARIANT(keeper_.give_up_version());
    }
    unit = pool_.take();
  }
  return unit;
}

UnitIndex KeyForest::make_leaf(ByteView key, ByteView value) {
  const UnitIndex leaf = take();
  TreeNode& node = pool_[leaf].node;
  node = TreeNode{.owners = 1,
                  .place = static_cast<std::uint16_t>(key.size()),
                  .kind = NodeKind::leaf,
                  .digest_known = false,
                  .left = 0,
                  .right = static_cast<UnitIndex>(value.size()),
                  .front = {},
                  .digest = {}};
  take_joined(key, value, node.front);
  UnitIndex* last = &node.left;
  while (!key.empty() || !value.empty()) {
    const UnitIndex unit = take();
    *last = unit;
    ContentUnit& content = pool_[unit].content;
    content.next = 0;
    take_joined(key, value, content.bytes);
    last = &content.next;
  }
  return leaf;
}

UnitIndex* KeyForest::own_path(TreeRoot& root, ByteView key, KeyBit end) {
  UnitIndex* at = &root.unit;
  while (pool_[*at].node.kind == NodeKind::branch && pool_[*at].node.place < end) {
    own(*at);
    TreeNode& branch = pool_[*at].node;
    branch.digest_known = false;
    at = bit_of(key, branch.place) ? &branch.right : &branch.left;
  }
  return at;
}

void KeyForest::own(UnitIndex& at) {
  if (pool_[at].node.owners == 1) {
    return;
  }
  const UnitIndex copy = take();
  TreeNode& node = pool_[copy].node;
  node = pool_[at].node;
  node.owners = 1;
  ++pool_[node.left].node.owners;
  ++pool_[node.right].node.owners;
  drop_unit(at);
  at = copy;
}

void KeyForest::drop_unit(UnitIndex unit) {
  TreeNode& node = pool_[unit].node;
  if (--node.owners > 0) {
    return;
  }
  if (node.kind == NodeKind::branch) {
    node.owners = dropped_;
    dropped_ = unit;
    return;
  }
  for (UnitIndex content = node.left; content != 0;) {
    const UnitIndex next = pool_[content].content.next;
    pool_.give(content);
    content = next;
  }
  pool_.give(unit);
}

void KeyForest::copy_content(UnitIndex leaf, std::size_t offset, ByteSpan out) const {
  ContentPieces pieces(pool_, leaf);
  pieces.skip(offset);
  for (std::size_t at = 0; at < out.size();) {
    const ByteView piece = pieces.take(out.size() - at);
    std::memcpy(out.data() + at, piece.data(), piece.size());
    at += piece.size();
  }
}

void TreeWalk::seek(TreeRoot root, ByteView from) {
  pending_.clear();
  leaf_ = 0;
  if (root.unit == 0) {
    return;
  }
  const std::optional<KeyBit> bit = forest_.difference(forest_.closest(root.unit, from), from);
  UnitIndex unit = root.unit;
  while (forest_.node(unit).kind == NodeKind::branch && (!bit || forest_.node(unit).place < *bit)) {
    const TreeNode& branch = forest_.node(unit);
    if (bit_of(from, branch.place)) {
      unit = branch.right;
    } else {
      pending_.push_back(branch.right);
      unit = branch.left;
    }
  }
  if (bit && bit_of(from, *bit)) {
    next();  // everything below `unit` is before `from`
  } else {
    descend(unit);
  }
}

void TreeWalk::next() {
  leaf_ = 0;
  if (!pending_.empty()) {
    const UnitIndex unit = pending_.back();
    pending_.pop_back();
    descend(unit);
  }
}

void TreeWalk::descend(UnitIndex unit) {
  while (forest_.node(unit).kind == NodeKind::branch) {
    pending_.push_back(forest_.node(unit).right);
    unit = forest_.node(unit).left;
  }
  leaf_ = unit;
}

}  // namespace mallard::rsm
