#include "rsm/machine/state_import.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

#include "rsm/machine/link_command.h"
#include "rsm/machine/system_key.h"
#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"

namespace mallard::rsm {
namespace {

constexpr std::uint64_t owner = 42;

void fill(MachineStage& stage) {
  Prng prng(8);
  for (int i = 0; i < 2'000; ++i) {
    stage.run(random_command(prng));
  }
  stage.put("large", std::string(value_bytes_max, 'l'));
  stage.put("largest key " + std::string(key_bytes_max - 12, 'k'), std::string(600'000, 'm'));
  stage.put("empty", "");
  stage.run(number_command(KvOperation::fence_raise, 4));
}

// Imports until a chunk faults; the fault, or nothing if all went well.
std::optional<MachineFault> import_all(MachineStage& stage, const std::vector<Bytes>& chunks) {
  for (const Bytes& chunk : chunks) {
    const auto taken = stage.machine.import_chunk(chunk);
    if (!taken) {
      return taken.error();
    }
  }
  return std::nullopt;
}

struct ForgedPart {
  Section section = Section::user;
  std::string key;
  std::string value;
  std::uint32_t value_bytes = 0;
};

// A chunk with a right checksum that says what nobody correct would.
Bytes forged_chunk(const StateIdentity& state, const ExportCursor& cursor,
                   const std::vector<ForgedPart>& parts, bool last) {
  Bytes chunk(chunk_bytes_max);
  ChunkWriter writer(chunk, state, view_of(cursor));
  for (const ForgedPart& part : parts) {
    const ByteSpan value = writer.add(part.section, bytes(part.key), part.value_bytes, part.value.size());
    if (!part.value.empty()) {
      std::memcpy(value.data(), part.value.data(), part.value.size());
    }
  }
  chunk.resize(writer.finish(last));
  return chunk;
}

TEST(StateImport, a_round_trip_gives_the_same_machine) {
  MachineStage from;
  fill(from);
  const std::uint64_t session = from.open_session(owner);
  const Bytes request = increment_command("n", 3, {{.session = session, .sequence = 1, .owner = owner}});
  const Answer first = from.run(request);
  MachineStage to;
  to.put("leftover", "of before");
  to.machine.begin_import(from.identity());
  ASSERT_EQ(import_all(to, from.export_all()), std::nullopt);
  EXPECT_EQ(to.machine.applied(), from.machine.applied());
  EXPECT_EQ(to.hash(), from.hash());
  EXPECT_EQ(to.scan(""), from.scan(""));
  EXPECT_EQ(to.machine.state_bytes_used(), from.machine.state_bytes_used());
  EXPECT_EQ(to.machine.entries(), from.machine.entries());
  EXPECT_EQ(to.machine.fence(), Fence(4));
  EXPECT_EQ(to.machine.open_sessions(), 1U);
  // What was executed before the snapshot is not executed after it.
  EXPECT_EQ(to.run(request), first);
  EXPECT_EQ(from.run(request), first);
  Prng prng(1);
  for (int i = 0; i < 200; ++i) {
    const Bytes command = random_command(prng);
    ASSERT_EQ(to.run(command), from.run(command));
  }
  EXPECT_EQ(to.hash(), from.hash());
}

TEST(StateImport, exports_a_view_while_applies_go_on) {
  MachineStage from;
  fill(from);
  const ViewId view = from.machine.open_view().value();
  const StateIdentity identity = from.identity();
  MachineStage to;
  to.machine.begin_import(identity);
  Prng prng(5);
  Bytes chunk(chunk_bytes_max);
  for (bool last = false; !last;) {
    // The cursor is asked of the importer, as after an interruption.
    const auto exported = from.machine.export_chunk(view, to.machine.import_cursor(), chunk);
    ASSERT_TRUE(exported);
    const auto taken = to.machine.import_chunk(ByteView(chunk).first(exported->bytes));
    ASSERT_TRUE(taken);
    last = *taken;
    EXPECT_EQ(last, exported->last);
    for (int i = 0; i < 50; ++i) {
      from.run(random_command(prng));
    }
  }
  EXPECT_EQ(to.identity(), identity);
  EXPECT_NE(from.hash(), identity.hash);
}

TEST(StateImport, damaged_and_unexpected_chunks_change_nothing) {
  MachineStage from;
  fill(from);
  const auto chunks = from.export_all();
  ASSERT_GE(chunks.size(), 3U);
  MachineStage other;
  other.put("other", "state");
  MachineStage to;
  EXPECT_EQ(to.machine.import_chunk(chunks[0]).error(), MachineFault::not_importing);
  to.machine.begin_import(from.identity());
  for (const Bytes& chunk : chunks) {
    Bytes damaged = chunk;
    damaged[damaged.size() / 2] ^= std::byte{4};
    EXPECT_EQ(to.machine.import_chunk(damaged).error(), MachineFault::chunk_damaged);
    EXPECT_EQ(to.machine.import_chunk(other.export_all()[0]).error(), MachineFault::chunk_unexpected);
    if (&chunk != &chunks.front()) {
      EXPECT_EQ(to.machine.import_chunk(chunks.front()).error(), MachineFault::chunk_unexpected);
    }
    if (&chunk != &chunks.back()) {
      EXPECT_EQ(to.machine.import_chunk(chunks.back()).error(), MachineFault::chunk_unexpected);
    }
    ASSERT_TRUE(to.machine.import_chunk(chunk));
  }
  EXPECT_EQ(to.hash(), from.hash());
}

TEST(StateImport, a_whole_that_is_not_what_was_announced_is_refused) {
  MachineStage from;
  from.put("a", "1");
  MachineStage liar;
  liar.put("a", "2");
  const StateIdentity identity = from.identity();
  // The liar's entries under the true state's name.
  auto chunks = liar.export_all();
  const auto decoded = decode_chunk(chunks[0]);
  std::vector<ForgedPart> parts;
  for (ByteReader reader(decoded->parts); reader.remaining() > 0;) {
    const auto part = next_part(reader);
    parts.push_back({part->section, text(part->key), text(part->value), part->value_bytes});
  }
  MachineStage to;
  to.machine.begin_import(identity);
  EXPECT_EQ(to.machine.import_chunk(forged_chunk(identity, {}, parts, true)).error(),
            MachineFault::root_differs);
  // Empty, ready for another source or for the log from its beginning.
  EXPECT_EQ(to.machine.applied(), CommitIndex{});
  EXPECT_EQ(to.hash(), MachineStage().hash());
  to.machine.begin_import(identity);
  EXPECT_EQ(import_all(to, from.export_all()), std::nullopt);
  EXPECT_EQ(to.hash(), from.hash());
}

TEST(StateImport, a_state_of_other_settings_is_refused) {
  KvSettings settings = MachineStage::small();
  settings.state_bytes *= 2;
  MachineStage from(settings);
  from.put("a", "1");
  MachineStage to;
  to.machine.begin_import(from.identity());
  EXPECT_EQ(import_all(to, from.export_all()), MachineFault::settings_differ);
  EXPECT_EQ(to.machine.applied(), CommitIndex{});
}

TEST(StateImport, hostile_content_ends_the_import) {
  const StateIdentity state{.index = CommitIndex(5), .hash = {.bytes = {9}}};
  const std::string half(1'000, 'h');
  const std::vector<std::vector<ForgedPart>> attacks{
      {},                                                                       // brings nothing
      {{Section::user, "b", "1", 1}, {Section::user, "a", "1", 1}},             // disorder
      {{Section::user, "a", "1", 1}, {Section::user, "a", "1", 1}},             // twice
      {{Section::user, "a", "1", 1}, {Section::system, "b", "1", 1}},           // back to the system's
      {{Section::user, "a", "", 10}},                                           // a part of nothing
      {{Section::user, "a", half, 2'000}, {Section::user, "b", "1", 1}},        // left incomplete
      {{Section::user, "a", half, 2'000}, {Section::user, "a", half, 1'999}},   // another length
      {{Section::user, "a", half, 1'500}, {Section::user, "a", half, 1'500}},   // longer than it is
      {{Section::system, std::string(system_key_bytes_max + 1, 'k'), "1", 1}},  // beyond limits
      {{Section::system, "k", std::string(system_value_bytes_max + 1, 'v'), system_value_bytes_max + 1}},
  };
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    MachineStage to;
    to.machine.begin_import(state);
    EXPECT_EQ(to.machine.import_chunk(forged_chunk(state, {}, attacks[i], false)).error(),
              MachineFault::chunk_hostile)
        << "attack " << i;
    EXPECT_EQ(to.machine.import_chunk(forged_chunk(state, {}, attacks[i], false)).error(),
              MachineFault::not_importing);
    EXPECT_EQ(to.put("a", "1").status, KvStatus::ok);
  }
  MachineStage to;
  to.machine.begin_import(state);
  EXPECT_EQ(
      to.machine.import_chunk(forged_chunk(state, {}, {{Section::user, "a", half, 2'000}}, true)).error(),
      MachineFault::chunk_hostile);
}

TEST(StateImport, an_endless_import_ends_at_the_limit_of_memory) {
  const StateIdentity state{.index = CommitIndex(5), .hash = {.bytes = {9}}};
  for (const Section section : {Section::user, Section::system}) {
    MachineStage to;
    to.machine.begin_import(state);
    std::uint64_t chunks = 0;
    const std::string value(8'000, 'v');
    for (std::uint64_t number = 0;; number += 20) {
      std::vector<ForgedPart> parts;
      for (std::uint64_t i = 0; i < 20; ++i) {
        parts.push_back({section, text(SystemKey(SystemSpace::session, number + i).view()), value, 8'000});
      }
      const auto taken =
          to.machine.import_chunk(forged_chunk(state, to.machine.import_cursor(), parts, false));
      if (!taken) {
        EXPECT_EQ(taken.error(), MachineFault::chunk_hostile);
        break;
      }
      ++chunks;
      ASSERT_LT(chunks, 1'000U);
    }
    EXPECT_EQ(to.put("a", "1").status, KvStatus::ok);
  }
}

// Sessions with the largest replies and links with the longest filters, as many as there may be.
TEST(StateImport, the_fullest_state_of_clients_and_links_is_taken) {
  std::vector<std::string> keys;
  std::vector<KvWrite> writes;
  for (std::size_t i = 0; i < txn_writes_max; ++i) {
    keys.push_back("key" + std::to_string(1'000 + i));
  }
  writes.reserve(keys.size());
  for (const std::string& key : keys) {
    writes.push_back({.operation = KvOperation::increment, .key = bytes(key), .amount = 2});
  }
  const std::string prefix(link_filter_bytes_max / 4 - 2, 'p');
  const std::array<std::string, 4> prefixes{"a" + prefix.substr(1), "b" + prefix.substr(1),
                                            "c" + prefix.substr(1), "d" + prefix.substr(1)};
  const std::vector<std::string_view> filter(prefixes.begin(), prefixes.end());
  for (const std::uint16_t links : {std::uint16_t{1}, static_cast<std::uint16_t>(links_max)}) {
    MachineStage from;
    for (std::uint32_t i = 0; i < MachineStage::small().sessions_max; ++i) {
      const SessionTag tag{.session = from.open_session(owner), .sequence = 1, .owner = owner};
      ASSERT_EQ(from.run(encode_txn({}, writes, tag)).status, KvStatus::ok);
    }
    for (std::uint16_t link = 0; link < links; ++link) {
      for (const LinkDirection direction : {LinkDirection::outbound, LinkDirection::inbound}) {
        const Answer opened = from.run(encode_link_open(LinkIndex(link), direction, Generation(1), filter));
        ASSERT_EQ(opened.status, KvStatus::ok);
      }
    }
    MachineStage to;
    to.machine.begin_import(from.identity());
    EXPECT_EQ(import_all(to, from.export_all()), std::nullopt) << links << " links";
    EXPECT_EQ(to.hash(), from.hash());
  }
}

TEST(StateImport, any_damage_is_answered_by_a_fault) {
  MachineStage from;
  fill(from);
  const auto chunks = from.export_all();
  const StateIdentity identity = from.identity();
  Prng prng(12);
  MachineStage to;
  for (int round = 0; round < 300; ++round) {
    to.machine.begin_import(identity);
    // Changed contents under a right checksum.
    const Bytes& chunk = chunks[prng.below(2) == 0 ? 0 : prng.below(chunks.size())];
    const auto decoded = decode_chunk(chunk);
    std::vector<ForgedPart> parts;
    for (ByteReader reader(decoded->parts); reader.remaining() > 0 && parts.size() < 30;) {
      const auto part = next_part(reader);
      parts.push_back({part->section, text(part->key), text(part->value), part->value_bytes});
    }
    ForgedPart& victim = parts[prng.below(parts.size())];
    switch (prng.below(4)) {
      case 0:
        victim.value_bytes ^= 1U << prng.below(24);
        break;
      case 1:
        victim.key += 'x';
        break;
      case 2:
        victim.value = victim.value.substr(0, victim.value.size() / 2);
        break;
      default:
        std::swap(victim, parts[prng.below(parts.size())]);
        break;
    }
    static_cast<void>(to.machine.import_chunk(forged_chunk(identity, {}, parts, prng.below(2) == 0)));
  }
  to.machine.begin_import(identity);
  EXPECT_EQ(import_all(to, chunks), std::nullopt);
  EXPECT_EQ(to.hash(), from.hash());
}

}  // namespace
}  // namespace mallard::rsm
