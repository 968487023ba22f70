// The rules of this folder, applied to the repository itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tidy/dashboard_rules.h"
#include "tests/tidy/include_rules.h"
#include "tests/tidy/mirror_rules.h"
#include "tests/tidy/name_rules.h"
#include "tests/tidy/readme_rules.h"
#include "tests/tidy/source_tree.h"
#include "tests/tidy/text_rules.h"

namespace mallard::tidy {
namespace {

const SourceTree& repository() {
  static const SourceTree tree = read_tree(MALLARD_SOURCE_DIR);
  return tree;
}

void expect_clean(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) ADD_FAILURE() << problem;
}

TEST(Repository, is_found) {
  EXPECT_TRUE(repository().contains("CMakeLists.txt"));
  EXPECT_TRUE(repository().contains("tests/tidy/repository_test.cc"));
  EXPECT_TRUE(repository().contains(".ci/run"));
  EXPECT_FALSE(repository().contains(".git/HEAD"));
}

TEST(Repository, includes_follow_the_layers) { expect_clean(check_includes(repository())); }
TEST(Repository, cores_use_no_types_that_allocate) { expect_clean(check_core_types(repository())); }
TEST(Repository, every_noun_has_its_test) { expect_clean(check_mirrors(repository())); }
TEST(Repository, no_excuse_is_stale) { expect_clean(check_excuses(repository())); }
TEST(Repository, every_source_is_built) { expect_clean(check_sources_are_built(repository())); }
TEST(Repository, names_say_something) { expect_clean(check_names(repository())); }
TEST(Repository, constructs_are_the_house_s) { expect_clean(check_constructs(repository())); }
TEST(Repository, every_folder_has_its_readme) { expect_clean(check_readmes(repository())); }
TEST(Repository, links_resolve) { expect_clean(check_links(repository())); }
TEST(Repository, suites_are_documented) { expect_clean(check_suites_are_documented(repository())); }
TEST(Repository, dashboards_ask_for_what_is_there) { expect_clean(check_dashboards(repository())); }
TEST(Repository, lengths_are_within_limits) { expect_clean(check_lengths(repository())); }
TEST(Repository, functions_are_short) { expect_clean(check_functions(repository())); }
TEST(Repository, nothing_is_left_over) { expect_clean(check_leftovers(repository())); }

}  // namespace
}  // namespace mallard::tidy
