#include "rsm/machine/user_entries.h"

#include <gtest/gtest.h>

#include "crypto/sodium.h"
#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"

namespace mallard::rsm {
namespace {

class UserEntriesTest : public testing::Test {
 protected:
  UserEntriesTest()
      : versions((crypto::start_sodium(), 100'000)),
        links(versions.forest(), versions.live().system),
        history(history_bytes_min),
        entries(versions, links, history, 10) {}

  std::optional<std::uint64_t> perform(const KvWrite& write) {
    return entries.perform(write, entries.forecast(write), egress);
  }

  KvVersions versions;
  LinkTable links;
  KvHistory history;
  UserEntries entries;
  EgressLog egress;
};

TEST_F(UserEntriesTest, a_forecast_is_what_then_happens) {
  const KvWrite put{.operation = KvOperation::put, .key = bytes("key"), .value = bytes("value")};
  const KvWrite large{.operation = KvOperation::put,
                      .key = bytes("key"),
                      .value = bytes(std::string_view("0123456789abcdef"))};
  const KvWrite erase{.operation = KvOperation::erase, .key = bytes("key")};
  EXPECT_EQ(entries.forecast(erase).status, KvStatus::not_found);
  EXPECT_EQ(entries.forecast(put).units, 2);
  perform(put);
  EXPECT_EQ(entries.units(), 2U);
  EXPECT_EQ(entries.entries(), 1U);
  EXPECT_EQ(entries.forecast(put).units, 0);
  EXPECT_EQ(entries.forecast(large).units, 1);
  perform(large);
  EXPECT_EQ(entries.units(), 3U);
  EXPECT_EQ(entries.entries(), 1U);
  EXPECT_EQ(entries.forecast(erase).units, -3);
  perform(erase);
  perform(erase);
  EXPECT_EQ(entries.units(), 0U);
  EXPECT_EQ(entries.entries(), 0U);
}

TEST_F(UserEntriesTest, room_ends_at_the_limit) {
  EXPECT_TRUE(entries.has_room(10));
  EXPECT_FALSE(entries.has_room(11));
  entries.adopt(5, 12);
  EXPECT_TRUE(entries.has_room(0));
  EXPECT_TRUE(entries.has_room(-1));
  EXPECT_FALSE(entries.has_room(1));
}

TEST_F(UserEntriesTest, increments_answer_the_sum) {
  const KvWrite increment{.operation = KvOperation::increment, .key = bytes("n"), .amount = 4};
  EXPECT_EQ(perform(increment), 4U);
  EXPECT_EQ(perform(increment), 8U);
  EXPECT_EQ(perform({.operation = KvOperation::put, .key = bytes("n"), .value = bytes("text")}),
            std::nullopt);
  EXPECT_EQ(entries.forecast(increment).status, KvStatus::not_a_number);
}

TEST_F(UserEntriesTest, guards_look_at_presence_and_value) {
  perform({.operation = KvOperation::put, .key = bytes("a"), .value = bytes("1")});
  const auto holds = [&](KvCondition condition, std::string_view key, std::string_view value) {
    return entries.holds({.condition = condition, .key = bytes(key), .value = bytes(value)});
  };
  EXPECT_TRUE(holds(KvCondition::present, "a", ""));
  EXPECT_FALSE(holds(KvCondition::present, "b", ""));
  EXPECT_FALSE(holds(KvCondition::absent, "a", ""));
  EXPECT_TRUE(holds(KvCondition::absent, "b", ""));
  EXPECT_TRUE(holds(KvCondition::equals, "a", "1"));
  EXPECT_FALSE(holds(KvCondition::equals, "a", "2"));
  EXPECT_FALSE(holds(KvCondition::equals, "a", "11"));
  EXPECT_FALSE(holds(KvCondition::equals, "b", ""));
}

}  // namespace
}  // namespace mallard::rsm
