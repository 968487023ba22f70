#include "cli/demo/log_comparison.h"

#include <gtest/gtest.h>

#include "bridge/attach/file/committed_log_writer.h"
#include "tests/cli/temporary_folder.h"

namespace mallard::cli {
namespace {

namespace file = bridge::file;

class LogComparisonTest : public ::testing::Test {
 protected:
  LogComparisonTest() : workload(*DemoWorkload::from_records("Package: a\n\nPackage: b\n\nPackage: c\n\n")) {}

  // Commits these messages of the workload, one entry each, and compares.
  LogComparison compare(const std::vector<std::size_t>& messages) {
    auto log = file::CommittedLogWriter::open(folder.path(""), "east");
    for (const std::size_t message : messages) {
      EXPECT_TRUE(log->add(workload.message(message)));
      EXPECT_TRUE(log->commit().has_value());
    }
    EXPECT_TRUE(log->flush().has_value());
    return *compare_log(file::committed_log_path(folder.path("")), file::LogKind::committed, "east",
                        workload);
  }
  std::vector<std::size_t> all() const {
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i < workload.size(); ++i) {
      numbers.push_back(i);
    }
    return numbers;
  }

  TemporaryFolder folder;
  DemoWorkload workload;
};

TEST_F(LogComparisonTest, an_equal_log_is_identical) { EXPECT_TRUE(compare(all()).identical()); }

TEST_F(LogComparisonTest, a_log_that_ends_early_misses_the_rest) {
  const LogComparison result = compare({0, 1});
  EXPECT_EQ(result.missing, workload.size() - 2);
  EXPECT_EQ(result.different, 0U);
}

TEST_F(LogComparisonTest, messages_out_of_place_are_different) {
  std::vector<std::size_t> swapped = all();
  std::swap(swapped[0], swapped[1]);
  const LogComparison result = compare(swapped);
  EXPECT_EQ(result.different, 2U);
  EXPECT_EQ(result.missing, 0U);
}

TEST_F(LogComparisonTest, more_than_was_committed_is_different) {
  std::vector<std::size_t> longer = all();
  longer.push_back(0);
  EXPECT_EQ(compare(longer).different, 1U);
}

TEST_F(LogComparisonTest, a_log_that_is_not_there_misses_everything) {
  EXPECT_EQ(compare_log(folder.path("none"), file::LogKind::committed, "east", workload)->missing,
            workload.size());
}

}  // namespace
}  // namespace mallard::cli
