#include "transport/memory/shm/direct_link.h"

#include <gtest/gtest.h>

#include "tests/transport/memory/shm/shm_world.h"

namespace mallard::memory {
namespace {

constexpr ProcessIndex owner{0};
constexpr ProcessIndex peer{1};
constexpr RegionIndex granted{0};

class DirectLinkTest : public testing::Test {
 protected:
  DirectLinkTest() {
    world.settings.self = owner;
    domain = std::move(*DirectDomain::create(world.settings));
    rendezvous = std::move(*Rendezvous::open(world.settings, domain->offers()));
    domain->watch(*rendezvous);
    other = world.open(peer);
    link = &other->link(owner);
    EXPECT_TRUE(wait_live(*link));
    domain->regrant(granted, peer, {0, 64});
    word.source = std::as_bytes(std::span(&value, 1));
    word.grant = domain->granted(granted);
    load.kind = WorkKind::read;
    load.destination = std::as_writable_bytes(std::span(&seen, 1));
  }
  // What the owner's word says about the region, whatever is true.
  void claim(GrantWord claimed) {
    const ByteView control = domain->control();
    store_word({const_cast<std::byte*>(control.data()), control.size()}, line_of(granted), claimed.value);
  }

  ShmWorld world{ShmMode::direct, 2, {RegionLayout{64, 3, 0, true}, RegionLayout{64, 3, 3, false}}};
  std::unique_ptr<DirectDomain> domain;
  std::unique_ptr<Rendezvous> rendezvous;
  std::unique_ptr<ShmNode> other;
  Link* link = nullptr;
  std::uint64_t value = 7;
  std::uint64_t seen = 0;
  Work word;
  Work load;
};

TEST_F(DirectLinkTest, a_read_waits_while_its_region_is_being_moved_and_so_does_what_is_behind_it) {
  ASSERT_EQ(carry_out(*link, word).status, WorkStatus::ok);
  const GrantWord current{word.grant.value};
  claim(GrantWord::of(current.sequence() + 1, GrantWord::nobody, GrantWord::moving));
  Work fixed = word;
  fixed.region = RegionIndex(1);
  fixed.grant = {};
  const std::array chain{load, fixed};
  ASSERT_TRUE(link->post(chain));
  value = 99;  // was copied
  std::array<WorkDone, 4> done;
  EXPECT_EQ(link->poll(done), 0U);
  EXPECT_FALSE(link->dead());
  EXPECT_EQ(load_word(domain->bytes(RegionIndex(1)), 0), 0U);
  claim(current);
  ASSERT_EQ(link->poll(done), 2U);
  EXPECT_EQ(seen, 7U);
  EXPECT_EQ(load_word(domain->bytes(RegionIndex(1)), 0), 7U);
}

TEST_F(DirectLinkTest, an_owner_that_names_an_instance_that_does_not_exist_is_not_followed) {
  claim(GrantWord::of(1, peer.value, 200));
  std::array<WorkDone, 4> done;
  ASSERT_TRUE(link->post(std::span(&load, 1)));
  EXPECT_EQ(link->poll(done), 0U);
  link->reset();
  ASSERT_EQ(link->poll(done), 1U);
  EXPECT_EQ(done[0].status, WorkStatus::flushed);
  word.grant = GrantNumber(GrantWord::of(1, peer.value, 200).value);
  EXPECT_EQ(carry_out(*link, word).status, WorkStatus::fenced);
}

TEST_F(DirectLinkTest, the_grant_that_a_poster_shows_is_gone_after_its_work) {
  ASSERT_EQ(carry_out(*link, word).status, WorkStatus::ok);
  EXPECT_EQ(load_word(domain->notes(peer), line_of(granted)), 0U);
  domain->regrant(granted, owner, {0, 64});
  EXPECT_EQ(carry_out(*link, word).status, WorkStatus::fenced);
  EXPECT_EQ(load_word(domain->notes(peer), line_of(granted)), 0U);
}

TEST_F(DirectLinkTest, a_link_dies_with_its_owner_and_lives_with_the_next) {
  rendezvous.reset();
  ASSERT_TRUE(wait_until([&] { return link->dead(); }));
  domain.reset();
  EXPECT_EQ(carry_out(*link, word).status, WorkStatus::flushed);  // what is left of the memory is not touched
  link->reset();
  EXPECT_TRUE(link->dead());
  const auto next = world.open(owner);
  ASSERT_TRUE(wait_live(*link));
  EXPECT_EQ(carry_out(*link, load).status, WorkStatus::ok);
  EXPECT_EQ(seen, 0U);
}

}  // namespace
}  // namespace mallard::memory
