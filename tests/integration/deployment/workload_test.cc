// What judges the deliveries must see each thing that can be wrong with them.
#include "tests/integration/deployment/workload.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bridge/attach/file/delivered_log.h"
#include "bridge/attach/file/record_reader.h"
#include "bridge/attach/file/record_writer.h"
#include "tests/integration/deployment/scratch_folder.h"

namespace mallard::integration {
namespace {

constexpr std::size_t message_bytes = 50;
constexpr const char* link = "line";

class DeliveryCheckTest : public ::testing::Test {
 protected:
  // One record with these messages of the workload.
  void deliver(const std::vector<std::uint64_t>& numbers) {
    std::vector<std::byte> payload(numbers.size() * (4 + message_bytes));
    ByteWriter writer(payload);
    std::vector<std::byte> message(message_bytes);
    for (const std::uint64_t number : numbers) {
      fill_message(number, message);
      writer.write(static_cast<std::uint32_t>(message.size()));
      writer.write_bytes(message);
    }
    ASSERT_TRUE(log_.append(static_cast<std::uint16_t>(numbers.size()), 0, payload).has_value());
    ASSERT_TRUE(log_.flush().has_value());
  }

  bridge::file::RecordWriter open_log() {
    const auto path = bridge::file::delivered_log_path(folder_.path(), link);
    const bridge::file::RecordReader empty(path, bridge::file::LogKind::delivered, link);
    return std::move(*bridge::file::RecordWriter::open(path, bridge::file::LogKind::delivered, link,
                                                       empty.position(), calls_));
  }

  ScratchFolder folder_{"check"};
  bridge::file::WriteCalls calls_ = bridge::file::WriteCalls::system();
  bridge::file::RecordWriter log_ = open_log();
  DeliveryCheck check_{folder_.path(), link, message_bytes};
};

TEST_F(DeliveryCheckTest, CountsWhatIsRight) {
  deliver({1, 2, 3});
  EXPECT_EQ(check_.read_on(), 3U);
  deliver({4});
  EXPECT_EQ(check_.read_on(), 4U);
  EXPECT_EQ(check_.problem(), "");
}

TEST_F(DeliveryCheckTest, SeesAMessageThatCameTwice) {
  deliver({1, 2});
  deliver({2, 3});
  EXPECT_EQ(check_.read_on(), 2U);
  EXPECT_EQ(check_.problem(), "message 3 has other bytes than were committed");
}

TEST_F(DeliveryCheckTest, SeesAMessageThatIsMissing) {
  deliver({1, 3});
  EXPECT_EQ(check_.read_on(), 1U);
  EXPECT_EQ(check_.problem(), "message 2 has other bytes than were committed");
}

TEST_F(DeliveryCheckTest, SeesMessagesOutOfOrder) {
  deliver({2, 1});
  EXPECT_EQ(check_.read_on(), 0U);
  EXPECT_EQ(check_.problem(), "message 1 has other bytes than were committed");
}

}  // namespace
}  // namespace mallard::integration
