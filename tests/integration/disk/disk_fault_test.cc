// One replica of three has a disk that is full, fails, lies or is an old one: it does what its promises say
// (reliability.md I3 to I5, I9, O-1), and the cluster goes on meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/kv/kv_client.h"
#include "rsm/machine/kv_command.h"
#include "tests/integration/deployment/replica_clusters.h"
#include "tests/integration/deployment/waiting.h"
#include "tests/integration/disk/steady_writer.h"
#include "tests/integration/forgetful_disk/forgetful_mount.h"

namespace mallard::integration {
namespace {

constexpr ClusterIndex east(0);
constexpr Duration patience = Duration::seconds(60);
constexpr std::size_t large_value_bytes = 500'000;
constexpr int large_values = 60;  // more than two segments of a journal
constexpr int failed = 1;
constexpr int refused = 5;

constexpr ReplicaAddress replica(std::size_t id) {
  return {east, ReplicaIndex(static_cast<std::uint16_t>(id))};
}

class DiskFault : public ::testing::Test {
 protected:
  DiskFault() {
    auto mounted = ForgetfulMount::mount();
    if (!mounted) throw std::runtime_error(mounted.error());
    disk.emplace(std::move(*mounted));
    ReplicaClustersSettings settings;
    settings.places[victim] = disk->path() / "data";
    clusters = std::make_unique<ReplicaClusters>(settings);
    EXPECT_TRUE(disk->tell("sync"));
    clusters->start_all();
    EXPECT_TRUE(clusters->ready(patience)) << clusters->last_words();
    clusters->founded();
    writer = std::make_unique<SteadyWriter>(clusters->directories(east), "w/", 1);
    write_some();
  }

  // Until so many more writes were acknowledged; held afterwards.
  void write_some(std::uint64_t count = 200) {
    const std::uint64_t before = writer->writes();
    do {
      writer->go_on();
      let_pass(Duration::milliseconds(50));
      ASSERT_TRUE(writer->hold(patience)) << clusters->last_words();
      ASSERT_EQ(writer->problem(), "");
    } while (writer->writes() < before + count);
  }
  void expect_everything_at(ReplicaAddress address) {
    std::string wrong;
    EXPECT_TRUE(wait_until(
        patience,
        [&] {
          KvScanned scanned = scan_replica(clusters->directory(address));
          std::erase_if(scanned.state, [](const auto& entry) { return entry.first.front() != 'w'; });
          wrong = scanned.failure.empty() ? difference(writer->expected(), scanned.state) : scanned.failure;
          return wrong.empty();
        }))
        << wrong << "\n"
        << clusters->said(address);
  }
  void end_victim() {
    clusters->kill(victim);
    said_before = clusters->said(victim).size();
  }
  void bring_back() {
    said_before = clusters->said(victim).size();
    clusters->start(victim);
    EXPECT_TRUE(clusters->ready(patience)) << clusters->last_words() << said();
  }
  // By the victim in its newest life.
  [[nodiscard]] std::string said() const { return clusters->said(victim).substr(said_before); }
  [[nodiscard]] bool has_ended() {
    return wait_until(patience, [&] { return !clusters->replica(victim).running(); });
  }

  static constexpr ReplicaAddress victim = replica(1);
  std::optional<ForgetfulMount> disk;
  std::unique_ptr<ReplicaClusters> clusters;
  std::unique_ptr<SteadyWriter> writer;
  std::size_t said_before = 0;
};

TEST_F(DiskFault, FullEndsTheReplicaByNameAndNothingIsLost) {
  ASSERT_TRUE(disk->tell("space 100000"));
  cli::KvClient client(clusters->directories(east));
  const std::string large(large_value_bytes, 'v');
  for (int i = 0; i < large_values && clusters->replica(victim).running(); ++i) {
    const std::string key = "large" + std::to_string(i);
    rsm::KvCommand command{.operation = rsm::KvOperation::put};
    command.write = {.operation = rsm::KvOperation::put,
                     .key = std::as_bytes(std::span(key)),
                     .value = std::as_bytes(std::span(large))};
    client.ask(rsm::encode_command(command), cli::Repeat::always);
    ASSERT_TRUE(client.turn(clock_now() + patience)) << client.failure();
  }
  ASSERT_TRUE(has_ended());
  EXPECT_EQ(clusters->replica(victim).wait(), failed);
  EXPECT_NE(said().find("No space left on device"), std::string::npos) << said();
  write_some();
  ASSERT_TRUE(disk->tell("drop"));
  bring_back();
  expect_everything_at(victim);
}

// The bytes that were to be synced are lost: whoever tried again would be told that all is well.
TEST_F(DiskFault, OfASyncEndsTheReplicaAtOnceAndNothingIsLost) {
  ASSERT_TRUE(disk->tell("fail"));
  writer->go_on();
  ASSERT_TRUE(has_ended());
  EXPECT_EQ(clusters->replica(victim).wait(), failed);
  EXPECT_NE(said().find("Input/output error"), std::string::npos) << said();
  EXPECT_NE(said().find("what was acknowledged is safe"), std::string::npos) << said();
  write_some();
  ASSERT_TRUE(disk->tell("drop"));
  bring_back();
  expect_everything_at(victim);
}

// In the middle of what was written to the journal's only file that has entries.
void flip_a_bit_in(const std::filesystem::path& journal, std::string& where) {
  std::filesystem::path chosen;
  std::string bytes;
  std::size_t end = 0;
  for (const auto& entry : std::filesystem::directory_iterator(journal)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(in), {}};
    const std::size_t used = content.find_last_not_of('\0') + 1;
    if (used > end) {
      chosen = entry.path();
      bytes = std::move(content);
      end = used;
    }
  }
  ASSERT_GT(end, 10'000U);
  const std::size_t at = bytes.find("w/", end / 2);  // a key; between entries there is filler
  ASSERT_NE(at, std::string::npos);
  where = chosen.filename().string() + " at " + std::to_string(at) + " of " + std::to_string(end);
  std::fstream out(chosen, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(static_cast<std::streamoff>(at));
  out.put(static_cast<char>(bytes[at] ^ 4));
}

TEST_F(DiskFault, InTheMiddleOfTheJournalIsRepairedByTheOthers) {
  end_victim();
  std::string where;
  ASSERT_NO_FATAL_FAILURE(flip_a_bit_in(clusters->directory(victim) / "journal", where));
  SCOPED_TRACE(where);
  ASSERT_TRUE(disk->tell("sync"));
  bring_back();
  EXPECT_NE(said().find("damaged"), std::string::npos) << said();
  EXPECT_NE(said().find("recovering"), std::string::npos) << "it votes only when it has read the others\n"
                                                          << said();
  expect_everything_at(victim);
  write_some();
  expect_everything_at(victim);
  // What it was given is durable: the next life finds nothing wrong.
  end_victim();
  bring_back();
  EXPECT_EQ(said().find("damaged"), std::string::npos) << said();
  expect_everything_at(victim);
}

TEST_F(DiskFault, OfYesterdayIsFoundOutAndItsReplicaBeginsAnew) {
  const std::filesystem::path journal = clusters->directory(victim) / "journal";
  const std::filesystem::path copy = clusters->directory(replica(0)).parent_path() / "yesterday";
  end_victim();
  std::filesystem::copy(journal, copy, std::filesystem::copy_options::recursive);
  bring_back();
  EXPECT_EQ(said().find("older"), std::string::npos) << said();
  write_some();
  expect_everything_at(victim);
  end_victim();
  std::filesystem::remove_all(journal);
  std::filesystem::copy(copy, journal, std::filesystem::copy_options::recursive);
  bring_back();
  EXPECT_NE(said().find("older than what the others have seen of it"), std::string::npos) << said();
  EXPECT_NE(said().find("recovering"), std::string::npos) << said();
  expect_everything_at(victim);
  end_victim();
  bring_back();
  EXPECT_EQ(said().find("older"), std::string::npos) << said();
  expect_everything_at(victim);
}

TEST_F(DiskFault, OfTwoProcessesIsTheFirstOnes) {
  said_before = clusters->said(victim).size();
  EXPECT_EQ(clusters->second(victim, "replica").wait(), refused) << said();
  EXPECT_NE(said().find("works in this directory"), std::string::npos) << said();
  write_some();
  expect_everything_at(victim);
}

TEST(Directory, OfAGatewayIsNotShared) {
  ReplicaClusters clusters({.clusters = 2});
  clusters.start(replica(0));
  const auto runs = [&] { return !clusters.said(replica(0), "gateway").empty(); };
  ASSERT_TRUE(wait_until(patience, runs));
  EXPECT_EQ(clusters.second(replica(0), "gateway").wait(), refused) << clusters.said(replica(0), "gateway");
  EXPECT_TRUE(clusters.gateway(replica(0)).running()) << "the first one goes on";
}

}  // namespace
}  // namespace mallard::integration
