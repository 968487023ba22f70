#include "rsm/machine/kv_versions.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/rsm/machine/byte_text.h"

namespace mallard::rsm {
namespace {

TEST(KvVersions, views_are_counted_and_their_slots_used_again) {
  KvVersions versions(1'000);
  std::vector<ViewId> views;
  for (std::size_t i = 0; i < machine_views_max; ++i) {
    versions.live().index = CommitIndex(i + 1);
    views.push_back(versions.open().value());
  }
  EXPECT_EQ(versions.open().error(), MachineFault::no_view_left);
  versions.close(views[3]);
  EXPECT_EQ(versions.at(views[3]).error(), MachineFault::view_lost);
  versions.close(views[3]);
  const ViewId again = versions.open().value();
  EXPECT_EQ(again.slot, views[3].slot);
  EXPECT_EQ(versions.at(views[3]).error(), MachineFault::view_lost);
  versions.close(views[3]);
  EXPECT_EQ(versions.at(again)->index, CommitIndex(machine_views_max));
  EXPECT_EQ(versions.at(views[4])->index, CommitIndex(5));
  EXPECT_EQ(versions.at(ViewId{})->index, CommitIndex(machine_views_max));
  EXPECT_EQ(versions.at(ViewId{.slot = 1'000, .opened = 1}).error(), MachineFault::view_lost);
  EXPECT_EQ(versions.views_lost(), 0U);
}

TEST(KvVersions, the_oldest_view_is_given_up_first) {
  KvVersions versions(1'000);
  versions.live().index = CommitIndex(1);
  const ViewId first = versions.open().value();
  versions.live().index = CommitIndex(2);
  const ViewId second = versions.open().value();
  EXPECT_TRUE(versions.give_up_version());
  EXPECT_FALSE(versions.at(first));
  EXPECT_TRUE(versions.at(second));
  EXPECT_TRUE(versions.give_up_version());
  EXPECT_FALSE(versions.give_up_version());
  EXPECT_EQ(versions.views_lost(), 2U);
}

TEST(KvVersions, clearing_loses_all_views) {
  KvVersions versions(1'000);
  versions.forest().put(versions.live().user, bytes("key"), bytes("value"));
  const ViewId view = versions.open().value();
  versions.clear();
  EXPECT_FALSE(versions.at(view));
  EXPECT_EQ(versions.forest().units_taken(), 0U);
  EXPECT_EQ(versions.live().user.unit, 0U);
}

}  // namespace
}  // namespace mallard::rsm
