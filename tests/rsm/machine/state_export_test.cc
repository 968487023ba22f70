#include "rsm/machine/state_export.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"

namespace mallard::rsm {
namespace {

TEST(StateExport, cuts_at_the_same_places_on_every_machine_whoever_asks) {
  MachineStage one;
  MachineStage other;
  Prng prng(2);
  for (int i = 0; i < 500; ++i) {
    const Bytes command = random_command(prng);
    one.run(command);
    other.run(command);
  }
  const std::string large(value_bytes_max, 'v');
  one.put("large", large);
  other.put("large", large);
  const auto chunks = one.export_all();
  EXPECT_GE(chunks.size(), 5U);
  EXPECT_EQ(other.export_all(), chunks);
  for (const Bytes& chunk : chunks) {
    EXPECT_LE(chunk.size(), chunk_bytes_max);
  }
}

TEST(StateExport, an_empty_state_is_one_chunk) {
  MachineStage stage;
  EXPECT_EQ(stage.export_all().size(), 1U);
}

TEST(StateExport, refuses_cursors_that_name_no_place_of_the_view) {
  MachineStage stage;
  stage.put("key", std::string(100, 'v'));
  Bytes chunk(chunk_bytes_max);
  const auto fault = [&](const ExportCursor& cursor) {
    const auto exported = stage.machine.export_chunk(ViewId{}, cursor, chunk);
    return exported ? std::nullopt : std::optional(exported.error());
  };
  const auto place = [&](std::uint32_t offset, std::string_view key) {
    return cursor_of({.section = Section::user, .offset = offset, .key = bytes(key)});
  };
  EXPECT_EQ(fault(place(99, "key")), std::nullopt);
  EXPECT_EQ(fault(place(100, "key")), MachineFault::chunk_unexpected);
  EXPECT_EQ(fault(place(1, "kez")), MachineFault::chunk_unexpected);
  EXPECT_EQ(fault(place(0, "kez")), std::nullopt);
  ExportCursor broken = place(0, "key");
  broken.size = UINT16_MAX;
  EXPECT_EQ(fault(broken), MachineFault::chunk_unexpected);
  broken.size = 3;
  EXPECT_EQ(fault(broken), MachineFault::chunk_unexpected);
}

}  // namespace
}  // namespace mallard::rsm
