#include "rsm/replica/journal/superblock_pair.h"

#include <gtest/gtest.h>

#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm::journal {
namespace {

struct Stored {
  SimDisk disk{1};

  // A store after `promises` more generations; the term is the generation.
  explicit Stored(int promises) {
    SuperblockPair pair(disk);
    EXPECT_TRUE(pair.load());
    EXPECT_EQ(pair.state(), PairState::none);
    EXPECT_TRUE(pair.create({}));
    for (int i = 0; i < promises; ++i) {
      Superblock next = pair.newest();
      next.promises.term = Term(next.generation + 1);
      EXPECT_TRUE(pair.write(next));
    }
    disk.restart(SimDisk::Loss::everything);
  }

  PairState load(std::uint64_t& generation) {
    SuperblockPair pair(disk);
    EXPECT_TRUE(pair.load());
    generation = pair.newest().generation;
    return pair.state();
  }
};

TEST(SuperblockPair, survives_the_loss_of_all_that_was_not_synced) {
  Stored stored(3);
  std::uint64_t generation = 0;
  EXPECT_EQ(stored.load(generation), PairState::whole);
  EXPECT_EQ(generation, 5U);
}

TEST(SuperblockPair, one_damaged_copy_of_each_slot_forgets_nothing) {
  for (const std::size_t offset : {std::size_t{40}, superblock_copy_spacing + 40}) {
    Stored stored(2);
    DiskImage image = stored.disk.image();
    image["superblock.0"][offset] ^= std::byte{4};
    image["superblock.1"][offset] ^= std::byte{4};
    stored.disk.restore(image);
    std::uint64_t generation = 0;
    EXPECT_EQ(stored.load(generation), PairState::whole);
    EXPECT_EQ(generation, 4U);
  }
}

TEST(SuperblockPair, lost_slot_makes_it_doubtful) {
  for (const char* name : {"superblock.0", "superblock.1"}) {
    Stored stored(2);
    DiskImage image = stored.disk.image();
    image.erase(name);
    stored.disk.restore(image);
    std::uint64_t generation = 0;
    EXPECT_EQ(stored.load(generation), PairState::doubtful);
  }
}

TEST(SuperblockPair, old_slot_makes_it_doubtful) {
  Stored old(0);
  Stored stored(3);
  DiskImage image = stored.disk.image();
  image["superblock.0"] = old.disk.image()["superblock.0"];
  stored.disk.restore(image);
  std::uint64_t generation = 0;
  EXPECT_EQ(stored.load(generation), PairState::doubtful);
}

TEST(SuperblockPair, both_unreadable_is_no_new_store) {
  Stored stored(1);
  DiskImage image = stored.disk.image();
  for (const char* name : {"superblock.0", "superblock.1"}) {
    for (std::byte& byte : image[name]) {
      byte ^= std::byte{0x11};
    }
  }
  stored.disk.restore(image);
  std::uint64_t generation = 0;
  EXPECT_EQ(stored.load(generation), PairState::unreadable);
}

TEST(SuperblockPair, making_that_was_cut_short_counts_as_nothing) {
  // Two files, each made, written, synced and named durably.
  for (std::uint64_t changes = 0; changes < 8; ++changes) {
    SimDisk disk(changes);
    {
      SuperblockPair pair(disk);
      ASSERT_TRUE(pair.load());
      disk.crash_after(changes);
      EXPECT_FALSE(pair.create({}));
    }
    disk.restart(SimDisk::Loss::everything);
    SuperblockPair pair(disk);
    ASSERT_TRUE(pair.load());
    EXPECT_TRUE(pair.state() == PairState::none || pair.newest().generation == 2) << changes;
  }
}

}  // namespace
}  // namespace mallard::rsm::journal
