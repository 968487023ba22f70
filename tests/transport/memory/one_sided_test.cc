// What every backend of one-sided memory must do: the contract of config/contract/one_sided.h, clause by
// clause. Order, visibility, rights and bounds here; grants, failures and queues in
// one_sided_failure_test.cc.
#include "config/contract/one_sided.h"

#include <thread>

#include "tests/transport/memory/one_sided_fixture.h"

namespace mallard::memory {
namespace {

TEST_P(OneSided, declares_what_it_keeps) {
  EXPECT_EQ(memory->link(a, owner).capabilities(), GetParam().capabilities);
  EXPECT_EQ(memory->link(owner, owner).capabilities(), GetParam().capabilities);
  EXPECT_EQ(memory->link(a, owner).queue_depth(), depth);
}

TEST_P(OneSided, writes_of_a_link_take_effect_in_posting_order) {
  std::array<std::uint64_t, 400> values{};
  std::uint64_t posted = 0;
  std::uint64_t seen = 0;
  std::array<WorkDone, depth> done;
  ASSERT_TRUE(passes_until([&] {
    if (posted < values.size()) {
      values[posted] = posted + 1;
      if (post(a, write(open_region, 0, std::as_bytes(std::span(&values[posted], 1))))) ++posted;
    }
    const std::uint64_t now = word(open_region, 0);
    EXPECT_GE(now, seen);
    seen = now;
    static_cast<void>(memory->link(a, owner).poll(done));
    return seen == values.size();
  }));
}

TEST_P(OneSided, a_read_behind_a_write_sees_it) {
  for (std::uint64_t value = 1; value <= 50; ++value) {
    const Words words = filled(value);
    Words seen{};
    const std::array chain{write(open_region, 128, words), read(open_region, 128, seen)};
    ASSERT_TRUE(memory->link(a, owner).post(chain));
    for (const WorkDone& done : reports(a, 2)) EXPECT_EQ(done.status, WorkStatus::ok);
    EXPECT_EQ(seen, words);
  }
}

TEST_P(OneSided, write_swap_write_stay_in_order) {
  if (!GetParam().capabilities.compare_swap) {
    EXPECT_EQ(status_of(a, swap(open_region, 0, 0, 1)), WorkStatus::fenced);
    return;
  }
  const std::array<std::uint64_t, 2> values{1, 2};
  const std::array chain{write(open_region, 0, std::as_bytes(std::span(&values[0], 1))),
                         swap(open_region, 8, 0, 7),
                         write(open_region, 0, std::as_bytes(std::span(&values[1], 1)))};
  ASSERT_TRUE(memory->link(a, owner).post(chain));
  ASSERT_TRUE(passes_until([&] {
    // The later one first: what is seen of it implies what was before it.
    const std::uint64_t swapped = word(open_region, 8);
    const std::uint64_t written = word(open_region, 0);
    if (swapped == 7) {
      EXPECT_GE(written, 1U);
    }
    return written == 2;
  }));
  EXPECT_EQ(word(open_region, 8), 7U);
  const std::vector<WorkDone> done = reports(a, 3);
  EXPECT_EQ(done[1].previous, 0U);
}

TEST_P(OneSided, swaps_exclude_each_other) {
  if (!GetParam().capabilities.compare_swap) return;
  constexpr std::uint64_t goal = 200;
  std::array<std::uint64_t, 3> expected{};
  std::array<std::uint64_t, 3> added{};
  std::array<bool, 3> waiting{};
  std::array<WorkDone, 1> done;
  ASSERT_TRUE(passes_until([&] {
    for (std::uint16_t p = 0; p < 3; ++p) {
      if (waiting[p] && memory->link(ProcessIndex(p), owner).poll(done) == 1) {
        waiting[p] = false;
        EXPECT_EQ(done[0].status, WorkStatus::ok);
        if (done[0].previous == expected[p]) ++added[p];
        expected[p] = done[0].previous == expected[p] ? expected[p] + 1 : done[0].previous;
      }
      if (!waiting[p] && added[p] < goal) {
        waiting[p] = post(ProcessIndex(p), swap(open_region, 0, expected[p], expected[p] + 1));
      }
    }
    return added[0] == goal && added[1] == goal && added[2] == goal;
  }));
  EXPECT_EQ(word(open_region, 0), 3 * goal);
}

TEST_P(OneSided, swaps_of_concurrent_threads_exclude_each_other) {
  if (!GetParam().concurrent) return;
  constexpr std::uint64_t goal = 2000;
  const auto add = [&](ProcessIndex from) {
    Link& link = memory->link(from, owner);
    Work work;
    work.kind = WorkKind::compare_swap;
    for (std::uint64_t added = 0; added < goal;) {
      work.desired = work.expected + 1;
      ASSERT_TRUE(link.post(std::span(&work, 1)));
      std::array<WorkDone, 1> done;
      while (link.poll(done) == 0) std::this_thread::yield();
      ASSERT_EQ(done[0].status, WorkStatus::ok);
      const bool swapped = done[0].previous == work.expected;
      added += swapped ? 1 : 0;
      work.expected = swapped ? work.desired : done[0].previous;
    }
  };
  std::thread other([&] { add(a); });
  add(b);
  other.join();
  EXPECT_EQ(word(open_region, 0), 2 * goal);
}

// Readers that carry a checksum need no order inside a write. How many were torn is for information.
TEST_P(OneSided, a_checksum_tells_a_torn_read) {
  std::uint64_t torn = 0;
  for (std::uint64_t value = 1; value <= 200; ++value) {
    Words words = filled(value);
    words[7] = 7 * value * 0x9e3779b97f4a7c15ULL;
    Words seen{};
    ASSERT_TRUE(post(a, write(open_region, 0, words)));
    ASSERT_TRUE(post(b, read(open_region, 0, seen)));
    EXPECT_EQ(reports(b, 1)[0].status, WorkStatus::ok);
    EXPECT_EQ(reports(a, 1)[0].status, WorkStatus::ok);
    std::uint64_t sum = 0;
    bool uniform = true;
    for (std::size_t i = 0; i < 7; ++i) {
      sum += seen[i];
      uniform = uniform && seen[i] == seen[0];
    }
    if (seen[7] == sum * 0x9e3779b97f4a7c15ULL) {
      EXPECT_TRUE(uniform);
    } else {
      ++torn;
    }
  }
  RecordProperty("torn", static_cast<int>(torn));
}

TEST_P(OneSided, the_owner_and_every_link_see_what_was_reported) {
  const Words words = filled(9);
  EXPECT_EQ(status_of(a, write(open_region, 64, words)), WorkStatus::ok);
  for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(word(open_region, 64 + i * 8), 9U);
  for (const ProcessIndex from : {a, b, owner}) {
    Words seen{};
    EXPECT_EQ(status_of(from, read(open_region, 64, seen)), WorkStatus::ok);
    EXPECT_EQ(seen, words);
  }
}

TEST_P(OneSided, what_the_owner_stored_is_read) {
  store_word(memory->domain(owner).bytes(readable_region), 8, 5);
  Words seen{};
  EXPECT_EQ(status_of(a, read(readable_region, 0, seen)), WorkStatus::ok);
  EXPECT_EQ(seen[1], 5U);
}

TEST_P(OneSided, rights_hold) {
  const Words words = filled(1);
  Words seen{};
  EXPECT_EQ(status_of(owner, write(readable_region, 0, words)), WorkStatus::ok);
  EXPECT_EQ(status_of(owner, write(private_region, 0, words)), WorkStatus::ok);
  EXPECT_EQ(status_of(a, write(of_a, 0, words)), WorkStatus::ok);
  EXPECT_EQ(status_of(b, read(of_a, 0, seen)), WorkStatus::ok);
  const Words others = filled(2);
  for (const Work& refused : {write(readable_region, 0, others), write(private_region, 0, others),
                              read(private_region, 0, seen), write(of_a, 0, others)}) {
    EXPECT_EQ(status_of(b, refused), WorkStatus::fenced);
    revive(b);
  }
  if (GetParam().capabilities.compare_swap) {
    EXPECT_EQ(status_of(b, swap(readable_region, 0, 1, 2)), WorkStatus::fenced);
  }
  let_much_pass();
  EXPECT_EQ(word(readable_region, 0), 1U);
  EXPECT_EQ(word(private_region, 0), 1U);
  EXPECT_EQ(word(of_a, 0), 1U);
}

TEST_P(OneSided, bounds_hold) {
  const Words words = filled(1);
  Words seen{};
  std::vector<Work> refused{write(open_region, 1024, words),
                            write(open_region, 968, words),
                            write(open_region, UINT64_MAX - 7, words),
                            write(open_region, 4, words),
                            write(open_region, 0, ByteView()),
                            write(RegionIndex(99), 0, words),
                            write(open_region, 0, std::as_bytes(std::span(words)).first(12)),
                            read(open_region, 1000, seen),
                            read(RegionIndex(5), 0, seen)};
  if (GetParam().capabilities.compare_swap) refused.push_back(swap(open_region, 1024, 0, 1));
  for (const Work& work : refused) {
    EXPECT_EQ(status_of(a, work), WorkStatus::fenced) << work.id.value;
    revive(a);
  }
  EXPECT_EQ(status_of(a, write(open_region, 960, words)), WorkStatus::ok);
  EXPECT_EQ(word(open_region, 0), 0U);
}

INSTANTIATE_TEST_SUITE_P(Backends, OneSided, testing::ValuesIn(backend_kinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace mallard::memory
