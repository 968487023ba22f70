#include "bridge/attach/file/record_writer.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/bridge/attach/file/log_story.h"

namespace mallard::bridge::file {
namespace {

class RecordWriterTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "log"; }

 private:
  ScratchDirectory directory_;
};

TEST_F(RecordWriterTest, goes_on_behind_any_torn_end_as_if_it_had_never_been_written) {
  append_log(path(), some_payloads());
  const std::string whole = read_file(path());
  for (std::size_t length = 0; length < whole.size(); length += 61) {
    write_file(path(), whole.substr(0, length));
    const std::size_t kept = read_log(path()).payloads.size();
    std::vector<std::string> rest;
    for (std::size_t i = kept; i < some_payloads().size(); ++i) {
      rest.push_back(some_payloads()[i]);
    }
    append_log(path(), rest);
    ASSERT_EQ(read_log(path()).payloads, some_payloads()) << "length " << length;
  }
}

TEST_F(RecordWriterTest, says_how_much_it_cut_off) {
  append_log(path(), {"one"});
  write_file(path(), read_file(path()) + "torn");
  const auto writer =
      RecordWriter::open(path(), LogKind::delivered, "link", read_log(path()).end, WriteCalls::system());
  EXPECT_EQ(writer->cut_bytes(), 4U);
}

TEST_F(RecordWriterTest, nothing_is_visible_before_flush_and_everything_after) {
  const WriteCalls calls = WriteCalls::system();
  auto writer = RecordWriter::open(path(), LogKind::delivered, "link", {}, calls);
  ASSERT_TRUE(writer->append(1, 0, bytes_of("one")).has_value());
  EXPECT_TRUE(read_log(path()).payloads.empty());
  ASSERT_TRUE(writer->flush().has_value());
  EXPECT_EQ(read_log(path()).payloads.size(), 1U);
}

TEST_F(RecordWriterTest, a_full_disk_is_a_problem_that_says_so) {
  append_log(path(), {"one"});
  WriteCalls calls = WriteCalls::system();
  auto writer = RecordWriter::open(path(), LogKind::delivered, "link", read_log(path()).end, calls);
  calls.pwrite = [](int, const void*, std::size_t, off_t) {
    errno = ENOSPC;
    return ssize_t{-1};
  };
  ASSERT_TRUE(writer->append(1, 0, bytes_of("two")).has_value());
  const auto flushed = writer->flush();
  ASSERT_FALSE(flushed.has_value());
  EXPECT_NE(flushed.error().what.find("No space left"), std::string::npos);
  EXPECT_EQ(flushed.error().advice, "free some space and start again");
}

TEST_F(RecordWriterTest, a_failed_sync_is_a_problem) {
  WriteCalls calls = WriteCalls::system();
  auto writer = RecordWriter::open(path(), LogKind::delivered, "link", {}, calls);
  calls.fdatasync = [](int) {
    errno = EIO;
    return -1;
  };
  ASSERT_TRUE(writer->append(1, 0, bytes_of("one")).has_value());
  EXPECT_FALSE(writer->sync().has_value());
}

TEST_F(RecordWriterTest, writes_that_take_only_a_part_are_finished) {
  WriteCalls calls = WriteCalls::system();
  auto writer = RecordWriter::open(path(), LogKind::delivered, "link", {}, calls);
  calls.pwrite = [](int file, const void* bytes, std::size_t count, off_t at) {
    return WriteCalls::system().pwrite(file, bytes, std::min<std::size_t>(count, 3), at);
  };
  ASSERT_TRUE(writer->append(1, 0, bytes_of("payload")).has_value());
  ASSERT_TRUE(writer->sync().has_value());
  EXPECT_EQ(read_log(path()).payloads, std::vector<std::string>{"payload"});
}

}  // namespace
}  // namespace mallard::bridge::file
