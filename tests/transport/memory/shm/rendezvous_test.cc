#include "transport/memory/shm/rendezvous.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "tests/transport/memory/shm/shm_world.h"

namespace mallard::memory {
namespace {

constexpr ProcessIndex a{0};
constexpr ProcessIndex b{1};

class RendezvousTest : public testing::Test {
 protected:
  std::unique_ptr<Rendezvous> open(ProcessIndex self) {
    ShmSettings settings = world.settings;
    settings.self = self;
    auto rendezvous = Rendezvous::open(settings, Rendezvous::Offers{{memory->fd()}, {memory->fd()}});
    EXPECT_TRUE(rendezvous);
    return std::move(*rendezvous);
  }

  ShmWorld world{ShmMode::direct, 2, {}};
  Result<SharedMemory, ShmError> memory =
      SharedMemory::create("test", 4096, SharedMemory::Writers::holders_of_fd);
};

TEST_F(RendezvousTest, both_get_each_other_s_memory_and_hear_of_the_end) {
  auto first = open(a);
  auto second = open(b);
  ASSERT_TRUE(wait_until([&] { return first->attachment_to(b) && second->attachment_to(a); }));
  const std::shared_ptr<Attachment> attachment = first->attachment_to(b);
  ASSERT_EQ(attachment->fds.size(), 1U);
  memory->bytes()[1] = std::byte{9};
  const auto mapped = SharedMemory::attach(std::move(attachment->fds[0]), 4096, false);
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->bytes()[1], std::byte{9});
  EXPECT_EQ(first->life_of(b), 1U);
  second.reset();
  ASSERT_TRUE(wait_until([&] { return attachment->gone.load() && first->life_of(b) == 2; }));
  EXPECT_EQ(first->attachment_to(b), nullptr);
  second = open(b);
  ASSERT_TRUE(wait_until([&] { return first->attachment_to(b) != nullptr; }));
  EXPECT_EQ(first->life_of(b), 3U);
  EXPECT_TRUE(attachment->gone.load());
}

TEST_F(RendezvousTest, a_process_is_attached_to_itself) {
  auto first = open(a);
  ASSERT_NE(first->attachment_to(a), nullptr);
  EXPECT_EQ(first->attachment_to(a)->fds.size(), 1U);
}

TEST_F(RendezvousTest, other_settings_do_not_meet) {
  auto first = open(a);
  world.settings.layout = {RegionLayout{64, 3, 3, false}};
  auto second = open(b);
  ASSERT_TRUE(wait_until([&] { return first->refused() > 0; }));
  EXPECT_EQ(first->life_of(b), 0U);
  EXPECT_EQ(second->attachment_to(a), nullptr);
}

TEST_F(RendezvousTest, a_second_process_of_an_index_in_use_is_refused) {
  auto first = open(a);
  auto second = open(b);
  ASSERT_TRUE(wait_until([&] { return first->life_of(b) == 1; }));
  auto impostor = open(b);
  ASSERT_TRUE(wait_until([&] { return first->refused() > 0; }));
  EXPECT_EQ(first->life_of(b), 1U);
  EXPECT_EQ(impostor->attachment_to(a), nullptr);
}

TEST_F(RendezvousTest, nonsense_and_silence_do_no_harm) {
  auto first = open(a);
  const std::string path = world.settings.socket_path(a);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  std::vector<FileDescriptor> silent;
  for (int i = 0; i < 20; ++i) {
    FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    if (i % 2 == 0) ::send(socket.number(), "nonsense", 8, MSG_NOSIGNAL);
    silent.push_back(std::move(socket));
  }
  auto second = open(b);
  ASSERT_TRUE(wait_until([&] { return second->attachment_to(a) != nullptr; }));
  EXPECT_GT(first->refused(), 0U);
}

TEST_F(RendezvousTest, another_user_is_refused) {
  world.settings.users = {::geteuid(), ::geteuid() + 1};
  auto first = open(a);
  auto second = open(b);  // it runs as a user that is not b's
  ASSERT_TRUE(wait_until([&] { return first->refused() > 0; }));
  EXPECT_EQ(first->life_of(b), 0U);
}

TEST(Rendezvous, a_folder_that_does_not_exist_is_refused) {
  ShmSettings settings;
  settings.folder = "/nonexistent";
  settings.processes = 1;
  const auto rendezvous = Rendezvous::open(settings, Rendezvous::Offers{{}});
  ASSERT_FALSE(rendezvous);
  EXPECT_NE(rendezvous.error().what.find("/nonexistent"), std::string::npos);
}

}  // namespace
}  // namespace mallard::memory
