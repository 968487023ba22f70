#include "bridge/attach/file/group_commit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>

#include "tests/bridge/attach/file/log_story.h"
#include "tests/bridge/attach/file/signal.h"

namespace mallard::bridge::file {
namespace {

AppendOrder order_of(RecordWriter& writer, std::uint64_t batch, ByteView payload) {
  return {.writer = &writer,
          .link = LinkIndex(3),
          .header = {.batch = BatchNumber(batch), .first = MessageNumber(batch), .count = 1},
          .payload = payload};
}

// Polls until the batch is reported.
void wait_for(GroupCommit& commits, Signal& woken, std::uint64_t batch) {
  for (std::uint64_t seen = 0; seen < batch;) {
    ASSERT_TRUE(woken.wait());
    while (const auto applied = commits.poll()) {
      EXPECT_EQ(applied->link, LinkIndex(3));
      EXPECT_GT(applied->cursor.value, seen);
      EXPECT_EQ(applied->cursor_message.value, applied->cursor.value);
      seen = applied->cursor.value;
    }
  }
}

TEST(GroupCommit, reports_a_batch_only_when_it_is_in_the_file) {
  const ScratchDirectory directory;
  const WriteCalls calls = WriteCalls::system();
  auto writer = RecordWriter::open(directory.path() / "log", LogKind::delivered, "link", {}, calls);
  Signal woken;
  GroupCommit commits(100,
                      {.wake = [&] { woken.raise(); }, .on_failure = [](const StorageProblem&) { FAIL(); }});
  const auto payload = bytes_of("payload");
  for (std::uint64_t batch = 1; batch <= 50; ++batch) {
    ASSERT_TRUE(commits.submit(order_of(*writer, batch, payload)));
  }
  wait_for(commits, woken, 50);
  EXPECT_EQ(read_log(directory.path() / "log").payloads.size(), 50U);
}

TEST(GroupCommit, what_waited_for_the_disk_is_synced_together) {
  const ScratchDirectory directory;
  std::mutex disk;
  std::atomic<int> syncs = 0;
  WriteCalls calls = WriteCalls::system();
  auto writer = RecordWriter::open(directory.path() / "log", LogKind::delivered, "link", {}, calls);
  calls.fdatasync = [&](int) {
    const std::lock_guard busy(disk);
    ++syncs;
    return 0;
  };
  Signal woken;
  GroupCommit commits(100,
                      {.wake = [&] { woken.raise(); }, .on_failure = [](const StorageProblem&) { FAIL(); }});
  const auto payload = bytes_of("payload");
  {
    const std::lock_guard busy(disk);
    for (std::uint64_t batch = 1; batch <= 100; ++batch) {
      ASSERT_TRUE(commits.submit(order_of(*writer, batch, payload)));
    }
  }
  wait_for(commits, woken, 100);
  EXPECT_LE(syncs, 100);
  EXPECT_GE(syncs, 1);
}

TEST(GroupCommit, takes_no_more_orders_than_it_has_room_for) {
  const ScratchDirectory directory;
  std::mutex disk;
  WriteCalls calls = WriteCalls::system();
  auto writer = RecordWriter::open(directory.path() / "log", LogKind::delivered, "link", {}, calls);
  calls.fdatasync = [&](int) {
    const std::lock_guard busy(disk);
    return 0;
  };
  Signal woken;
  // Before the commits, whose last writes read it.
  const auto payload = bytes_of("payload");
  GroupCommit commits(4,
                      {.wake = [&] { woken.raise(); }, .on_failure = [](const StorageProblem&) { FAIL(); }});
  const std::lock_guard busy(disk);
  std::uint64_t taken = 0;
  while (taken < 100 && commits.submit(order_of(*writer, taken + 1, payload))) {
    ++taken;
  }
  EXPECT_GE(taken, 4U);
  EXPECT_LE(taken, 8U) << "four waiting, and at most four in the group being written";
}

TEST(GroupCommit, a_failed_write_is_told_once_and_nothing_is_reported_after_it) {
  const ScratchDirectory directory;
  WriteCalls calls = WriteCalls::system();
  auto writer = RecordWriter::open(directory.path() / "log", LogKind::delivered, "link", {}, calls);
  int tries = 0;
  calls.pwrite = [&tries](int, const void*, std::size_t, off_t) {
    ++tries;
    errno = ENOSPC;
    return ssize_t{-1};
  };
  Signal failed;
  const auto payload = bytes_of("payload");
  {
    GroupCommit commits(100, {.wake = [] {}, .on_failure = [&](const StorageProblem&) { failed.raise(); }});
    ASSERT_TRUE(commits.submit(order_of(*writer, 1, payload)));
    ASSERT_TRUE(failed.wait());
    ASSERT_TRUE(commits.submit(order_of(*writer, 2, payload)));
    EXPECT_FALSE(commits.poll().has_value());
  }
  EXPECT_EQ(tries, 1) << "a failed write is never tried again";
}

}  // namespace
}  // namespace mallard::bridge::file
