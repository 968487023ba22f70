#include "bridge/attach/file/record_reader.h"

#include <gtest/gtest.h>

#include "tests/bridge/attach/file/log_story.h"

namespace mallard::bridge::file {
namespace {

class RecordReaderTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "log"; }

 private:
  ScratchDirectory directory_;
};

std::size_t record_bytes(const std::string& payload) { return record_overhead_bytes + payload.size(); }

TEST_F(RecordReaderTest, reads_what_was_written_and_follows_what_is_added) {
  RecordReader reader(path(), LogKind::delivered, "link");
  EXPECT_FALSE(reader.next()->has_value()) << "no file yet";
  append_log(path(), {"one", "two"});
  EXPECT_EQ((*reader.next())->head.number, 1U);
  EXPECT_EQ((*reader.next())->head.number, 2U);
  EXPECT_FALSE(reader.next()->has_value());
  append_log(path(), {"three"});
  const auto third = reader.next();
  EXPECT_EQ((*third)->head.first, 3U);
  EXPECT_EQ((*third)->payload.size(), 5U);
}

TEST_F(RecordReaderTest, reads_again_from_where_it_was_before) {
  append_log(path(), some_payloads());
  RecordReader reader(path(), LogKind::delivered, "link");
  ASSERT_TRUE(reader.next()->has_value());
  const RecordPosition second = reader.position();
  ASSERT_TRUE(reader.next()->has_value());
  ASSERT_TRUE(reader.next()->has_value());
  reader.seek(second);
  EXPECT_EQ((*reader.next())->head.number, 2U);
}

TEST_F(RecordReaderTest, a_log_cut_anywhere_ends_before_the_cut_record) {
  append_log(path(), some_payloads());
  const std::string whole = read_file(path());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_file(path(), whole.substr(0, length));
    const ReadLog log = read_log(path());
    ASSERT_FALSE(log.problem.has_value()) << "length " << length << ": " << log.problem->what;
    std::size_t fit = 0;
    for (std::size_t end = file_head_bytes; fit < some_payloads().size(); ++fit) {
      end += record_bytes(some_payloads()[fit]);
      if (end > length) {
        break;
      }
    }
    ASSERT_EQ(log.payloads.size(), fit) << "length " << length;
  }
}

TEST_F(RecordReaderTest, every_flipped_bit_stops_with_a_problem) {
  append_log(path(), some_payloads());
  const std::string whole = read_file(path());
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 3) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    write_file(path(), flipped);
    const ReadLog log = read_log(path());
    ASSERT_TRUE(log.problem.has_value()) << "bit " << bit;
    EXPECT_EQ(log.problem->fault, StorageFault::damaged);
    for (std::size_t i = 0; i < log.payloads.size(); ++i) {
      ASSERT_EQ(log.payloads[i], some_payloads()[i]) << "bit " << bit;
    }
  }
}

TEST_F(RecordReaderTest, a_sector_that_never_reached_the_disk_is_a_torn_end) {
  append_log(path(), some_payloads());
  std::string bytes = read_file(path());
  const std::string big(4000, 'z');
  append_log(path(), {big});
  std::string torn = read_file(path());
  torn.replace((bytes.size() / 512 + 2) * 512, 512, std::string(512, '\0'));
  write_file(path(), torn);
  const ReadLog log = read_log(path());
  EXPECT_FALSE(log.problem.has_value());
  EXPECT_EQ(log.payloads.size(), some_payloads().size());
  EXPECT_EQ(log.end.offset, bytes.size());
}

TEST_F(RecordReaderTest, the_same_hole_before_a_later_durable_record_is_damage) {
  append_log(path(), {std::string(4000, 'z'), "later"});
  std::string holed = read_file(path());
  holed.replace(1024, 512, std::string(512, '\0'));
  write_file(path(), holed);
  const ReadLog log = read_log(path());
  ASSERT_TRUE(log.problem.has_value());
  EXPECT_NE(log.problem->what.find("record 1 at offset 32"), std::string::npos) << log.problem->what;
}

TEST_F(RecordReaderTest, records_out_of_order_are_damage) {
  append_log(path(), {"one", "two"});
  RecordReader reader(path(), LogKind::delivered, "link");
  RecordPosition wrong;
  wrong.previous = reader.seed();
  wrong.offset = file_head_bytes + record_bytes("one");
  reader.seek(wrong);
  const auto record = reader.next();
  ASSERT_FALSE(record.has_value());
  EXPECT_NE(record.error().what.find("does not continue"), std::string::npos);
}

TEST_F(RecordReaderTest, the_log_of_another_link_is_refused) {
  append_log(path(), {"one"});
  RecordReader reader(path(), LogKind::delivered, "other");
  const auto record = reader.next();
  ASSERT_FALSE(record.has_value());
  EXPECT_NE(record.error().what.find("another cluster or link"), std::string::npos);
}

}  // namespace
}  // namespace mallard::bridge::file
