// The second half of the conformance suite: grants, dead links, resets, queues, restarts.
#include <algorithm>

#include "config/base/prng.h"
#include "tests/support/alloc_guard.h"
#include "tests/transport/memory/one_sided_fixture.h"

namespace mallard::memory {
namespace {

TEST_P(OneSided, only_the_newest_grant_writes) {
  const Words ones = filled(1);
  const Words twos = filled(2);
  EXPECT_EQ(memory->domain(owner).granted(granted_region).value, 0U);
  EXPECT_EQ(status_of(a, write(granted_region, 0, ones)), WorkStatus::fenced);
  revive(a);
  const GrantNumber first = grant_to(a);
  EXPECT_EQ(status_of(a, write(granted_region, 0, ones, first)), WorkStatus::ok);
  EXPECT_EQ(status_of(b, write(granted_region, 0, twos, first)), WorkStatus::fenced);
  revive(b);
  const GrantNumber second = grant_to(b);
  EXPECT_GT(second, first);
  EXPECT_EQ(status_of(a, write(granted_region, 0, twos, first)), WorkStatus::fenced);
  revive(a);
  EXPECT_EQ(status_of(a, write(granted_region, 0, twos, second)), WorkStatus::fenced);
  EXPECT_EQ(word(granted_region, 0), 1U);
  EXPECT_EQ(status_of(b, write(granted_region, 64, twos, second)), WorkStatus::ok);
  const GrantNumber third = grant_to(owner);
  EXPECT_EQ(status_of(owner, write(granted_region, 128, twos, third)), WorkStatus::ok);
  // The new holder, the owner and every reader see all that came before.
  Words seen{};
  EXPECT_EQ(status_of(b, read(granted_region, 0, seen)), WorkStatus::ok);
  EXPECT_EQ(seen, ones);
  EXPECT_EQ(word(granted_region, 64), 2U);
  EXPECT_EQ(word(granted_region, 128), 2U);
}

// R6 and R7 with works on their way: a reported write is in what the next holder finds, and after the regrant
// nothing changes any more.
TEST_P(OneSided, a_regrant_is_final_and_keeps_what_was_reported) {
  Prng prng(11);
  std::array<std::uint64_t, 4> outcomes{};
  for (int round = 0; round < 200; ++round) {
    const auto value = static_cast<std::uint64_t>(round + 1);
    const Words words = filled(value);
    const Words zeros = filled(0);
    GrantNumber grant = grant_to(a);
    ASSERT_EQ(status_of(a, write(granted_region, 0, zeros, grant)), WorkStatus::ok);
    ASSERT_TRUE(post(a, write(granted_region, 0, words, grant)));
    for (std::uint64_t i = prng.below(6); i > 0; --i) memory->let_pass();
    static_cast<void>(grant_to(b));
    Words at_regrant{};
    for (std::uint64_t i = 0; i < 8; ++i) at_regrant[i] = word(granted_region, i * 8);
    const WorkStatus status = reports(a, 1)[0].status;
    ++outcomes[static_cast<std::size_t>(status)];
    if (status == WorkStatus::ok) {
      EXPECT_EQ(at_regrant, words);
    }
    if (status == WorkStatus::fenced) {
      EXPECT_EQ(at_regrant, zeros);
    }
    for (int i = 0; i < 20; ++i) memory->let_pass();
    for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(word(granted_region, i * 8), at_regrant[i]);
    if (status != WorkStatus::ok) revive(a);
  }
  RecordProperty("ok", static_cast<int>(outcomes[0]));
}

TEST_P(OneSided, a_dead_link_flushes_until_it_is_reset) {
  const Words words = filled(1);
  const std::array chain{write(private_region, 0, words), write(open_region, 0, words)};
  ASSERT_TRUE(memory->link(a, owner).post(chain));
  const std::vector<WorkDone> done = reports(a, 2);
  EXPECT_EQ(done[0].status, WorkStatus::fenced);
  EXPECT_EQ(done[1].status, WorkStatus::flushed);
  EXPECT_TRUE(memory->link(a, owner).dead());
  Work quiet = write(open_region, 0, words);
  quiet.signaled = false;
  EXPECT_EQ(status_of(a, quiet), WorkStatus::flushed);
  revive(a);
  EXPECT_EQ(status_of(a, write(open_region, 0, words)), WorkStatus::ok);
}

TEST_P(OneSided, works_from_before_a_reset_never_come_after_it) {
  for (std::uint64_t round = 1; round <= 30; ++round) {
    const Words words = filled(round);
    for (std::uint64_t i = 0; i < 8; ++i) ASSERT_TRUE(post(a, write(open_region, 64 * i, words)));
    memory->link(a, owner).reset();
    EXPECT_EQ(reports(a, 8).size(), 8U);
    await_live(a, owner);
    const Words zeros{};
    for (std::uint64_t i = 0; i < 8; ++i) {
      EXPECT_EQ(status_of(a, write(open_region, 64 * i, zeros)), WorkStatus::ok);
    }
    for (int i = 0; i < 20; ++i) memory->let_pass();
    for (std::uint64_t offset = 0; offset < 512; offset += 8) EXPECT_EQ(word(open_region, offset), 0U);
  }
}

TEST_P(OneSided, short_sources_may_be_used_again_at_once) {
  const std::size_t size = std::min<std::size_t>(GetParam().capabilities.inline_bytes, 64);
  Words words{};
  for (std::uint64_t i = 1; i <= 8; ++i) {
    words = filled(i);
    ASSERT_TRUE(post(a, write(open_region, 64 * i, std::as_bytes(std::span(words)).first(size))));
  }
  words = filled(99);
  for (const WorkDone& done : reports(a, 8)) EXPECT_EQ(done.status, WorkStatus::ok);
  for (std::uint64_t i = 1; i <= 8; ++i) EXPECT_EQ(word(open_region, 64 * i), i);
}

TEST_P(OneSided, a_signaled_work_covers_the_unsignaled_before_it) {
  const Words words = filled(1);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 7; ++i) {
      Work quiet = write(open_region, 0, words);
      quiet.signaled = false;
      ASSERT_TRUE(post(a, quiet));
    }
    let_much_pass();
    std::array<WorkDone, 4> none;
    EXPECT_EQ(memory->link(a, owner).poll(none), 0U);
    EXPECT_EQ(status_of(a, write(open_region, 0, words)), WorkStatus::ok);
  }
  // Nothing is left of them: all the room is there.
  const std::vector<Work> full(depth, write(open_region, 0, words));
  EXPECT_TRUE(memory->link(a, owner).post(full));
  EXPECT_EQ(reports(a, depth).size(), depth);
}

TEST_P(OneSided, a_full_queue_takes_all_of_a_chain_or_none) {
  const Words words = filled(1);
  const Words twos = filled(2);
  const std::vector<Work> too_long(depth + 1, write(open_region, 0, words));
  EXPECT_FALSE(memory->link(a, owner).post(too_long));
  const std::vector<Work> most(depth - 1, write(open_region, 0, words));
  EXPECT_TRUE(memory->link(a, owner).post(most));
  const std::array two{write(open_region, 64, twos), write(open_region, 64, twos)};
  EXPECT_FALSE(memory->link(a, owner).post(two));
  EXPECT_TRUE(memory->link(a, owner).post(std::span(two).first(1)));
  EXPECT_FALSE(memory->link(a, owner).post(std::span(two).first(1)));
  EXPECT_EQ(reports(a, depth).size(), depth);
  EXPECT_TRUE(memory->link(a, owner).post(two));
  EXPECT_EQ(reports(a, 2).size(), 2U);
}

TEST_P(OneSided, memory_that_hangs_neither_answers_nor_fails) {
  EXPECT_EQ(memory->hang(owner, true), GetParam().hangs);
  if (!GetParam().hangs) return;
  const Words words = filled(1);
  ASSERT_TRUE(post(a, write(open_region, 0, words)));
  let_much_pass();
  std::array<WorkDone, 1> none;
  EXPECT_EQ(memory->link(a, owner).poll(none), 0U);
  EXPECT_FALSE(memory->link(a, owner).dead());
  memory->hang(owner, false);
  EXPECT_EQ(reports(a, 1)[0].status, WorkStatus::ok);
}

TEST_P(OneSided, a_restarted_process_has_other_memory) {
  const Words words = filled(1);
  const GrantNumber before = grant_to(a);
  EXPECT_EQ(status_of(a, write(granted_region, 0, words, before)), WorkStatus::ok);
  EXPECT_EQ(status_of(a, write(open_region, 0, words)), WorkStatus::ok);
  memory->restart(owner);
  ASSERT_TRUE(passes_until([&] { return memory->link(a, owner).dead(); }));
  EXPECT_EQ(status_of(a, write(open_region, 0, words)), WorkStatus::flushed);
  revive(a);
  EXPECT_EQ(word(open_region, 0), 0U);
  EXPECT_EQ(memory->domain(owner).granted(granted_region).value, 0U);
  EXPECT_EQ(status_of(a, write(granted_region, 0, words, before)), WorkStatus::fenced);
  revive(a);
  const GrantNumber after = grant_to(a);
  EXPECT_GT(after, before);
  EXPECT_EQ(status_of(a, write(granted_region, 0, words, after)), WorkStatus::ok);
  EXPECT_EQ(word(granted_region, 0), 1U);
}

TEST_P(OneSided, a_restarted_poster_comes_back) {
  const Words words = filled(1);
  EXPECT_EQ(status_of(a, write(open_region, 0, words)), WorkStatus::ok);
  memory->restart(a);
  await_live(a, owner);
  const Words twos = filled(2);
  EXPECT_EQ(status_of(a, write(open_region, 0, twos)), WorkStatus::ok);
  EXPECT_EQ(word(open_region, 0), 2U);
}

TEST_P(OneSided, posting_and_polling_allocate_nothing) {
  const GrantNumber grant = grant_to(a);
  const Words words = filled(1);
  Words seen{};
  std::array<WorkDone, 4> done;
  const std::array chain{write(granted_region, 0, words, grant), read(granted_region, 0, seen),
                         write(open_region, 0, words)};
  Link& link = memory->link(a, owner);
  std::uint64_t allocations = 0;
  for (int round = 0; round < 100; ++round) {
    const support::AllocGuard guard;
    ASSERT_TRUE(link.post(chain));
    std::size_t got = 0;
    while (got < chain.size()) {
      memory->let_pass();
      got += link.poll(done);
    }
    if (round >= 50) allocations += guard.allocations();
  }
  EXPECT_EQ(allocations, 0U);
}

}  // namespace
}  // namespace mallard::memory
