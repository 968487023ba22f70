#include "rsm/replica/journal/journal_problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace mallard::rsm::journal {
namespace {

TEST(JournalProblem, names_file_call_and_reason) {
  const JournalError error =
      machine_error({.fault = DiskFault::broken, .call = "fdatasync", .code = EIO}, segment_name(3));
  EXPECT_EQ(error.fault, JournalFault::machine);
  EXPECT_EQ(error.what, "log.00000003: fdatasync failed: Input/output error");
}

TEST(JournalProblem, says_that_space_is_missing) {
  const DiskResult<int> full =
      Failure<DiskError>(DiskError{.fault = DiskFault::full, .call = "write", .code = ENOSPC});
  const auto error = explained(full, spare_name());
  ASSERT_FALSE(error);
  EXPECT_THAT(error.error().advice, testing::HasSubstr("free some space"));
  EXPECT_EQ(explained(DiskResult<int>(7), spare_name()).value(), 7);
}

}  // namespace
}  // namespace mallard::rsm::journal
