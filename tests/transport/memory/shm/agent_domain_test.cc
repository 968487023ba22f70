#include "transport/memory/shm/agent_domain.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "config/base/prng.h"
#include "tests/transport/memory/shm/shm_world.h"

namespace mallard::memory {
namespace {

constexpr ProcessIndex owner{0};
constexpr ProcessIndex peer{1};

// A peer that does not go through a link but writes what it likes into its ring.
class AgentDomainTest : public testing::Test {
 protected:
  AgentDomainTest() {
    world.settings.self = owner;
    world.settings.ring_bytes = 4096;
    world.settings.spin_rounds = 10;
    domain = std::move(*AgentDomain::create(world.settings));
    const std::vector<int> fds = domain->offers().at(peer.value);
    const auto copy = [](int fd) { return FileDescriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0)); };
    memory = std::move(*SharedMemory::attach(copy(fds[0]), WorkRing::bytes_for(4096), true));
    page = std::move(*SharedMemory::attach(copy(fds[1]), 4096, false));
    bell = fds[2];
    ring = WorkRing(memory.bytes());
    begin(1);
  }
  void begin(std::uint64_t to) {
    incarnation = to;
    number = 0;
    ring.begin_incarnation(incarnation);
    wake_agent(page.bytes(), bell);
    ASSERT_TRUE(wait_until([&] { return ring.served_incarnation() == incarnation; }));
  }
  RingOutcome order(const RingWork& work) {
    const std::uint64_t sequence = WorkRing::sequence(incarnation, ++number);
    ring.put(sequence, work);
    wake_agent(page.bytes(), bell);
    RingOutcome outcome;
    EXPECT_TRUE(wait_until([&] { return ring.take_outcome(sequence, outcome); }));
    return outcome;
  }
  static RingWork write(std::uint32_t region, std::uint64_t offset, std::uint64_t bytes) {
    return RingWork{static_cast<std::uint32_t>(WorkKind::write), region, 0, offset, bytes, 0, 0, 0};
  }

  ShmWorld world{
      ShmMode::agent,
      2,
      {RegionLayout{64, 3, 3, false}, RegionLayout{64, 3, 0, false}, RegionLayout{64, 3, 0, true}}};
  std::unique_ptr<AgentDomain> domain;
  SharedMemory memory;
  SharedMemory page;
  int bell = -1;
  WorkRing ring;
  std::uint64_t incarnation = 0;
  std::uint64_t number = 0;
};

TEST_F(AgentDomainTest, carries_out_and_says_so_also_after_it_slept) {
  for (std::uint64_t i = 1; i <= 20; ++i) {
    store_word(ring.payload(), 0, i);
    EXPECT_EQ(order(write(0, 0, 8)).status, WorkStatus::ok);
    EXPECT_EQ(load_word(domain->bytes(RegionIndex(0)), 0), i);
    ASSERT_TRUE(wait_until([&] { return load_word(page.bytes(), 0) == 1; }));
  }
}

TEST_F(AgentDomainTest, refuses_every_lie_about_sizes_and_places) {
  std::vector<RingWork> lies{write(0, 64, 8),
                             write(0, 0, 72),
                             write(0, UINT64_MAX - 7, 16),
                             write(0, 4, 8),
                             write(0, 0, 0),
                             write(0, 0, UINT64_MAX),
                             write(9, 0, 8),
                             write(UINT32_MAX, 0, 8),
                             write(1, 0, 8),
                             write(2, 0, 8),
                             RingWork{3, 0, 0, 0, 8, 0, 0, 0},
                             RingWork{UINT32_MAX, 0, 0, 0, 8, 0, 0, 0}};
  for (const std::uint64_t payload_at :
       {std::uint64_t{4096}, std::uint64_t{4092}, UINT64_MAX, UINT64_MAX - 7}) {
    lies.push_back(write(0, 0, 8));
    lies.back().payload_at = payload_at;
    lies.push_back(RingWork{static_cast<std::uint32_t>(WorkKind::read), 0, 0, 0, 64, payload_at, 0, 0});
  }
  for (const RingWork& lie : lies) {
    EXPECT_EQ(order(lie).status, WorkStatus::fenced);
    EXPECT_EQ(order(write(0, 0, 8)).status, WorkStatus::flushed);
    begin(incarnation + 1);
  }
}

TEST_F(AgentDomainTest, survives_a_peer_that_writes_noise) {
  Prng prng(5);
  for (int round = 0; round < 2000; ++round) {
    RingWork noise{static_cast<std::uint32_t>(prng.below(4)),
                   static_cast<std::uint32_t>(prng.below(4)),
                   prng.next() >> prng.below(64),
                   prng.next() >> prng.below(64),
                   prng.next() >> prng.below(64),
                   prng.next() >> prng.below(64),
                   prng.next(),
                   prng.next()};
    if (order(noise).status != WorkStatus::ok) begin(incarnation + 1);
  }
  // The peer's own word about what the agent serves does not matter to the agent.
  ring.serve_incarnation(77);
  EXPECT_EQ(order(write(0, 0, 8)).status, WorkStatus::ok);
  EXPECT_EQ(load_word(domain->bytes(RegionIndex(1)), 0), 0U);
}

TEST_F(AgentDomainTest, grants_under_way_have_no_number) {
  domain->regrant(RegionIndex(2), peer, {0, 0});
  ASSERT_TRUE(wait_until([&] { return domain->granted(RegionIndex(2)).value != 0; }));
  RingWork work = write(2, 0, 8);
  work.grant = domain->granted(RegionIndex(2)).value;
  EXPECT_EQ(order(work).status, WorkStatus::ok);
  domain->regrant(RegionIndex(2), owner, {0, 0});
  ASSERT_TRUE(wait_until([&] { return domain->granted(RegionIndex(2)).value != 0; }));
  EXPECT_EQ(order(work).status, WorkStatus::fenced);
}

}  // namespace
}  // namespace mallard::memory
