#include "bridge/attach/file/batch_cutter.h"

#include <gtest/gtest.h>

#include "config/base/limits.h"
#include "tests/bridge/attach/file/log_bytes.h"

namespace mallard::bridge::file {
namespace {

using Batches = std::vector<std::vector<std::byte>>;

Batches cut_all(const BatchCutter& cutter, ByteView payload) {
  Batches batches;
  std::size_t from = 0;
  while (const auto cut = cutter.next(payload, from)) {
    batches.emplace_back(cut->bytes);
    cutter.copy(payload, *cut, batches.back());
    EXPECT_TRUE(BatchCutter::is_well_formed(batches.back(), cut->messages));
    EXPECT_GT(cut->end, from);
    from = cut->end;
  }
  return batches;
}

TEST(BatchCutter, an_entry_is_one_batch_where_nothing_splits_it) {
  const auto payload = framed({"one", "two", "three"});
  EXPECT_EQ(cut_all(BatchCutter({}), payload), Batches{payload});
}

TEST(BatchCutter, only_keys_with_an_included_prefix_pass) {
  const std::vector<std::string> messages = {
      keyed("/app/a", "1"), keyed("/log/b", "2"),    "x",
      keyed("/app/c", "3"), keyed("/appendix", "4"), keyed("/etc/d", "5")};
  EXPECT_EQ(cut_all(BatchCutter({"/app/", "/etc/"}), framed(messages)),
            Batches{framed({messages[0], messages[3], messages[5]})});
  EXPECT_TRUE(cut_all(BatchCutter({"/none/"}), framed(messages)).empty());
}

TEST(BatchCutter, splits_by_bytes) {
  const std::string big(message_bytes_max, 'b');
  const auto payload = framed({big, big, big, big, "small"});
  const Batches batches = cut_all(BatchCutter({}), payload);
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0], framed({big, big, big}));
  EXPECT_EQ(batches[1], framed({big, "small"}));
}

TEST(BatchCutter, splits_by_messages) {
  const std::vector<std::string> messages(2 * batch_messages_max + 1, "m");
  const Batches batches = cut_all(BatchCutter({}), framed(messages));
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(batches[2], framed({"m"}));
}

TEST(BatchCutter, a_payload_is_well_formed_only_if_its_messages_fill_it) {
  const auto payload = framed({"one", "two"});
  EXPECT_TRUE(BatchCutter::is_well_formed(payload, 2));
  EXPECT_FALSE(BatchCutter::is_well_formed(payload, 1));
  EXPECT_FALSE(BatchCutter::is_well_formed(payload, 3));
  EXPECT_FALSE(BatchCutter::is_well_formed(ByteView(payload).first(payload.size() - 1), 2));
  EXPECT_FALSE(BatchCutter::is_well_formed(framed({""}), 1)) << "an empty message";
  EXPECT_FALSE(BatchCutter::is_well_formed(framed({std::string(message_bytes_max + 1, 'b')}), 1));
}

}  // namespace
}  // namespace mallard::bridge::file
