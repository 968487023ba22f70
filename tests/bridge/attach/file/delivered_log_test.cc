#include "bridge/attach/file/delivered_log.h"

#include <gtest/gtest.h>

#include "tests/bridge/attach/file/log_bytes.h"
#include "tests/bridge/attach/file/signal.h"

namespace mallard::bridge::file {
namespace {

class DeliveredLogTest : public ::testing::Test {
 protected:
  DeliveredLogTest()
      : pool(8U << 20),
        commits(10'000,
                {.wake = [this] { woken.raise(); }, .on_failure = [](const StorageProblem&) { FAIL(); }}) {}

  std::unique_ptr<DeliveredLog> open_log() {
    auto log = DeliveredLog::open(directory.path(), "east-west", LinkIndex(1), calls);
    EXPECT_TRUE(log.has_value()) << log.error().what;
    return std::move(*log);
  }
  static Apply apply_of(std::uint64_t batch) {
    Apply order{};
    order.context.link = LinkIndex(1);
    order.header = {.batch = BatchNumber(batch), .first = MessageNumber(2 * batch - 1), .count = 2};
    order.proof_bytes = 3;
    return order;
  }
  static std::vector<std::byte> payload_of(std::uint64_t batch) {
    auto payload = framed({"m" + std::to_string(2 * batch - 1), "m" + std::to_string(2 * batch)});
    payload.insert(payload.end(), 3, std::byte{'p'});
    return payload;
  }
  // Delivers batches first to last and waits until they are durable.
  void deliver(DeliveredLog& log, std::uint64_t first, std::uint64_t last) {
    std::vector<std::vector<std::byte>> payloads;
    for (std::uint64_t batch = first; batch <= last; ++batch) {
      payloads.push_back(payload_of(batch));
      ASSERT_TRUE(log.submit(apply_of(batch), payloads.back(), commits));
    }
    for (std::uint64_t done = 0; done < last;) {
      ASSERT_TRUE(woken.wait());
      while (const auto applied = commits.poll()) {
        done = applied->cursor.value;
        log.durable(applied->cursor);
      }
    }
  }

  ScratchDirectory directory;
  WriteCalls calls = WriteCalls::system();
  PayloadPool pool;
  Signal woken;
  GroupCommit commits;
};

TEST_F(DeliveredLogTest, the_cursor_survives_a_restart) {
  EXPECT_EQ(open_log()->found().batch, BatchNumber(0));
  {
    const auto log = open_log();
    deliver(*log, 1, 20);
  }
  const auto log = open_log();
  EXPECT_EQ(log->found().batch, BatchNumber(20));
  EXPECT_EQ(log->found().message, MessageNumber(40));
  EXPECT_FALSE(log->found().storage_lost);
  deliver(*log, 21, 22);
  EXPECT_EQ(open_log()->found().batch, BatchNumber(22));
}

TEST_F(DeliveredLogTest, a_torn_end_is_cut_off_and_delivered_again) {
  const std::filesystem::path path = delivered_log_path(directory.path(), "east-west");
  {
    const auto log = open_log();
    deliver(*log, 1, 3);
  }
  const std::string whole = read_file(path);
  write_file(path, whole.substr(0, whole.size() - 5));
  {
    const auto log = open_log();
    EXPECT_EQ(log->found().batch, BatchNumber(2));
    deliver(*log, 3, 3);
  }
  EXPECT_EQ(open_log()->found().batch, BatchNumber(3));
}

TEST_F(DeliveredLogTest, a_damaged_middle_is_refused) {
  const std::filesystem::path path = delivered_log_path(directory.path(), "east-west");
  {
    const auto log = open_log();
    deliver(*log, 1, 3);
  }
  std::string bytes = read_file(path);
  bytes[file_head_bytes + record_head_bytes + 2] ^= 1;
  write_file(path, bytes);
  const auto log = DeliveredLog::open(directory.path(), "east-west", LinkIndex(1), calls);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().fault, StorageFault::damaged);
  EXPECT_EQ(read_file(path), bytes) << "a damaged log is left as it is";
}

TEST_F(DeliveredLogTest, a_log_that_is_gone_is_noticed) {
  const std::filesystem::path path = delivered_log_path(directory.path(), "east-west");
  {
    const auto log = open_log();
    deliver(*log, 1, 3);
  }
  std::filesystem::remove(path);
  EXPECT_TRUE(open_log()->found().storage_lost);
  EXPECT_FALSE(open_log()->found().storage_lost) << "it is a new log now";
  write_file(path, "");
  EXPECT_TRUE(open_log()->found().storage_lost);
}

TEST_F(DeliveredLogTest, what_does_not_continue_the_cursor_is_a_no_op) {
  const auto log = open_log();
  const auto payload = payload_of(1);
  EXPECT_TRUE(log->submit(apply_of(2), payload, commits)) << "a gap";
  deliver(*log, 1, 2);
  EXPECT_TRUE(log->submit(apply_of(2), payload, commits)) << "a repetition";
  Apply wrong = apply_of(3);
  wrong.header.first = MessageNumber(6);
  EXPECT_TRUE(log->submit(wrong, payload, commits)) << "a gap in the messages";
  deliver(*log, 3, 3);
  EXPECT_EQ(open_log()->found().batch, BatchNumber(3));
  EXPECT_EQ(open_log()->found().message, MessageNumber(6));
}

TEST_F(DeliveredLogTest, durable_batches_can_be_read_back) {
  const auto log = open_log();
  deliver(*log, 1, 200);
  for (const std::uint64_t batch : {1U, 200U, 77U, 3U}) {
    const auto stored = log->load(BatchNumber(batch), pool);
    ASSERT_TRUE(stored.has_value() && stored->has_value());
    EXPECT_EQ((*stored)->header, apply_of(batch).header);
    EXPECT_EQ((*stored)->proof_bytes, 3U);
    const ByteView bytes = pool.view((*stored)->payload);
    EXPECT_EQ(std::vector<std::byte>(bytes.begin(), bytes.end()), payload_of(batch));
  }
  EXPECT_FALSE(log->load(BatchNumber(201), pool)->has_value());
}

TEST_F(DeliveredLogTest, batches_of_before_a_restart_can_be_read_back) {
  {
    const auto log = open_log();
    deliver(*log, 1, 30);
  }
  const auto stored = open_log()->load(BatchNumber(17), pool);
  ASSERT_TRUE(stored.has_value() && stored->has_value());
  EXPECT_EQ((*stored)->header, apply_of(17).header);
}

TEST_F(DeliveredLogTest, a_record_damaged_while_running_is_not_served) {
  const auto log = open_log();
  deliver(*log, 1, 3);
  const std::filesystem::path path = delivered_log_path(directory.path(), "east-west");
  std::string bytes = read_file(path);
  bytes[bytes.size() - record_hash_bytes - 1] ^= 1;
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file << bytes;
  }
  EXPECT_TRUE(log->load(BatchNumber(2), pool).has_value());
  EXPECT_FALSE(log->load(BatchNumber(3), pool).has_value());
}

}  // namespace
}  // namespace mallard::bridge::file
