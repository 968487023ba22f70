#include "tests/tidy/mirror_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallard::tidy {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(MirrorRules, a_noun_with_its_test_is_clean) {
  const SourceTree tree{{"crypto/seal.h", ""},
                        {"crypto/seal.cc", ""},
                        {"tests/crypto/seal_test.cc", ""},
                        {"crypto/only_types.h", "struct Seal {}; // return of"},
                        {"cli/main.cc", ""},
                        {"tests/sim/world.h", ""}};
  EXPECT_THAT(check_mirrors(tree), IsEmpty());
}

TEST(MirrorRules, a_planted_noun_without_a_test_is_found_once) {
  const SourceTree tree{{"crypto/seal.h", ""}, {"crypto/seal.cc", ""}, {"tests/crypto/other_test.cc", ""}};
  EXPECT_THAT(check_mirrors(tree),
              ElementsAre(Problem{"crypto/seal.cc", 0, "has no tests/crypto/seal_test.cc"}));
  EXPECT_THAT(check_mirrors({{"crypto/seal.h", "inline int f() { return 1; }"}}),
              ElementsAre(Problem{"crypto/seal.h", 0, "has no tests/crypto/seal_test.cc"}));
}

TEST(MirrorRules, stale_excuses_are_found) {
  // In an empty tree every excuse is stale; with a test of its own a file needs none.
  EXPECT_THAT(check_excuses({}), Contains(Field(&Problem::path, "crypto/sodium.h")));
  EXPECT_THAT(check_excuses({{"crypto/sodium.h", ""}, {"crypto/sodium.cc", ""}}), IsEmpty());
  EXPECT_THAT(
      check_excuses({{"crypto/sodium.h", ""}, {"crypto/sodium.cc", ""}, {"tests/crypto/sodium_test.cc", ""}}),
      SizeIs(2));
}

TEST(MirrorRules, a_source_is_built_by_its_folder_or_one_above) {
  const SourceTree tree{{"crypto/seal.cc", ""},
                        {"crypto/CMakeLists.txt", "SOURCES seal.cc"},
                        {"tests/sim/world/map.cc", ""},
                        {"tests/sim/CMakeLists.txt", "SOURCES world/map.cc\nGLOB checkers/*.cc"},
                        {"tests/sim/checkers/order.cc", ""}};
  EXPECT_THAT(check_sources_are_built(tree), IsEmpty());
}

TEST(MirrorRules, a_pattern_for_a_subfolder_does_not_build_the_folder) {
  const SourceTree tree{{"tests/sim/world.cc", ""}, {"tests/sim/CMakeLists.txt", "GLOB checkers/*.cc"}};
  EXPECT_THAT(check_sources_are_built(tree), SizeIs(1));
}

TEST(MirrorRules, a_planted_source_that_nobody_builds_is_found) {
  const SourceTree tree{{"tests/crypto/seal_test.cc", ""},
                        {"tests/crypto/CMakeLists.txt", "SOURCES other_test.cc"},
                        {"tests/crypto/other_test.cc", ""}};
  EXPECT_THAT(
      check_sources_are_built(tree),
      ElementsAre(Problem{"tests/crypto/seal_test.cc", 0, "is not compiled: no CMakeLists.txt names it"}));
}

}  // namespace
}  // namespace mallard::tidy
