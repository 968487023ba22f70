#include "tests/tidy/readme_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallard::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* four_headings =
    "# Seals\n## What it does\n## Read in this order\n## Invariants\n## Decisions\n";

TEST(ReadmeRules, a_folder_with_its_readme_is_clean) {
  EXPECT_THAT(check_readmes({{"crypto/seal.h", ""},
                             {"crypto/README.md", four_headings},
                             {"tests/sim/world.h", ""},
                             {"tests/crypto/seal_test.cc", ""},
                             {"tests/README.md", "- `sim/` the simulator\n"}}),
              IsEmpty());
}

TEST(ReadmeRules, a_planted_folder_without_readme_or_heading_is_found) {
  EXPECT_THAT(check_readmes({{"crypto/seal.h", ""}}),
              ElementsAre(Problem{"crypto/README.md", 0, "is missing"}));
  EXPECT_THAT(check_readmes({{"crypto/seal.h", ""}, {"crypto/README.md", "## What it does\n"}}), SizeIs(3));
  EXPECT_THAT(check_readmes({{"tests/sim/world.h", ""}, {"tests/README.md", "sim\n"}}), SizeIs(1));
}

TEST(ReadmeRules, links_that_resolve_are_clean) {
  EXPECT_THAT(check_links({{"README.md",
                            "[a](crypto/README.md) [b](crypto/) [c](https://x.y/z) [d](#the-house)\n"
                            "## The house\n`crypto/seal.h` `./dev test` `a/b.h` `crypto/{a,b}.h`\n"
                            "```\n[text](nowhere)\n```\n"},
                           {"crypto/README.md", "[up](../README.md#the-house) [seal](seal.h)\n"},
                           {"crypto/seal.h", ""}}),
              IsEmpty());
}

TEST(ReadmeRules, planted_dead_links_are_found) {
  for (const char* text : {"[a](gone.md)", "[a](crypto/gone.h)", "[a](#gone)", "[a](crypto/README.md#gone)",
                           "see `crypto/gone.h` there"}) {
    EXPECT_THAT(check_links({{"README.md", text}, {"crypto/README.md", "# Seals\n"}}), SizeIs(1)) << text;
  }
}

TEST(ReadmeRules, suites_and_their_documentation_agree) {
  const std::string script = "suites=(\n  \"unit|60|gate|unit tests\"\n)\n";
  EXPECT_THAT(
      check_suites_are_documented({{"dev", script}, {"tests/README.md", "| `unit` | 60 s | gate | x |\n"}}),
      IsEmpty());
  const auto other_budget =
      check_suites_are_documented({{"dev", script}, {"tests/README.md", "| `unit` | 90 s | gate | x |\n"}});
  ASSERT_THAT(other_budget, SizeIs(2));
  EXPECT_THAT(other_budget.front().what, HasSubstr("lacks the row"));
  EXPECT_THAT(check_suites_are_documented({{"dev", script}, {"tests/README.md", ""}}), SizeIs(1));
  const std::string twice = "suites=(\n  \"unit|60|gate|a\"\n  \"unit|60|gate|b\"\n)\n";
  EXPECT_THAT(
      check_suites_are_documented({{"dev", twice}, {"tests/README.md", "| `unit` | 60 s | gate | x |\n"}}),
      SizeIs(1));
  EXPECT_THAT(check_suites_are_documented({{"dev", ""}, {"tests/README.md", ""}}), SizeIs(1));
}

}  // namespace
}  // namespace mallard::tidy
