#include "bridge/attach/file/committed_log_writer.h"

#include <gtest/gtest.h>

#include "config/base/limits.h"
#include "tests/bridge/attach/file/log_bytes.h"

namespace mallard::bridge::file {
namespace {

void commit(CommittedLogWriter& writer, const std::string& message) {
  ASSERT_TRUE(writer.add(bytes_of(message)));
  ASSERT_TRUE(writer.commit().has_value());
}

TEST(CommittedLogWriter, counts_entries_and_messages_over_restarts) {
  const ScratchDirectory directory;
  {
    auto writer = CommittedLogWriter::open(directory.path(), "east");
    ASSERT_TRUE(writer->add(bytes_of("a")));
    ASSERT_TRUE(writer->add(bytes_of("b")));
    ASSERT_TRUE(writer->commit().has_value());
    commit(*writer, "c");
    ASSERT_TRUE(writer->sync().has_value());
  }
  const auto writer = CommittedLogWriter::open(directory.path(), "east");
  EXPECT_EQ(writer->entries(), 2U);
  EXPECT_EQ(writer->messages(), 3U);
}

TEST(CommittedLogWriter, replicas_that_write_the_same_have_the_same_file) {
  const ScratchDirectory one;
  const ScratchDirectory two;
  for (const ScratchDirectory* directory : {&one, &two}) {
    auto writer = CommittedLogWriter::open(directory->path(), "east");
    commit(*writer, "a");
    commit(*writer, "b");
    ASSERT_TRUE(writer->sync().has_value());
  }
  EXPECT_EQ(read_file(committed_log_path(one.path())), read_file(committed_log_path(two.path())));
}

TEST(CommittedLogWriter, refuses_messages_that_no_link_could_carry) {
  const ScratchDirectory directory;
  auto writer = CommittedLogWriter::open(directory.path(), "east");
  EXPECT_FALSE(writer->add({}));
  EXPECT_FALSE(writer->add(bytes_of(std::string(message_bytes_max + 1, 'm'))));
  EXPECT_TRUE(writer->add(bytes_of(std::string(message_bytes_max, 'm'))));
}

TEST(CommittedLogWriter, an_entry_without_messages_is_none) {
  const ScratchDirectory directory;
  auto writer = CommittedLogWriter::open(directory.path(), "east");
  ASSERT_TRUE(writer->commit().has_value());
  EXPECT_EQ(writer->entries(), 0U);
}

TEST(CommittedLogWriter, the_log_of_another_cluster_is_refused) {
  const ScratchDirectory directory;
  ASSERT_TRUE(CommittedLogWriter::open(directory.path(), "east").has_value());
  EXPECT_FALSE(CommittedLogWriter::open(directory.path(), "west").has_value());
}

}  // namespace
}  // namespace mallard::bridge::file
