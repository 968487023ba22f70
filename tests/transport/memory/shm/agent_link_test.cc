#include "transport/memory/shm/agent_link.h"

#include <gtest/gtest.h>

#include "config/base/prng.h"
#include "tests/transport/memory/shm/shm_world.h"

namespace mallard::memory {
namespace {

constexpr ProcessIndex owner{0};
constexpr ProcessIndex peer{1};
constexpr std::size_t ring_bytes = 4096;

class AgentLinkTest : public testing::Test {
 protected:
  AgentLinkTest() {
    world.settings.ring_bytes = ring_bytes;
    node = world.open(owner);
    other = world.open(peer);
    link = &other->link(owner);
    EXPECT_TRUE(wait_live(*link));
  }
  Work work_of(WorkKind kind, std::vector<std::uint64_t>& words) {
    Work work;
    work.kind = kind;
    if (kind == WorkKind::read) work.destination = std::as_writable_bytes(std::span(words));
    if (kind == WorkKind::write) work.source = std::as_bytes(std::span(words));
    return work;
  }

  ShmWorld world{ShmMode::agent, 2, {RegionLayout{8192, 3, 3, false}}};
  std::unique_ptr<ShmNode> node;
  std::unique_ptr<ShmNode> other;
  Link* link = nullptr;
};

TEST_F(AgentLinkTest, bytes_under_way_wrap_around_in_any_sizes) {
  Prng prng(3);
  struct Pair {
    std::vector<std::uint64_t> words;
    std::vector<std::uint64_t> seen;
    bool under_way = false;
  };
  std::array<Pair, 6> pairs;
  std::uint64_t finished = 0;
  const auto take_reports = [&] {
    std::array<WorkDone, 12> done;
    const std::size_t count = link->poll(done);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(done[i].status, WorkStatus::ok);
      Pair& pair = pairs.at(done[i].id.value);
      ASSERT_EQ(pair.seen, pair.words);
      pair.under_way = false;
      ++finished;
    }
  };
  for (int round = 0; round < 3000; ++round) {
    const std::uint64_t index = prng.below(pairs.size());
    Pair& pair = pairs[index];
    ASSERT_TRUE(wait_until([&] {
      take_reports();
      return !pair.under_way;
    }));
    pair.words.resize(prng.between(1, ring_bytes / 64));
    for (std::uint64_t& word : pair.words) word = prng.next();
    pair.seen.assign(pair.words.size(), 0);
    std::array chain{work_of(WorkKind::write, pair.words), work_of(WorkKind::read, pair.seen)};
    chain[0].signaled = false;
    chain[1].id = WorkId(index);
    chain[0].offset = chain[1].offset = index * 1024;
    ASSERT_TRUE(wait_until([&] {
      take_reports();
      return link->post(chain);
    }));
    pair.under_way = true;
  }
  ASSERT_TRUE(wait_until([&] {
    take_reports();
    return finished == 3000;
  }));
}

TEST_F(AgentLinkTest, what_fits_the_ring_at_all_fits_an_idle_one) {
  for (std::size_t size = 1; size <= ring_bytes / 8; size += 37) {
    std::vector<std::uint64_t> few(size, 1);
    std::vector<std::uint64_t> all(ring_bytes / 8, 2);
    ASSERT_EQ(carry_out(*link, work_of(WorkKind::write, few)).status, WorkStatus::ok);
    ASSERT_EQ(carry_out(*link, work_of(WorkKind::write, all)).status, WorkStatus::ok);
  }
}

TEST_F(AgentLinkTest, no_room_for_bytes_is_back_pressure_and_ends_with_a_report) {
  std::vector<std::uint64_t> words(ring_bytes / 16, 1);
  const std::array two{work_of(WorkKind::write, words), work_of(WorkKind::write, words)};
  ASSERT_TRUE(link->post(two));
  EXPECT_FALSE(link->post(std::span(two).first(1)));
  std::array<WorkDone, 2> done;
  std::size_t got = 0;
  ASSERT_TRUE(wait_until([&] { return (got += link->poll(std::span(done).subspan(got))) == 2; }));
  EXPECT_TRUE(link->post(std::span(two).first(1)));
}

TEST_F(AgentLinkTest, what_could_never_pass_is_refused) {
  std::vector<std::uint64_t> words(ring_bytes / 8 + 1, 1);
  EXPECT_EQ(carry_out(*link, work_of(WorkKind::write, words)).status, WorkStatus::fenced);
  EXPECT_TRUE(link->dead());
  EXPECT_EQ(load_word(node->domain().bytes(RegionIndex(0)), 0), 0U);
}

TEST_F(AgentLinkTest, reports_of_flushed_works_free_nothing_of_the_new_incarnation) {
  std::vector<std::uint64_t> words(ring_bytes / 16, 1);
  const std::array two{work_of(WorkKind::write, words), work_of(WorkKind::write, words)};
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(link->post(two));
    link->reset();
    std::array<WorkDone, 4> done;
    ASSERT_TRUE(wait_until([&] { return !link->dead() || link->poll(std::span(done).first(0)) > 0; }));
    ASSERT_TRUE(link->post(two));
    std::size_t got = 0;
    ASSERT_TRUE(wait_until([&] { return (got += link->poll(std::span(done).subspan(got))) == 4; }));
    EXPECT_EQ(done[0].status, WorkStatus::flushed);
    EXPECT_EQ(done[3].status, WorkStatus::ok);
  }
}

}  // namespace
}  // namespace mallard::memory
