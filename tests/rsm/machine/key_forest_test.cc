#include "rsm/machine/key_forest.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "tests/rsm/machine/byte_text.h"
#include "tests/support/alloc_guard.h"

namespace mallard::rsm {
namespace {

using Twin = std::map<std::string, std::string>;

class NoVersions : public VersionKeeper {
 public:
  bool give_up_version() override { return false; }
};

std::string random_key(Prng& prng) {
  // Few letters and lengths, so that keys meet, extend one another and differ late.
  std::string key(1 + prng.below(prng.below(20) == 0 ? 200 : 6), 'a');
  for (char& c : key) {
    c = static_cast<char>(prng.below(8) == 0 ? prng.below(256) : 'a' + prng.below(2));
  }
  return key;
}

std::string random_value(Prng& prng) {
  std::string value(prng.below(prng.below(10) == 0 ? 1'000 : 40), 'v');
  for (char& c : value) {
    c = static_cast<char>(prng.below(256));
  }
  return value;
}

Twin content(const KeyForest& forest, TreeRoot root, std::string_view from = {}) {
  Twin twin;
  TreeWalk walk(forest);
  std::string before;
  std::array<std::byte, key_bytes_max> key{};
  for (walk.seek(root, bytes(from)); walk.leaf() != 0; walk.next()) {
    const std::string name = text(forest.copy_key(walk.leaf(), key));
    std::vector<std::byte> value(forest.value_bytes(walk.leaf()));
    forest.copy_value(walk.leaf(), 0, value);
    EXPECT_LT(before, name);
    before = name;
    twin[name] = text(value);
  }
  return twin;
}

std::uint64_t units_of(const Twin& twin) {
  std::uint64_t units = 0;
  for (const auto& [key, value] : twin) {
    units += KeyForest::units_of(key.size(), value.size());
  }
  return units;
}

TEST(KeyForest, is_a_sorted_map_and_its_old_versions_stay_what_they_were) {
  NoVersions keeper;
  KeyForest forest(1U << 20U, keeper);
  Prng prng(7);
  TreeRoot live;
  Twin twin;
  std::vector<std::pair<TreeRoot, Twin>> old;
  for (int step = 0; step < 20'000; ++step) {
    const std::string key = random_key(prng);
    if (prng.below(3) != 0) {
      const std::string value = random_value(prng);
      forest.put(live, bytes(key), bytes(value));
      twin[key] = value;
    } else {
      ASSERT_EQ(forest.erase(live, bytes(key)), twin.erase(key) == 1);
    }
    ASSERT_EQ(forest.find(live, bytes(key)) != 0, twin.contains(key));
    if (prng.below(500) == 0) {
      forest.share(live);
      old.emplace_back(live, twin);
    }
    if (old.size() > 5) {
      const std::size_t which = prng.below(old.size());
      ASSERT_EQ(content(forest, old[which].first), old[which].second);
      forest.drop(old[which].first);
      old.erase(old.begin() + static_cast<std::ptrdiff_t>(which));
    }
    forest.collect(16);
  }
  EXPECT_EQ(content(forest, live), twin);
  const std::string from = random_key(prng);
  EXPECT_EQ(content(forest, live, from), Twin(twin.lower_bound(from), twin.end()));
  for (auto& [root, unused] : old) {
    forest.drop(root);
  }
  forest.collect(1U << 20U);
  // What is taken follows from the content: one unit of each entry is a branch, of which there is one less.
  EXPECT_EQ(forest.units_taken(), units_of(twin) - 1);
  forest.drop(live);
  forest.collect(1U << 20U);
  EXPECT_EQ(forest.units_taken(), 0U);
}

TEST(KeyForest, walks_from_anywhere) {
  NoVersions keeper;
  KeyForest forest(1U << 16U, keeper);
  Prng prng(3);
  TreeRoot root;
  Twin twin;
  for (int i = 0; i < 300; ++i) {
    const std::string key = random_key(prng);
    forest.put(root, bytes(key), bytes("x"));
    twin[key] = "x";
  }
  for (int i = 0; i < 300; ++i) {
    const std::string from = prng.below(10) == 0 ? std::string(key_bytes_max + 1, 'b') : random_key(prng);
    ASSERT_EQ(content(forest, root, from), Twin(twin.lower_bound(from), twin.end()));
  }
  EXPECT_EQ(content(forest, root), twin);
}

TEST(KeyForest, keeps_the_longest_keys_and_values) {
  NoVersions keeper;
  KeyForest forest(1U << 18U, keeper);
  TreeRoot root;
  Twin twin;
  // Every key extends the one before by a byte: the deepest tree that there can be for as many keys.
  for (std::size_t length = 1; length <= key_bytes_max; ++length) {
    const std::string key(length, 'k');
    forest.put(root, bytes(key), bytes("v"));
    twin[key] = "v";
  }
  twin["k"] = std::string(value_bytes_max, 'w');
  forest.put(root, bytes("k"), bytes(twin["k"]));
  EXPECT_EQ(content(forest, root), twin);
}

TEST(KeyForest, reads_part_of_a_value) {
  NoVersions keeper;
  KeyForest forest(1U << 10U, keeper);
  TreeRoot root;
  std::string value;
  for (int i = 0; i < 500; ++i) {
    value += static_cast<char>('a' + i % 26);
  }
  forest.put(root, bytes("key"), bytes(value));
  const UnitIndex leaf = forest.find(root, bytes("key"));
  for (std::size_t offset = 0; offset <= value.size(); offset += 7) {
    std::vector<std::byte> part(std::min<std::size_t>(100, value.size() - offset));
    forest.copy_value(leaf, offset, part);
    ASSERT_EQ(text(part), value.substr(offset, 100));
  }
}

// Gives its version up when asked.
class OneVersion : public VersionKeeper {
 public:
  bool give_up_version() override {
    if (forest == nullptr || root.unit == 0) {
      return false;
    }
    forest->drop(root);
    return true;
  }
  KeyForest* forest = nullptr;
  TreeRoot root;
};

TEST(KeyForest, asks_for_versions_only_when_the_pool_is_empty) {
  OneVersion keeper;
  KeyForest forest(650, keeper);
  keeper.forest = &forest;
  TreeRoot live;
  const auto key_of = [](int i) { return "key" + std::to_string(i); };
  for (int i = 0; i < 100; ++i) {
    forest.put(live, bytes(key_of(i)), bytes("value"));
  }
  keeper.root = live;
  forest.share(live);
  for (int i = 0; i < 50; ++i) {
    forest.put(live, bytes(key_of(i)), bytes("other"));
  }
  EXPECT_NE(keeper.root.unit, 0U);
  for (int i = 0; i < 300; ++i) {
    forest.put(live, bytes(key_of(i)), bytes("third"));
  }
  EXPECT_EQ(keeper.root.unit, 0U);
  EXPECT_EQ(content(forest, live).size(), 300U);
}

TEST(KeyForest, does_not_allocate) {
  NoVersions keeper;
  KeyForest forest(1U << 12U, keeper);
  TreeRoot live;
  TreeRoot view;
  const support::AllocGuard guard;
  for (int i = 0; i < 100; ++i) {
    const std::array key{static_cast<std::byte>(i), static_cast<std::byte>(i * 7)};
    forest.put(live, key, bytes("a value that is longer than what a leaf holds itself"));
    if (i == 50) {
      view = live;
      forest.share(view);
    }
    if (i % 3 == 0) {
      forest.erase(live, key);
    }
  }
  forest.drop(view);
  forest.collect(1'000);
  EXPECT_EQ(guard.allocations(), 0U);
}

}  // namespace
}  // namespace mallard::rsm
