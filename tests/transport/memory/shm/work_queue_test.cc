#include "transport/memory/shm/work_queue.h"

#include <gtest/gtest.h>

#include <array>

namespace mallard::memory {
namespace {

Work work_of(std::uint64_t id, bool signaled = true) {
  Work work;
  work.id = WorkId(id);
  work.signaled = signaled;
  return work;
}

std::vector<std::uint64_t> reported(WorkQueue& queue, std::uint64_t& retired) {
  std::array<WorkDone, 8> done;
  std::vector<std::uint64_t> ids;
  const std::size_t count = queue.report(done, retired);
  for (std::size_t i = 0; i < count; ++i) ids.push_back(done[i].id.value);
  return ids;
}

TEST(WorkQueue, reports_in_order_and_covers_the_unsignaled) {
  WorkQueue queue(4, false);
  std::uint64_t retired = 0;
  queue.push(work_of(1, false)).tag = 10;
  queue.push(work_of(2, false)).tag = 20;
  queue.push(work_of(3)).tag = 30;
  EXPECT_EQ(queue.room(), 1U);
  queue.finish_first(WorkStatus::ok, 0);
  queue.finish_first(WorkStatus::ok, 0);
  EXPECT_TRUE(reported(queue, retired).empty());
  EXPECT_EQ(retired, 0U);
  EXPECT_EQ(queue.room(), 1U);
  queue.finish_first(WorkStatus::ok, 0);
  EXPECT_EQ(reported(queue, retired), std::vector<std::uint64_t>{3});
  EXPECT_EQ(retired, 30U);
  EXPECT_EQ(queue.room(), 4U);
}

TEST(WorkQueue, failures_are_reported_also_unsignaled) {
  WorkQueue queue(4, false);
  std::uint64_t retired = 0;
  queue.push(work_of(1, false));
  queue.push(work_of(2, false));
  queue.finish_first(WorkStatus::ok, 0);
  queue.finish_first(WorkStatus::unknown, 0);
  EXPECT_EQ(reported(queue, retired), std::vector<std::uint64_t>{2});
}

TEST(WorkQueue, a_flush_reports_what_waited_and_what_nothing_covered) {
  WorkQueue queue(4, false);
  std::uint64_t retired = 0;
  queue.push(work_of(1, false));
  queue.push(work_of(2));
  queue.push(work_of(3, false));
  queue.push(work_of(4));
  for (int i = 0; i < 3; ++i) queue.finish_first(WorkStatus::ok, 0);
  queue.flush();
  std::array<WorkDone, 8> done;
  ASSERT_EQ(queue.report(done, retired), 4U);
  EXPECT_EQ(done[0].status, WorkStatus::flushed);
  EXPECT_EQ(done[1].status, WorkStatus::ok);
  EXPECT_EQ(done[2].status, WorkStatus::flushed);
  EXPECT_EQ(done[3].status, WorkStatus::flushed);
}

TEST(WorkQueue, keeps_the_bytes_of_short_writes) {
  WorkQueue queue(3, true);
  std::array<std::uint64_t, 64> source;
  source.fill(1);
  Work work = work_of(1);
  for (int lap = 0; lap < 3; ++lap) {
    work.source = std::as_bytes(std::span(source)).first(inline_bytes_max);
    queue.push(work);
    work.source = std::as_bytes(std::span(source)).first(inline_bytes_max + 8);
    queue.push(work);
    queue.keep_sources();
    queue.keep_sources();
    source.fill(2);
    EXPECT_EQ(load_word(queue.first_waiting().work.source, 248), 1U);
    queue.finish_first(WorkStatus::ok, 0);
    EXPECT_EQ(queue.first_waiting().work.source.data(), work.source.data());
    queue.finish_first(WorkStatus::ok, 0);
    std::uint64_t retired = 0;
    EXPECT_EQ(reported(queue, retired).size(), 2U);
    source.fill(1);
  }
}

}  // namespace
}  // namespace mallard::memory
