#include "transport/memory/shm/direct_domain.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/transport/memory/shm/shm_world.h"
#include "transport/memory/rights.h"

namespace mallard::memory {
namespace {

constexpr ProcessIndex owner{0};
constexpr ProcessIndex peer{1};
constexpr RegionIndex granted{0};

class DirectDomainTest : public testing::Test {
 protected:
  DirectDomainTest() {
    world.settings.spare_instances = 2;
    world.settings.self = owner;
    domain = std::move(*DirectDomain::create(world.settings));
    auto own = Rendezvous::open(world.settings, domain->offers());
    rendezvous = std::move(*own);
    domain->watch(*rendezvous);
  }
  GrantNumber grant(ProcessIndex writer, LiveRange live = {0, 128}) {
    domain->regrant(granted, writer, live);
    return domain->granted(granted);
  }
  // As if `peer` stood still in the middle of a write under `number`.
  void show(GrantNumber number) { store_word(domain->notes(peer), line_of(granted), number.value); }

  ShmWorld world{ShmMode::direct,
                 2,
                 {RegionLayout{128, 3, 0, true}, RegionLayout{64, 3, 0, false}, RegionLayout{64, 0, 0, false},
                  RegionLayout{64, 0, only(peer), false}}};
  std::unique_ptr<DirectDomain> domain;
  std::unique_ptr<Rendezvous> rendezvous;
};

TEST_F(DirectDomainTest, a_regrant_moves_the_region_and_carries_over_what_is_live) {
  const auto first = domain->bytes(granted);
  store_word(domain->bytes(granted), 0, 1);
  store_word(domain->bytes(granted), 64, 2);
  store_word(domain->bytes(granted), 120, 3);
  const GrantNumber number = grant(peer, {120, 16});
  EXPECT_NE(number.value, 0U);
  EXPECT_NE(domain->bytes(granted).data(), first.data());
  EXPECT_EQ(load_word(domain->bytes(granted), 0), 1U);
  EXPECT_EQ(load_word(domain->bytes(granted), 64), 0U);
  EXPECT_EQ(load_word(domain->bytes(granted), 120), 3U);
  EXPECT_EQ(GrantWord{number.value}.holder(), peer.value);
  EXPECT_EQ(load_word(domain->control(), line_of(granted)), number.value);
}

TEST_F(DirectDomainTest, instances_of_who_stands_still_stay_occupied_until_it_moves_on_or_ends) {
  world.settings.self = peer;
  auto other = world.open(peer);
  ASSERT_TRUE(wait_until([&] { return rendezvous->life_of(peer) == 1; }));
  const GrantNumber first = grant(peer);
  show(first);
  ASSERT_NE(grant(owner).value, 0U);
  // Two of three instances are left; the owner's own are never waited for.
  for (int i = 0; i < 10; ++i) {
    ASSERT_NE(grant(owner).value, 0U);
    EXPECT_NE(GrantWord{domain->granted(granted).value}.instance(), GrantWord{first.value}.instance());
  }
  const GrantNumber second = grant(peer);
  show(first);
  ASSERT_NE(grant(owner).value, 0U);  // the peer shows that it still stores under the first, not the second
  const GrantNumber third = grant(peer);
  EXPECT_GT(third, second);
  show(GrantNumber());  // it has moved on
  for (int i = 0; i < 10; ++i) ASSERT_NE(grant(peer).value, 0U);
  EXPECT_EQ(domain->starved(), 0U);
}

TEST_F(DirectDomainTest, without_an_instance_a_regrant_waits_and_readers_see_the_old_one) {
  world.settings.spare_instances = 1;
  domain = std::move(*DirectDomain::create(world.settings));
  rendezvous.reset();
  rendezvous = std::move(*Rendezvous::open(world.settings, domain->offers()));
  domain->watch(*rendezvous);
  world.settings.self = peer;
  auto other = world.open(peer);
  ASSERT_TRUE(wait_until([&] { return rendezvous->life_of(peer) % 2 == 1; }));
  const GrantNumber first = grant(peer);
  show(first);
  const GrantNumber second = grant(owner);
  ASSERT_NE(second.value, 0U);
  EXPECT_EQ(grant(peer).value, 0U);
  EXPECT_GT(domain->starved(), 0U);
  EXPECT_EQ(load_word(domain->control(), line_of(granted)), second.value);
  other.reset();  // the process is gone
  EXPECT_TRUE(wait_until([&] { return domain->granted(granted).value != 0; }));
  EXPECT_GT(domain->granted(granted), second);
}

TEST_F(DirectDomainTest, descriptors_give_a_peer_its_rights_and_no_more) {
  const std::vector<int> fds = domain->offers().at(peer.value);
  // Control words, notes, the granted region, the one it reads, the one it writes; not the owner's own.
  ASSERT_EQ(fds.size(), 5U);
  const auto writable = [&](std::size_t i, std::size_t bytes) {
    return SharedMemory::attach(FileDescriptor(::fcntl(fds[i], F_DUPFD_CLOEXEC, 0)), bytes, true).has_value();
  };
  EXPECT_FALSE(writable(0, lines_bytes));
  EXPECT_TRUE(writable(1, lines_bytes));
  EXPECT_TRUE(writable(2, 128 * 3));
  EXPECT_FALSE(writable(3, 64));
  EXPECT_TRUE(writable(4, 64));
}

}  // namespace
}  // namespace mallard::memory
