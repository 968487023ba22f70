#include "rsm/machine/kv_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"

namespace mallard::rsm {
namespace {

Answer page_of(MachineStage& stage, const KvScan& scan) {
  KvCommand command{.operation = KvOperation::scan};
  command.scan = scan;
  return stage.query(ViewId{}, encode_command(command)).value();
}

std::vector<std::string> keys_of(const Answer& answer) {
  std::vector<std::string> keys;
  KvEntries entries(bytes(answer.body));
  while (const auto entry = entries.next()) {
    keys.push_back(text(entry->key));
  }
  return keys;
}

TEST(KvReader, scans_behind_a_key_that_need_not_be_there) {
  MachineStage stage;
  for (const char* key : {"a", "b", "b1", "b2", "b3", "c"}) {
    stage.put(key, "v");
  }
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys_of(page_of(stage, {.prefix = bytes("b")})), (Keys{"b", "b1", "b2", "b3"}));
  EXPECT_EQ(keys_of(page_of(stage, {.prefix = bytes("b"), .after = bytes("b")})), (Keys{"b1", "b2", "b3"}));
  EXPECT_EQ(keys_of(page_of(stage, {.prefix = bytes("b"), .after = bytes("b11")})), (Keys{"b2", "b3"}));
  EXPECT_EQ(keys_of(page_of(stage, {.prefix = bytes("b"), .after = bytes("a")})),
            (Keys{"b", "b1", "b2", "b3"}));
  EXPECT_EQ(keys_of(page_of(stage, {.prefix = bytes("b"), .after = bytes("c")})), Keys{});
  EXPECT_EQ(keys_of(page_of(stage, {.prefix = bytes("d")})), Keys{});
  EXPECT_EQ(keys_of(page_of(stage, {.entries_max = 2})), (Keys{"a", "b"}));
}

TEST(KvReader, says_whether_a_page_was_the_last) {
  MachineStage stage;
  stage.put("a", "v");
  stage.put("b", "v");
  EXPECT_TRUE(KvEntries(bytes(page_of(stage, {.entries_max = 1}).body)).more());
  const Answer both = page_of(stage, {.entries_max = 2});
  EXPECT_FALSE(KvEntries(bytes(both.body)).more());
  const Answer first = page_of(stage, {.bytes_max = 8});
  EXPECT_TRUE(KvEntries(bytes(first.body)).more());
  EXPECT_EQ(keys_of(first).size(), 1U);
  EXPECT_EQ(keys_of(page_of(stage, {.bytes_max = 16})).size(), 2U);
}

TEST(KvReader, gets_values_of_any_size) {
  MachineStage stage;
  for (const std::size_t size : {0U, 1U, 13U, 14U, 74U, 75U, 100'000U}) {
    stage.put("key", std::string(size, 'v'));
    EXPECT_EQ(stage.get("key").body, std::string(size, 'v'));
  }
}

}  // namespace
}  // namespace mallard::rsm
