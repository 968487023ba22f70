#include "tests/tidy/source_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallard::tidy {
namespace {

using ::testing::ElementsAre;

TEST(SourceTree, comments_and_literals_are_blanked) {
  EXPECT_EQ(code_only("a // b\nc"), "a     \nc");
  EXPECT_EQ(code_only("a /* b\nc */ d"), "a     \n     d");
  EXPECT_EQ(code_only("f(\"x // y\", 'z');"), "f(\"      \", ' ');");
  EXPECT_EQ(code_only("f(\"\\\"\", b)"), "f(\"  \", b)");
  EXPECT_EQ(code_only("n = 10'000'000; // n"), "n = 10'000'000;     ");
  EXPECT_EQ(code_only("R\"(a \" b)\" + c"), "           + c");
  EXPECT_EQ(code_only("f(\"\")"), "f(\"\")");
}

TEST(SourceTree, unfinished_comments_and_literals_end_with_the_text) {
  EXPECT_EQ(code_only("a /* b"), "a     ");
  EXPECT_EQ(code_only("a \"b\nc"), "a \" \nc");
  EXPECT_EQ(code_only("R\"(a").size(), 4U);
}

TEST(SourceTree, paths_are_taken_apart) {
  EXPECT_EQ(folder_of("bridge/core/x.cc"), "bridge/core");
  EXPECT_EQ(folder_of("dev"), "");
  EXPECT_EQ(noun_of("bridge/core/x.cc"), "x");
  EXPECT_EQ(noun_of("dev"), "dev");
  EXPECT_TRUE(is_within("bridge/core/x.cc", "bridge"));
  EXPECT_TRUE(is_within("bridge", "bridge"));
  EXPECT_FALSE(is_within("bridges/x.cc", "bridge"));
  EXPECT_THAT(lines_of("a\n\nb\n"), ElementsAre("a", "", "b"));
}

}  // namespace
}  // namespace mallard::tidy
