#include "transport/door/door_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/transport/door/door_world.h"

namespace mallard::transport::door {
namespace {

class DoorSocketTest : public ::testing::Test {
 protected:
  ScratchDirectory directory;
  std::filesystem::path path = door_path(directory.path());
};

TEST_F(DoorSocketTest, only_its_user_can_open_the_file) {
  const auto listener = DoorListener::open(path);
  ASSERT_TRUE(listener.has_value());
  struct stat file {};
  ASSERT_EQ(::lstat(path.c_str(), &file), 0);
  EXPECT_TRUE(S_ISSOCK(file.st_mode));
  EXPECT_EQ(file.st_mode & 07777U, 0600U);
  EXPECT_EQ(path.filename(), "replica.sock");
}

TEST_F(DoorSocketTest, tells_who_calls) {
  auto listener = DoorListener::open(path);
  const auto caller = connect_door(path);
  ASSERT_TRUE(caller.has_value());
  bool exhausted = true;
  const FileDescriptor accepted = listener->accept(exhausted);
  ASSERT_GE(accepted.number(), 0);
  const auto who = caller_of(accepted.number());
  ASSERT_TRUE(who.has_value());
  EXPECT_EQ(who->process, ::getpid());
  EXPECT_EQ(who->user, own_user());
  EXPECT_LT(listener->accept(exhausted).number(), 0);
  EXPECT_FALSE(exhausted) << "nobody else is waiting";
  EXPECT_FALSE(caller_of(-1).has_value());
}

TEST_F(DoorSocketTest, only_the_own_user_and_root_may_come_in) {
  EXPECT_TRUE(may_use_door(1000, 1000));
  EXPECT_TRUE(may_use_door(0, 1000));
  EXPECT_FALSE(may_use_door(1001, 1000));
  EXPECT_FALSE(may_use_door(1000, 0));
}

TEST_F(DoorSocketTest, replaces_a_file_that_nobody_listens_behind) {
  {
    // As a process that was killed leaves it.
    auto left = DoorListener::open(path);
    ASSERT_TRUE(left.has_value());
    std::filesystem::rename(path, path.string() + ".kept");
  }
  std::filesystem::rename(path.string() + ".kept", path);
  EXPECT_FALSE(connect_door(path).has_value());
  const auto listener = DoorListener::open(path);
  ASSERT_TRUE(listener.has_value()) << listener.error().what;
  EXPECT_TRUE(connect_door(path).has_value());
}

TEST_F(DoorSocketTest, never_replaces_a_living_one_or_another_file) {
  {
    const auto listener = DoorListener::open(path);
    const auto second = DoorListener::open(path);
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().what.find("another process listens here"), std::string::npos);
    EXPECT_TRUE(connect_door(path).has_value()) << "the first one still listens";
  }
  std::ofstream(path) << "precious";
  const auto third = DoorListener::open(path);
  ASSERT_FALSE(third.has_value());
  EXPECT_NE(third.error().what.find("is not a socket"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
}

TEST_F(DoorSocketTest, removes_its_own_file_and_no_other) {
  { const auto listener = DoorListener::open(path); }
  EXPECT_FALSE(std::filesystem::exists(path));
  {
    const auto listener = DoorListener::open(path);
    std::filesystem::remove(path);
    std::ofstream(path) << "another's";
  }
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(DoorSocketTest, paths_may_be_long) {
  const auto deep = directory.path() / std::string(100, 'a') / std::string(100, 'b');
  std::filesystem::create_directories(deep);
  const auto listener = DoorListener::open(door_path(deep));
  ASSERT_TRUE(listener.has_value()) << listener.error().what;
  EXPECT_TRUE(connect_door(door_path(deep)).has_value());
  EXPECT_TRUE(std::filesystem::is_socket(door_path(deep)));
}

TEST_F(DoorSocketTest, says_what_is_missing) {
  const auto nobody = connect_door(path);
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().what, path.string() + ": connect: No such file or directory");
  EXPECT_EQ(nobody.error().advice, "start the replica whose data directory this is");
  EXPECT_FALSE(DoorListener::open(directory.path() / "missing" / "replica.sock").has_value());
}

}  // namespace
}  // namespace mallard::transport::door
