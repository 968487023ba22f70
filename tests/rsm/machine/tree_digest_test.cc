#include "rsm/machine/tree_digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "crypto/sodium.h"
#include "tests/rsm/machine/byte_text.h"

namespace mallard::rsm {
namespace {

using Twin = std::map<std::string, std::string>;

class NoVersions : public VersionKeeper {
 public:
  bool give_up_version() override { return false; }
};

class TreeDigestTest : public testing::Test {
 protected:
  TreeDigestTest() : forest(1U << 18U, keeper), digests(forest) { crypto::start_sodium(); }

  TreeRoot build(const Twin& twin) {
    TreeRoot root;
    for (const auto& [key, value] : twin) {
      forest.put(root, bytes(key), bytes(value));
    }
    return root;
  }

  // The root of a tree that was made of these entries alone.
  StateDigest slow_root(const Twin& twin) {
    TreeRoot root = build(twin);
    const StateDigest digest = digests.root(root);
    forest.drop(root);
    return digest;
  }

  NoVersions keeper;
  KeyForest forest;
  TreeDigest digests;
};

std::string random_key(Prng& prng) {
  std::string key(1 + prng.below(5), 'a');
  for (char& c : key) {
    c = static_cast<char>('a' + prng.below(3));
  }
  return key;
}

TEST_F(TreeDigestTest, follows_from_the_content_and_not_from_how_it_came_about) {
  Prng prng(11);
  Twin twin;
  TreeRoot live;
  for (int step = 0; step < 3'000; ++step) {
    const std::string key = random_key(prng);
    if (prng.below(2) == 0) {
      const std::string value = std::to_string(prng.below(3));
      twin[key] = value;
      forest.put(live, bytes(key), bytes(value));
    } else {
      twin.erase(key);
      forest.erase(live, bytes(key));
    }
    if (step % 20 == 0) {
      ASSERT_EQ(digests.root(live), slow_root(twin));
    }
  }
}

TEST_F(TreeDigestTest, differs_when_a_byte_of_the_content_does) {
  const Twin twin{{"a", "1"}, {"ab", "2"}, {"b", "3"}};
  const StateDigest digest = slow_root(twin);
  EXPECT_NE(digest, StateDigest{});
  for (const Twin& other :
       {Twin{{"a", "1"}, {"ab", "2"}}, Twin{{"a", "1"}, {"ab", "2"}, {"b", "4"}},
        Twin{{"a", "1"}, {"ac", "2"}, {"b", "3"}}, Twin{{"a", "1"}, {"a1", "2"}, {"b", "3"}},
        Twin{{"a", "1a"}, {"b", "2"}, {"b3", ""}}, Twin{}}) {
    EXPECT_NE(slow_root(other), digest);
  }
}

TEST_F(TreeDigestTest, a_range_is_worth_the_tree_of_its_keys_alone) {
  Prng prng(5);
  Twin twin;
  for (int i = 0; i < 120; ++i) {
    twin[random_key(prng)] = "v" + std::to_string(prng.below(100));
  }
  const TreeRoot root = build(twin);
  for (int i = 0; i < 2'000; ++i) {
    const std::string from = prng.below(8) == 0 ? std::string() : random_key(prng);
    const std::string to = prng.below(20) == 0 ? std::string(2'000, 'b') : random_key(prng);
    const bool open = prng.below(8) == 0;
    Twin inside(twin.lower_bound(from), open || from >= to ? twin.end() : twin.lower_bound(to));
    if (!open && from >= to) {
      inside.clear();
    }
    const KeyRange range{.from = bytes(from), .to = open ? std::nullopt : std::optional(bytes(to))};
    ASSERT_EQ(digests.range(root, range), slow_root(inside)) << from << " to " << (open ? "the end" : to);
  }
}

TEST_F(TreeDigestTest, of_nothing_is_zeros) {
  EXPECT_EQ(digests.root(TreeRoot{}), StateDigest{});
  EXPECT_EQ(digests.range(TreeRoot{}, KeyRange{}), StateDigest{});
  const TreeRoot root = build({{"b", "1"}});
  EXPECT_EQ(digests.range(root, {.from = bytes("c"), .to = std::nullopt}), StateDigest{});
  EXPECT_EQ(digests.range(root, {.from = {}, .to = bytes("b")}), StateDigest{});
  EXPECT_EQ(digests.range(root, {.from = bytes("b"), .to = bytes("b0")}), digests.root(root));
}

TEST_F(TreeDigestTest, works_on_the_deepest_tree) {
  Twin twin;
  for (std::size_t length = 1; length <= key_bytes_max; ++length) {
    twin[std::string(length, 'k')] = "v";
  }
  const TreeRoot root = build(twin);
  const std::string middle(500, 'k');
  EXPECT_EQ(digests.range(root, {.from = bytes(middle), .to = std::nullopt}),
            slow_root(Twin(twin.find(middle), twin.end())));
  EXPECT_EQ(digests.range(root, {.from = {}, .to = bytes(middle)}),
            slow_root(Twin(twin.begin(), twin.find(middle))));
}

TEST_F(TreeDigestTest, is_what_the_header_defines) {
  // Computed by another program. A change makes machines of two releases disagree: it needs new domains.
  const StateDigest expected{.bytes = {0x61, 0xbe, 0xd5, 0xb5, 0x03, 0xb9, 0x66, 0xf1, 0xa6, 0xb7, 0xde,
                                       0xcd, 0x57, 0x27, 0xbc, 0x2c, 0x9f, 0xb0, 0x51, 0x4d, 0xbd, 0xb7,
                                       0x2e, 0x74, 0x14, 0x71, 0xc2, 0x1b, 0x23, 0xd1, 0x20, 0x62}};
  EXPECT_EQ(slow_root({{"app/1", "one"}, {"app/2", "two"}, {"zebra", ""}}), expected);
}

}  // namespace
}  // namespace mallard::rsm
