#include "bridge/attach/file/file_attachment.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "bridge/attach/file/committed_log_writer.h"
#include "tests/bridge/attach/file/log_bytes.h"
#include "tests/bridge/attach/file/signal.h"

namespace mallard::bridge::file {
namespace {

constexpr LinkIndex outbound{0};
constexpr LinkIndex inbound{1};

class FileAttachmentTest : public ::testing::Test {
 protected:
  FileAttachmentTest() : pool(8U << 20) {}

  auto open_attachment() {
    const FileAttachmentSettings settings{.directory = directory.path(),
                                          .cluster = "east",
                                          .outbound = {{outbound, {}}},
                                          .inbound = {{inbound, "west-east"}}};
    return FileAttachment::open(settings, pool,
                                {.wake = [this] { woken.raise(); },
                                 .on_failure =
                                     [this](const StorageProblem& problem) {
                                       failure = problem.what;
                                       failed.raise();
                                     }},
                                calls);
  }
  Apply apply_of(std::uint64_t batch, const std::string& message) {
    const auto bytes = framed({message});
    Apply order{};
    order.context.link = inbound;
    order.header = {.batch = BatchNumber(batch), .first = MessageNumber(batch), .count = 1};
    order.payload = *pool.allocate(bytes.size());
    std::memcpy(pool.span(order.payload).data(), bytes.data(), bytes.size());
    return order;
  }

  ScratchDirectory directory;
  PayloadPool pool;
  WriteCalls calls = WriteCalls::system();
  Signal woken;
  Signal failed;
  std::string failure;
};

TEST_F(FileAttachmentTest, delivers_durably_and_reads_back) {
  {
    auto attachment = open_attachment();
    ASSERT_TRUE(attachment.has_value());
    EXPECT_EQ((*attachment)->cursor(inbound).batch, BatchNumber(0));
    (*attachment)->apply(apply_of(1, "hello"));
    ASSERT_TRUE(woken.wait());
    const auto applied = (*attachment)->poll();
    ASSERT_TRUE(applied.has_value());
    EXPECT_EQ(applied->cursor, BatchNumber(1));
    (*attachment)->load({.link = inbound, .batch = BatchNumber(1), .for_peer = ReplicaIndex(2)});
    (*attachment)->load({.link = inbound, .batch = BatchNumber(2), .for_peer = ReplicaIndex(3)});
    const auto loaded = (*attachment)->poll_loaded();
    ASSERT_TRUE(loaded.has_value());
    EXPECT_TRUE(loaded->found);
    EXPECT_EQ(loaded->for_peer, ReplicaIndex(2));
    EXPECT_EQ(loaded->payload.bytes, 9U);
    const auto missing = (*attachment)->poll_loaded();
    ASSERT_TRUE(missing.has_value());
    EXPECT_FALSE(missing->found);
    EXPECT_EQ(missing->header.batch, BatchNumber(2));
    EXPECT_FALSE((*attachment)->poll_loaded().has_value());
  }
  EXPECT_EQ((*open_attachment())->cursor(inbound).batch, BatchNumber(1));
}

TEST_F(FileAttachmentTest, taps_what_the_rsm_commits) {
  auto attachment = open_attachment();
  EXPECT_EQ((*attachment)->extent(outbound).newest, BatchNumber(0));
  auto writer = CommittedLogWriter::open(directory.path(), "east");
  ASSERT_TRUE(writer->add(bytes_of("decided")));
  ASSERT_TRUE(writer->commit().has_value());
  ASSERT_TRUE(writer->flush().has_value());
  EXPECT_EQ((*attachment)->extent(outbound).newest, BatchNumber(1));
  (*attachment)->tap_from(outbound, BatchNumber(0));
  EXPECT_EQ((*attachment)->tap_next(outbound)->header.batch, BatchNumber(1));
}

TEST_F(FileAttachmentTest, entries_that_no_link_wants_do_not_put_the_loop_to_sleep) {
  const FileAttachmentSettings settings{.directory = directory.path(),
                                        .cluster = "east",
                                        .outbound = {{outbound, {"/wanted/"}}},
                                        .inbound = {}};
  auto attachment = FileAttachment::open(
      settings, pool,
      {.wake = [this] { woken.raise(); }, .on_failure = [](const StorageProblem&) { FAIL(); }}, calls);
  auto writer = CommittedLogWriter::open(directory.path(), "east");
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(writer->add(bytes_of(keyed("/other/", std::string(200'000, 'x')))));
    ASSERT_TRUE(writer->commit().has_value());
  }
  ASSERT_TRUE(writer->add(bytes_of(keyed("/wanted/", "v"))));
  ASSERT_TRUE(writer->commit().has_value());
  ASSERT_TRUE(writer->flush().has_value());
  while ((*attachment)->extent(outbound).newest == BatchNumber(0)) {
    ASSERT_TRUE(woken.wait());
  }
  EXPECT_EQ((*attachment)->extent(outbound).newest_message, MessageNumber(1));
}

TEST_F(FileAttachmentTest, one_process_has_a_directory) {
  const auto first = open_attachment();
  const auto second = open_attachment();
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().fault, StorageFault::occupied);
}

TEST_F(FileAttachmentTest, a_full_disk_fails_the_attachment_and_applies_nothing) {
  auto room_for = std::make_shared<std::atomic<int>>(1);
  calls.pwrite = [room_for](int file, const void* bytes, std::size_t count, off_t at) {
    if (room_for->fetch_sub(1) <= 0) {
      errno = ENOSPC;
      return ssize_t{-1};
    }
    return WriteCalls::system().pwrite(file, bytes, count, at);
  };
  {
    auto attachment = open_attachment();
    ASSERT_TRUE(attachment.has_value());
    (*attachment)->apply(apply_of(1, "hello"));
    ASSERT_TRUE(failed.wait());
    EXPECT_FALSE((*attachment)->poll().has_value());
    EXPECT_NE(failure.find("No space left on device"), std::string::npos) << failure;
  }
  room_for->store(100);
  EXPECT_EQ((*open_attachment())->cursor(inbound).batch, BatchNumber(0));
}

TEST_F(FileAttachmentTest, a_damaged_committed_log_stops_it_by_name) {
  auto writer = CommittedLogWriter::open(directory.path(), "east");
  ASSERT_TRUE(writer->add(bytes_of("decided")));
  ASSERT_TRUE(writer->commit().has_value());
  ASSERT_TRUE(writer->flush().has_value());
  auto attachment = open_attachment();
  ASSERT_TRUE(attachment.has_value());
  std::ofstream(committed_log_path(directory.path()), std::ios::binary | std::ios::app)
      << std::string(record_head_bytes, 'x');
  EXPECT_EQ((*attachment)->extent(outbound).newest, BatchNumber(1));
  EXPECT_NE(failure.find("committed.log: has a damaged record head (record 2"), std::string::npos) << failure;
}

}  // namespace
}  // namespace mallard::bridge::file
