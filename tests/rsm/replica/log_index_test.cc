#include "rsm/replica/log_index.h"

#include <gtest/gtest.h>

namespace mallard::rsm {
namespace {

cft::LogMark mark(cft::Lsn lsn) { return {.lsn = lsn, .chain = static_cast<std::uint32_t>(lsn)}; }

TEST(LogIndex, CountsEntriesAndForgetsWhatIsNoLongerTheLog) {
  LogIndex index(4, {mark(128), journal::EntryIndex(7)});
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(index.last(), index.base());
  index.push(mark(192));
  index.push(mark(320));
  index.push(mark(384));
  EXPECT_EQ(index.last().index.value, 10U);
  index.cut(200);
  EXPECT_EQ(index.last(), (LogPlace{mark(192), journal::EntryIndex(8)}));
  index.push(mark(256));
  EXPECT_EQ(index.front().index.value, 8U);
  index.pop();
  EXPECT_EQ(index.base(), (LogPlace{mark(192), journal::EntryIndex(8)}));
  index.cut(0);
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(index.last().index.value, 8U) << "what was applied stays";
}

TEST(LogIndex, GoesRoundItsRoom) {
  LogIndex index(3, {});
  for (cft::Lsn lsn = 64; lsn < 6400; lsn += 64) {
    index.push(mark(lsn));
    ASSERT_EQ(index.front().end, mark(lsn));
    ASSERT_EQ(index.front().index.value, lsn / 64);
    index.pop();
  }
}

}  // namespace
}  // namespace mallard::rsm
