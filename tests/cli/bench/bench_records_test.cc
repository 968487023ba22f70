#include "cli/bench/bench_records.h"

#include <gtest/gtest.h>

#include <set>

namespace mallard::cli {
namespace {

TEST(BenchRecords, KeysRiseAndValuesDiffer) {
  const BenchRecords records{.count = 1'000, .bytes = 16};
  std::set<std::string> values;
  for (std::size_t i = 0; i < records.count; ++i) {
    EXPECT_LT(records.key(i), records.key(i + 1));
    EXPECT_EQ(records.value(i).size(), 16U);
    values.insert(records.value(i));
  }
  EXPECT_EQ(values.size(), records.count);
}

TEST(BenchRecords, ValuesAreTheSameEachTimeAndHaveNothingThatAShellReads) {
  const BenchRecords records{.count = 10, .bytes = 1'024};
  const std::string value = records.value(3);
  EXPECT_EQ(value, records.value(3));
  EXPECT_EQ(value.size(), 1'024U);
  EXPECT_EQ(value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
            std::string::npos);
}

}  // namespace
}  // namespace mallard::cli
