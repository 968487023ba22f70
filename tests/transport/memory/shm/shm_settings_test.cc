#include "transport/memory/shm/shm_settings.h"

#include <gtest/gtest.h>

#include <functional>

namespace mallard::memory {
namespace {

ShmSettings good() {
  ShmSettings settings;
  settings.folder = "/run/mallard";
  settings.processes = 3;
  settings.layout = {RegionLayout{64, 7, 0, true}};
  return settings;
}

TEST(ShmSettings, every_limit_is_checked) {
  EXPECT_TRUE(good().check());
  const std::vector<std::function<void(ShmSettings&)>> wrongs{
      [](ShmSettings& s) { s.processes = 0; },
      [](ShmSettings& s) { s.processes = processes_max + 1; },
      [](ShmSettings& s) { s.self = ProcessIndex(3); },
      [](ShmSettings& s) { s.layout[0].bytes = 65; },
      [](ShmSettings& s) { s.queue_depth = 0; },
      [](ShmSettings& s) { s.queue_depth = 4097; },
      [](ShmSettings& s) {
        s.queue_depth = 257;
        s.mode = ShmMode::agent;
      },
      [](ShmSettings& s) { s.spare_instances = 251; },
      [](ShmSettings& s) { s.ring_bytes = 4095; },
      [](ShmSettings& s) { s.ring_bytes = 4097; },
      [](ShmSettings& s) {
        s.users = {1, 2};
      },
      [](ShmSettings& s) { s.folder.assign(100, 'x'); }};
  for (const auto& wrong : wrongs) {
    ShmSettings settings = good();
    wrong(settings);
    EXPECT_FALSE(settings.check());
  }
}

TEST(ShmSettings, users_separate_only_if_all_differ_and_none_is_root) {
  ShmSettings settings = good();
  EXPECT_FALSE(settings.separates_users());
  settings.users = {1, 2, 3};
  EXPECT_TRUE(settings.separates_users());
  settings.users = {1, 2, 1};
  EXPECT_FALSE(settings.separates_users());
  settings.users = {1, 2, 0};
  EXPECT_FALSE(settings.separates_users());
}

TEST(ShmSettings, the_fingerprint_covers_what_all_must_share_and_nothing_else) {
  const std::uint64_t print = good().fingerprint();
  ShmSettings same = good();
  same.self = ProcessIndex(2);
  same.queue_depth = 7;
  same.spin_rounds = 1;
  EXPECT_EQ(same.fingerprint(), print);
  const std::vector<std::function<void(ShmSettings&)>> changes{
      [](ShmSettings& s) { s.processes = 4; },         [](ShmSettings& s) { s.layout[0].bytes = 128; },
      [](ShmSettings& s) { s.layout[0].readers = 3; }, [](ShmSettings& s) { s.layout[0].granted = false; },
      [](ShmSettings& s) { s.spare_instances = 9; },   [](ShmSettings& s) { s.ring_bytes = 8192; },
      [](ShmSettings& s) { s.mode = ShmMode::agent; }};
  for (const auto& change : changes) {
    ShmSettings other = good();
    change(other);
    EXPECT_NE(other.fingerprint(), print);
  }
}

}  // namespace
}  // namespace mallard::memory
