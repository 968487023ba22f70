#include "bridge/attach/file/committed_log.h"

#include <gtest/gtest.h>

#include <fstream>

#include "bridge/attach/file/committed_log_writer.h"
#include "config/base/limits.h"
#include "tests/bridge/attach/file/log_bytes.h"

namespace mallard::bridge::file {
namespace {

constexpr LinkIndex all_keys{0};
constexpr LinkIndex app_keys{5};

// In place: whoever has the file open sees it.
void flip_byte(const std::filesystem::path& path, std::size_t at) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(at));
  const auto byte = static_cast<char>(file.get() ^ 1);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

class CommittedLogTest : public ::testing::Test {
 protected:
  CommittedLogTest() : pool(8U << 20) {}

  CommittedLogWriter open_writer() { return std::move(*CommittedLogWriter::open(directory.path(), "east")); }
  CommittedLog open_log() {
    return CommittedLog(directory.path(), "east", {{all_keys, {}}, {app_keys, {"/app/"}}});
  }

  // Entry n has one message "/app/n" if n is even, and always one "/log/n".
  static void commit(CommittedLogWriter& writer, std::uint64_t n) {
    if (n % 2 == 0) {
      ASSERT_TRUE(writer.add(bytes_of(keyed("/app/" + std::to_string(n), "v"))));
    }
    ASSERT_TRUE(writer.add(bytes_of(keyed("/log/" + std::to_string(n), "v"))));
    ASSERT_TRUE(writer.commit().has_value());
    ASSERT_TRUE(writer.flush().has_value());
  }
  std::optional<StoredBatch> tap(CommittedLog& log, LinkIndex link) {
    const auto batch = log.tap_next(link, pool);
    EXPECT_TRUE(batch.has_value());
    return *batch;
  }
  std::string text(const StoredBatch& batch) {
    std::string characters;
    for (const std::byte byte : pool.view(batch.payload)) {
      characters.push_back(static_cast<char>(byte));
    }
    pool.release(batch.payload);
    return characters;
  }

  ScratchDirectory directory;
  PayloadPool pool;
};

TEST_F(CommittedLogTest, an_absent_log_is_an_empty_one) {
  CommittedLog log = open_log();
  EXPECT_FALSE(*log.follow(1000));
  EXPECT_EQ(log.extent(all_keys).newest, BatchNumber(0));
  EXPECT_FALSE(tap(log, all_keys).has_value());
}

TEST_F(CommittedLogTest, each_link_numbers_what_passes_its_filter) {
  CommittedLogWriter writer = open_writer();
  for (std::uint64_t n = 1; n <= 4; ++n) {
    commit(writer, n);
  }
  CommittedLog log = open_log();
  EXPECT_TRUE(*log.follow(1U << 20));
  EXPECT_EQ(log.extent(all_keys).newest, BatchNumber(4));
  EXPECT_EQ(log.extent(all_keys).newest_message, MessageNumber(6));
  EXPECT_EQ(log.extent(app_keys).newest, BatchNumber(2));
  EXPECT_EQ(log.extent(app_keys).oldest_readable, BatchNumber(1));

  const auto second = (static_cast<void>(tap(log, all_keys)), tap(log, all_keys));
  EXPECT_EQ(second->header, (BatchHeader{BatchNumber(2), MessageNumber(2), 2}));
  const auto app = tap(log, app_keys);
  EXPECT_EQ(app->header, (BatchHeader{BatchNumber(1), MessageNumber(1), 1}));
  EXPECT_NE(text(*app).find("/app/2"), std::string::npos);
}

TEST_F(CommittedLogTest, follows_a_growing_log) {
  CommittedLogWriter writer = open_writer();
  CommittedLog log = open_log();
  for (std::uint64_t n = 1; n <= 50; ++n) {
    commit(writer, n);
    EXPECT_TRUE(*log.follow(1U << 20));
    const auto batch = tap(log, all_keys);
    ASSERT_TRUE(batch.has_value());
    EXPECT_EQ(batch->header.batch, BatchNumber(n));
    EXPECT_NE(text(*batch).find("/log/" + std::to_string(n)), std::string::npos);
    EXPECT_FALSE(tap(log, all_keys).has_value());
  }
}

TEST_F(CommittedLogTest, can_be_tapped_from_anywhere_again_and_again) {
  constexpr std::uint64_t entries = 10'000;
  CommittedLogWriter writer = open_writer();
  for (std::uint64_t n = 1; n <= entries; ++n) {
    ASSERT_TRUE(writer.add(bytes_of(keyed("/log/" + std::to_string(n), "v"))));
    ASSERT_TRUE(writer.commit().has_value());
  }
  ASSERT_TRUE(writer.flush().has_value());
  CommittedLog log = open_log();
  while (*log.follow(1U << 16)) {
  }
  for (const std::uint64_t after : {5000U, 0U, 9999U, 1U, 4097U}) {
    log.tap_from(all_keys, BatchNumber(after));
    const auto batch = tap(log, all_keys);
    ASSERT_TRUE(batch.has_value());
    EXPECT_EQ(batch->header.batch, BatchNumber(after + 1));
    EXPECT_NE(text(*batch).find("/log/" + std::to_string(after + 1) + "v"), std::string::npos);
  }
  log.tap_from(all_keys, BatchNumber(entries));
  EXPECT_FALSE(tap(log, all_keys).has_value());
}

TEST_F(CommittedLogTest, a_tap_ahead_of_the_log_waits_for_it) {
  CommittedLogWriter writer = open_writer();
  CommittedLog log = open_log();
  log.tap_from(all_keys, BatchNumber(2));
  for (std::uint64_t n = 1; n <= 3; ++n) {
    EXPECT_FALSE(tap(log, all_keys).has_value());
    commit(writer, n);
    EXPECT_TRUE(*log.follow(1U << 20));
  }
  EXPECT_EQ(tap(log, all_keys)->header.batch, BatchNumber(3));
}

TEST_F(CommittedLogTest, a_large_entry_becomes_several_batches) {
  CommittedLogWriter writer = open_writer();
  const std::string big(message_bytes_max, 'b');
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(writer.add(bytes_of(big)));
  }
  ASSERT_TRUE(writer.commit().has_value());
  ASSERT_TRUE(writer.flush().has_value());
  CommittedLog log = open_log();
  EXPECT_TRUE(*log.follow(1));
  EXPECT_EQ(log.extent(all_keys).newest, BatchNumber(3));
  log.tap_from(all_keys, BatchNumber(1));
  const auto second = tap(log, all_keys);
  EXPECT_EQ(second->header, (BatchHeader{BatchNumber(2), MessageNumber(4), 3}));
}

TEST_F(CommittedLogTest, a_tap_right_behind_gets_the_bytes_that_were_checked) {
  CommittedLogWriter writer = open_writer();
  CommittedLog log = open_log();
  commit(writer, 1);
  EXPECT_TRUE(*log.follow(1U << 20));
  flip_byte(committed_log_path(directory.path()), file_head_bytes + record_head_bytes + 5);
  EXPECT_NE(text(*tap(log, all_keys)).find("/log/1"), std::string::npos);
}

TEST_F(CommittedLogTest, what_changed_after_it_was_checked_is_never_served) {
  CommittedLogWriter writer = open_writer();
  const std::string big(message_bytes_max, 'b');
  constexpr std::size_t entries = CheckedEntries::bytes_max / message_bytes_max + 2;
  for (std::size_t n = 0; n < entries; ++n) {
    ASSERT_TRUE(writer.add(bytes_of(big)));
    ASSERT_TRUE(writer.commit().has_value());
  }
  ASSERT_TRUE(writer.flush().has_value());
  CommittedLog log = open_log();
  EXPECT_TRUE(*log.follow(2 * CheckedEntries::bytes_max));
  flip_byte(committed_log_path(directory.path()), file_head_bytes + record_head_bytes + 5);
  const auto first = log.tap_next(all_keys, pool);
  ASSERT_FALSE(first.has_value());
  EXPECT_EQ(first.error().fault, StorageFault::damaged);
  log.tap_from(all_keys, BatchNumber(entries - 1));
  EXPECT_EQ(tap(log, all_keys)->header.batch, BatchNumber(entries));
}

TEST_F(CommittedLogTest, a_batch_in_the_middle_of_an_entry_survives_that_the_entry_is_forgotten) {
  CommittedLogWriter writer = open_writer();
  const std::string big(message_bytes_max, 'b');
  const auto commit_big = [&] {
    for (int i = 0; i < 7; ++i) {
      ASSERT_TRUE(writer.add(bytes_of(big)));
    }
    ASSERT_TRUE(writer.commit().has_value());
    ASSERT_TRUE(writer.flush().has_value());
  };
  commit_big();
  CommittedLog log = open_log();
  EXPECT_TRUE(*log.follow(1));
  EXPECT_EQ(tap(log, all_keys)->header.first, MessageNumber(1));
  for (std::size_t bytes = 0; bytes < CheckedEntries::bytes_max; bytes += 7 * message_bytes_max) {
    commit_big();
    EXPECT_TRUE(*log.follow(1));
  }
  EXPECT_EQ(tap(log, all_keys)->header, (BatchHeader{BatchNumber(2), MessageNumber(4), 3}));
  EXPECT_EQ(tap(log, all_keys)->header, (BatchHeader{BatchNumber(3), MessageNumber(7), 1}));
  EXPECT_EQ(tap(log, all_keys)->header, (BatchHeader{BatchNumber(4), MessageNumber(8), 3}));
}

TEST_F(CommittedLogTest, gives_nothing_while_the_pool_is_full_and_loses_nothing) {
  CommittedLogWriter writer = open_writer();
  commit(writer, 1);
  CommittedLog log = open_log();
  EXPECT_TRUE(*log.follow(1U << 20));
  std::vector<PayloadRef> held;
  while (const auto slot = pool.allocate(PayloadPool::unit_bytes)) {
    held.push_back(*slot);
  }
  EXPECT_FALSE(tap(log, all_keys).has_value());
  pool.release(held.back());
  EXPECT_EQ(tap(log, all_keys)->header.batch, BatchNumber(1));
}

TEST_F(CommittedLogTest, an_entry_that_is_no_sequence_of_messages_is_a_problem) {
  const WriteCalls calls = WriteCalls::system();
  auto writer =
      RecordWriter::open(committed_log_path(directory.path()), LogKind::committed, "east", {}, calls);
  ASSERT_TRUE(writer->append(2, 0, framed({"only one"})).has_value());
  ASSERT_TRUE(writer->flush().has_value());
  CommittedLog log = open_log();
  const auto followed = log.follow(1U << 20);
  ASSERT_FALSE(followed.has_value());
  EXPECT_EQ(followed.error().fault, StorageFault::damaged);
}

}  // namespace
}  // namespace mallard::bridge::file
