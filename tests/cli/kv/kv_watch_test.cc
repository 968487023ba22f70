#include "cli/kv/kv_watch.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "rsm/machine/kv_command.h"
#include "tests/cli/kv/staged_cluster.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

constexpr Duration patience = Duration::seconds(20);

class KvWatchTest : public ::testing::Test {
 protected:
  void write(const rsm::KvCommand& command) {
    client.ask(rsm::encode_command(command), Repeat::always);
    ASSERT_TRUE(client.turn(transport::EventLoop::now() + patience));
  }
  void put(std::string_view key, std::string_view value) {
    rsm::KvCommand command{.operation = rsm::KvOperation::put};
    command.write = {.key = std::as_bytes(std::span(key)), .value = std::as_bytes(std::span(value))};
    write(command);
  }
  void erase(std::string_view key) {
    rsm::KvCommand command{.operation = rsm::KvOperation::erase};
    command.write.key = std::as_bytes(std::span(key));
    write(command);
  }
  void increment(std::string_view key) {
    rsm::KvCommand command{.operation = rsm::KvOperation::increment};
    command.write = {.key = std::as_bytes(std::span(key)), .amount = 7};
    write(command);
  }
  // Watches until nobody answers any more.
  ExitCode watch(KvWatchSettings settings) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    KvClient watcher(cluster.directories());
    std::thread end([this] {
      cluster.await_reads(2);
      cluster.stop();
    });
    settings.patience = Duration::milliseconds(500);
    const ExitCode exit_code = KvWatch(watcher, settings).run();
    end.join();
    out = testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    return exit_code;
  }

  StagedCluster cluster{{}};
  KvClient client{cluster.directories()};
  std::string out;
  std::string err;
};

TEST_F(KvWatchTest, prints_what_happened_to_keys_under_the_prefix_in_order) {
  put("app/a", "1");
  put("other", "1");
  erase("app/a");
  increment("app/n");
  EXPECT_EQ(watch({.prefix = "app/", .from = 1}), ExitCode::failed);
  EXPECT_EQ(out, "1\tput\tapp/a\t1\n3\tdelete\tapp/a\n4\tput\tapp/n\t7\n");
  EXPECT_NE(err.find("go on with --from 5"), std::string::npos) << err;
}

TEST_F(KvWatchTest, goes_on_from_an_index) {
  put("a", "1");
  put("b", "2");
  EXPECT_EQ(watch({.from = 2}), ExitCode::failed);
  EXPECT_EQ(out, "2\tput\tb\t2\n");
}

TEST_F(KvWatchTest, begins_with_what_comes) {
  put("a", "1");
  EXPECT_EQ(watch({}), ExitCode::failed);
  EXPECT_EQ(out, "");
  EXPECT_NE(err.find("watching from index 2"), std::string::npos) << err;
}

TEST_F(KvWatchTest, that_comes_too_late_is_told_where_it_was_cut_off) {
  const std::string large(200'000, 'v');
  for (int i = 0; i < 10; ++i) {
    put("a", large);
  }
  EXPECT_EQ(watch({.from = 2}), ExitCode::refused);
  EXPECT_EQ(out, "");
  EXPECT_NE(err.find("cut off at index 2"), std::string::npos) << err;
  EXPECT_NE(err.find("--from 11"), std::string::npos) << err;
}

}  // namespace
}  // namespace mallard::cli
