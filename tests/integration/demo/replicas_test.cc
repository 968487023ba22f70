// `mallard replica` and `mallard kv` as processes: one cluster of three, without a gateway.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/demo/free_ports.h"
#include "config/print_pairing.h"
#include "config/value_text.h"
#include "config/weights.h"
#include "crypto/key_file.h"
#include "tests/integration/deployment/child_process.h"
#include "tests/integration/deployment/http_get.h"
#include "tests/integration/deployment/scratch_folder.h"
#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

constexpr std::uint16_t replicas = 3;
constexpr Duration limit = Duration::seconds(20);
constexpr int writes_beyond_a_ring = 130;  // of 100,000 bytes; a ring has 8 MiB

class ReplicasTest : public ::testing::Test {
 protected:
  ReplicasTest() {
    const std::vector<std::uint16_t> ports = cli::find_free_ports(6 * replicas);
    config::ClusterSettings cluster;
    cluster.name = "east";
    cluster.kind = config::ClusterKind::cft;
    for (std::uint16_t i = 0; i < replicas; ++i) {
      const auto keys = crypto::generate_keys(directory(i));
      const std::uint16_t* port = &ports.at(6 * i);
      config::ReplicaSettings replica;
      replica.id = ReplicaIndex(i);
      replica.host = "127.0.0.1";
      replica.ports = {port[0], port[1], port[2], port[3], port[4], port[5]};
      replica.keys = {.gateway = keys->at(0), .replica = keys->at(1), .signing = keys->at(2)};
      cluster.replicas.push_back(replica);
    }
    cluster.faults = config::implied_faults(replicas);
    pairing.clusters.push_back(cluster);
    std::ofstream(configuration()) << config::print_pairing(pairing);
  }

  [[nodiscard]] std::string directory(std::size_t id) const {
    return (folder.path() / std::to_string(id)).string();
  }
  [[nodiscard]] std::string configuration() const { return (folder.path() / "pairing.yaml").string(); }
  [[nodiscard]] std::string output(std::size_t id) const { return directory(id) + ".out"; }

  ChildProcess run(std::size_t id, bool founding) {
    std::vector<std::string> command{
        MALLARD_PROGRAM, "replica",     "--config", configuration(),
        "--cluster",     "east",        "--id",     std::to_string(id),
        "--data",        directory(id), "--memory", (folder.path() / "memory").string()};
    if (founding) {
      command.emplace_back("--found");
    }
    return ChildProcess(command, {.output = output(id)});
  }
  void found() {
    for (std::size_t i = 0; i < replicas; ++i) {
      processes[i].emplace(run(i, true));
    }
    ASSERT_TRUE(wait_until(limit, [this] { return is_ready(0) && is_ready(1) && is_ready(2); }));
  }
  std::string page(std::size_t id, const std::string& path) {
    return http_get(nullptr, pairing.clusters[0].replicas[id].ports.replica_admin, path).value_or("");
  }
  bool is_ready(std::size_t id) { return !page(id, "/readyz").empty(); }
  std::optional<std::size_t> leader() {
    for (std::size_t i = 0; i < replicas; ++i) {
      if (page(i, "/status").find("\"state\":\"leading\"") != std::string::npos) {
        return i;
      }
    }
    return std::nullopt;
  }
  // Runs `mallard kv` with all doors, or with one; its exit status.
  int kv(const std::vector<std::string>& arguments, std::optional<std::size_t> only = {}) {
    return kv_into(folder.path() / "kv.out", arguments, only);
  }
  [[nodiscard]] int kv_into(const std::filesystem::path& file, const std::vector<std::string>& arguments,
                            std::optional<std::size_t> only = {}) const {
    std::vector<std::string> command{MALLARD_PROGRAM, "kv"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    for (std::size_t i = 0; i < replicas; ++i) {
      if (!only || *only == i) {
        command.insert(command.end(), {"--data", directory(i)});
      }
    }
    std::filesystem::remove(file);
    return ChildProcess(command, {.output = file}).wait();
  }
  // The same over the network, as who has the key file in `identity`.
  int kv_from_elsewhere(const std::vector<std::string>& arguments, const std::string& identity) {
    std::vector<std::string> command{MALLARD_PROGRAM, "kv"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.insert(command.end(), {"--config", configuration(), "--cluster", "east", "--key", identity});
    std::filesystem::remove(folder.path() / "kv.out");
    return ChildProcess(command, {.output = folder.path() / "kv.out"}).wait();
  }
  [[nodiscard]] static std::string said_in(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::string said() const { return said_in(folder.path() / "kv.out"); }
  [[nodiscard]] std::string said_by(std::size_t id) const { return said_in(output(id)); }

  ScratchFolder folder{"replicas"};
  config::Pairing pairing;
  std::array<std::optional<ChildProcess>, replicas> processes;
};

TEST_F(ReplicasTest, outlive_their_leader_and_take_it_back) {
  ASSERT_NO_FATAL_FAILURE(found());
  ASSERT_EQ(kv({"put", "a", "1"}), 0) << said();
  ASSERT_EQ(kv({"increment", "n", "5"}), 0) << said();
  EXPECT_EQ(said(), "5\n");
  const std::size_t first = leader().value_or(0);
  processes[first]->signal(SIGKILL);
  processes[first]->wait();
  ASSERT_TRUE(wait_until(limit, [&] { return leader() && *leader() != first; }));
  ASSERT_EQ(kv({"put", "b", "2"}), 0) << said();
  ASSERT_EQ(kv({"get", "a"}), 0);
  EXPECT_EQ(said(), "1\n");
  processes[first].emplace(run(first, false));
  ASSERT_TRUE(wait_until(limit, [&] { return is_ready(first); })) << said_by(first);
  EXPECT_TRUE(wait_until(limit, [&] { return kv({"get", "b", "--local"}, first) == 0; })) << said();
  EXPECT_EQ(said(), "2\n");
  ASSERT_EQ(kv({"scan"}), 0);
  EXPECT_NE(said().find("a\t1\nb\t2\n"), std::string::npos) << said();
}

// What such a replica promised was in its memory: it votes again when it has read the others.
TEST_F(ReplicasTest, whose_memory_is_what_they_promise_outlive_their_leader_too) {
  pairing.clusters[0].durability = config::Durability::replicated;
  std::ofstream(configuration()) << config::print_pairing(pairing);
  ASSERT_NO_FATAL_FAILURE(found());
  ASSERT_EQ(kv({"put", "a", "1"}), 0) << said();
  for (int round = 0; round < 2; ++round) {
    const std::size_t first = leader().value_or(0);
    processes[first]->signal(SIGKILL);
    processes[first]->wait();
    ASSERT_TRUE(wait_until(limit, [&] { return leader() && *leader() != first; }));
    processes[first].emplace(run(first, false));
    ASSERT_TRUE(wait_until(limit, [&] { return is_ready(first); })) << said_by(first);
    ASSERT_EQ(kv({"increment", "n"}), 0) << said();
    EXPECT_EQ(said(), std::to_string(round + 1) + "\n");
  }
  ASSERT_EQ(kv({"get", "a"}), 0) << said();
}

TEST_F(ReplicasTest, whose_memory_is_all_gone_say_that_waiting_mends_nothing) {
  pairing.clusters[0].durability = config::Durability::replicated;
  std::ofstream(configuration()) << config::print_pairing(pairing);
  ASSERT_NO_FATAL_FAILURE(found());
  for (std::size_t i = 0; i < replicas; ++i) {
    processes[i]->signal(SIGKILL);
    processes[i]->wait();
  }
  for (std::size_t i = 0; i < replicas; ++i) {
    processes[i].emplace(run(i, false));
  }
  const std::string lost = "3 of the 3 replicas lost their logs";
  for (std::size_t i = 0; i < replicas; ++i) {
    EXPECT_TRUE(wait_until(limit, [&] { return page(i, "/status").find(lost) != std::string::npos; }))
        << page(i, "/status");
    EXPECT_NE(page(i, "/livez"), "");
    EXPECT_TRUE(wait_until(limit, [&] { return said_by(i).find(lost) != std::string::npos; })) << said_by(i);
  }
}

TEST_F(ReplicasTest, come_back_together_with_everything) {
  ASSERT_NO_FATAL_FAILURE(found());
  ASSERT_EQ(kv({"put", "a", "1"}), 0) << said();
  for (std::size_t i = 0; i < replicas; ++i) {
    processes[i]->signal(i == 0 ? SIGTERM : SIGKILL);
    processes[i]->wait();
  }
  for (std::size_t i = 0; i < replicas; ++i) {
    processes[i].emplace(run(i, false));
  }
  ASSERT_TRUE(wait_until(limit, [this] { return is_ready(0) && is_ready(1) && is_ready(2); })) << said_by(0);
  ASSERT_EQ(kv({"get", "a"}), 0) << said();
  EXPECT_EQ(said(), "1\n");
}

// It may not begin, but it says what it waits for: to Prometheus, to people and to clients.
TEST_F(ReplicasTest, say_what_they_wait_for_when_they_come_back_alone) {
  ASSERT_NO_FATAL_FAILURE(found());
  ASSERT_EQ(kv({"put", "a", "1"}), 0) << said();
  for (std::size_t i = 0; i < replicas; ++i) {
    processes[i]->signal(SIGKILL);
    processes[i]->wait();
  }
  processes[0].emplace(run(0, false));
  const std::uint16_t admin = pairing.clusters[0].replicas[0].ports.replica_admin;
  const std::string waits = "1 more of replicas 1, 2 to make a majority";
  ASSERT_TRUE(wait_until(limit, [&] { return page(0, "/status").find(waits) != std::string::npos; }))
      << page(0, "/status") << said_by(0);
  EXPECT_NE(page(0, "/livez"), "");
  const std::string ready = http_answer(admin, "/readyz");
  EXPECT_TRUE(ready.starts_with("HTTP/1.1 503")) << ready;
  EXPECT_NE(ready.find("waits for " + waits + ", for "), std::string::npos) << ready;
  EXPECT_NE(page(0, "/status").find("\"state\":\"starting\""), std::string::npos) << page(0, "/status");
  EXPECT_NE(page(0, "/metrics").find("mallard_replica_state{state=\"starting\"} 1"), std::string::npos);
  EXPECT_EQ(kv({"get", "a"}), 1);
  EXPECT_NE(said().find("no majority reachable"), std::string::npos) << said();
  EXPECT_NE(said().find("was not executed"), std::string::npos) << said();
  EXPECT_TRUE(processes[0]->running()) << said_by(0);
  processes[1].emplace(run(1, false));
  ASSERT_TRUE(wait_until(limit, [this] { return is_ready(0) && is_ready(1); })) << said_by(0);
  ASSERT_EQ(kv({"get", "a"}), 0) << said();
  EXPECT_EQ(said(), "1\n");
}

TEST_F(ReplicasTest, end_when_told_to_while_they_wait_for_the_others) {
  ASSERT_NO_FATAL_FAILURE(found());
  for (std::size_t i = 0; i < replicas; ++i) {
    processes[i]->signal(SIGKILL);
    processes[i]->wait();
  }
  processes[0].emplace(run(0, false));
  ASSERT_TRUE(
      wait_until(limit, [&] { return page(0, "/status").find("to make a majority") != std::string::npos; }));
  processes[0]->signal(SIGTERM);
  EXPECT_EQ(processes[0]->wait(), 0) << said_by(0);
}

// What it lacks is in no ring any more: it comes from another replica, over a channel.
TEST_F(ReplicasTest, bring_back_who_was_away_for_too_long) {
  ASSERT_NO_FATAL_FAILURE(found());
  ASSERT_EQ(kv({"put", "a", "1"}), 0) << said();
  const std::size_t away = (*leader() + 1) % replicas;
  processes[away]->signal(SIGKILL);
  processes[away]->wait();
  const std::string large(100'000, 'v');
  for (int i = 0; i < writes_beyond_a_ring; ++i) {
    ASSERT_EQ(kv({"put", "key" + std::to_string(i), large}), 0) << said();
  }
  processes[away].emplace(run(away, false));
  EXPECT_TRUE(wait_until(limit, [&] {
    return kv({"get", "key" + std::to_string(writes_beyond_a_ring - 1), "--local"}, away) == 0;
  })) << said_by(away);
  EXPECT_NE(said_by(away).find("needs_snapshot"), std::string::npos) << said_by(away);
  EXPECT_TRUE(wait_until(limit, [&] { return is_ready(away); })) << said_by(away);
  // It comes back from what it installed, by itself.
  processes[away]->signal(SIGKILL);
  processes[away]->wait();
  processes[away].emplace(run(away, false));
  EXPECT_TRUE(wait_until(limit, [&] { return kv({"get", "a", "--local"}, away) == 0; })) << said_by(away);
  EXPECT_EQ(said(), "1\n");
}

TEST_F(ReplicasTest, say_what_they_do_and_what_is_asked_of_the_wrong_one) {
  ASSERT_NO_FATAL_FAILURE(found());
  const std::size_t leads = *leader();
  const std::size_t follows = (leads + 1) % replicas;
  EXPECT_EQ(kv({"put", "a", "1"}, follows), 5);
  EXPECT_NE(said().find("does not lead"), std::string::npos) << said();
  EXPECT_EQ(kv({"get", "nothing"}), 3);
  EXPECT_NE(page(follows, "/status").find("\"state\":\"following\""), std::string::npos);
  EXPECT_NE(page(leads, "/metrics").find("mallard_replica_state{state=\"leading\"} 1"), std::string::npos);
  EXPECT_NE(page(leads, "/livez"), "");
}

TEST_F(ReplicasTest, serve_clients_from_elsewhere_within_their_prefixes) {
  const auto laptop = crypto::generate_client_key(folder.path() / "laptop");
  const auto stranger = crypto::generate_client_key(folder.path() / "stranger");
  ASSERT_TRUE(laptop && stranger);
  const std::string identity = (folder.path() / "laptop" / "client.key").string();
  pairing.clients = {{.key = *laptop, .prefixes = {"/app/"}}};
  std::ofstream(configuration()) << config::print_pairing(pairing);
  ASSERT_NO_FATAL_FAILURE(found());
  ASSERT_EQ(kv({"put", "other", "1"}), 0) << said();
  ASSERT_EQ(kv_from_elsewhere({"put", "/app/a", "1"}, identity), 0) << said();
  ASSERT_EQ(kv_from_elsewhere({"increment", "/app/n", "3"}, identity), 0) << said();
  EXPECT_EQ(said(), "3\n");
  ASSERT_EQ(kv_from_elsewhere({"get", "/app/a"}, identity), 0) << said();
  EXPECT_EQ(said(), "1\n");
  ASSERT_EQ(kv_from_elsewhere({"scan", "/app/"}, identity), 0) << said();
  EXPECT_EQ(said(), "/app/a\t1\n/app/n\t3\n");
  const std::vector<std::vector<std::string>> beyond{
      {"put", "other", "2"}, {"get", "other"}, {"delete", "other"}, {"scan"}, {"scan", "/ap"}};
  for (const auto& arguments : beyond) {
    EXPECT_EQ(kv_from_elsewhere(arguments, identity), 5) << arguments[0];
    EXPECT_NE(said().find("prefixes"), std::string::npos) << said();
  }
  const Instant asked_at = clock_now();
  EXPECT_EQ(kv_from_elsewhere({"get", "/app/a"}, (folder.path() / "stranger" / "client.key").string()), 5);
  EXPECT_LT(clock_now() - asked_at, Duration::seconds(10)) << "who waits is told only then";
  EXPECT_NE(said().find("does not know our key"), std::string::npos) << said();
  EXPECT_NE(said().find(config::public_key_text(*stranger)), std::string::npos) << said();
  const auto forbidden = [this] {
    double sum = 0;
    for (std::size_t i = 0; i < replicas; ++i) {
      sum += metric_sum(page(i, "/metrics"), "mallard_replica_commands_total", "outcome=\"forbidden\"");
    }
    return sum;
  };
  EXPECT_TRUE(wait_until(limit, [&] { return forbidden() == static_cast<double>(beyond.size()); }));
  EXPECT_NE((said_by(0) + said_by(1) + said_by(2)).find("beyond its prefixes"), std::string::npos);
  const std::size_t first = leader().value_or(0);
  processes[first]->signal(SIGKILL);
  processes[first]->wait();
  ASSERT_TRUE(wait_until(limit, [&] { return leader() && *leader() != first; }));
  ASSERT_EQ(kv_from_elsewhere({"get", "/app/a"}, identity), 0) << said();
  EXPECT_EQ(said(), "1\n");
}

// Where the file names no clients nobody listens for them.
TEST_F(ReplicasTest, tell_a_client_from_elsewhere_that_the_file_does_not_name_it) {
  const auto stranger = crypto::generate_client_key(folder.path() / "stranger");
  ASSERT_TRUE(stranger);
  ASSERT_NO_FATAL_FAILURE(found());
  const Instant asked_at = clock_now();
  EXPECT_EQ(kv_from_elsewhere({"get", "a"}, (folder.path() / "stranger" / "client.key").string()), 1);
  EXPECT_LT(clock_now() - asked_at, Duration::seconds(10)) << "who waits is told only then";
  EXPECT_NE(said().find("names no client with the key " + config::public_key_text(*stranger)),
            std::string::npos)
      << said();
}

// One user, who increments again and again and does what is said where the outcome is unknown.
struct Incrementing {
  std::uint64_t done = 0;
  std::uint64_t asked_again = 0;
  std::string wrong;  // what was said that he does not understand
};

TEST_F(ReplicasTest, count_each_increment_once_while_their_leaders_are_killed) {
  constexpr std::size_t users = 3;
  constexpr int kills = 3;
  ASSERT_NO_FATAL_FAILURE(found());
  std::atomic<bool> is_over = false;
  std::atomic<std::uint64_t> done = 0;
  std::array<Incrementing, users> tallies;
  const auto use = [&](std::size_t user) {
    Incrementing& tally = tallies.at(user);
    const std::filesystem::path file = folder.path() / ("user" + std::to_string(user));
    while (!is_over && tally.wrong.empty()) {
      std::vector<std::string> arguments{"increment", "n"};
      int status = kv_into(file, arguments);
      while (status == 6) {
        const std::string words = said_in(file);
        const std::size_t at = words.find("--session ");
        if (at == std::string::npos) {
          break;
        }
        ++tally.asked_again;
        arguments = {"increment", "n", "--session", std::to_string(std::stoull(words.substr(at + 10)))};
        status = kv_into(file, arguments);
      }
      const std::string words = said_in(file);
      if (status == 0) {
        ++tally.done;
        ++done;
      } else if (words.find("not executed") == std::string::npos) {
        tally.wrong = std::to_string(status) + ": " + words;
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < users; ++i) {
    threads.emplace_back(use, i);
  }
  bool all_went_on = true;
  for (int kill = 0; kill < kills && all_went_on; ++kill) {
    const std::uint64_t before = done;
    all_went_on = wait_until(limit, [&] { return done >= before + 10 && leader(); });
    const std::size_t victim = leader().value_or(0);
    processes[victim]->signal(SIGKILL);
    processes[victim]->wait();
    processes[victim].emplace(run(victim, false));
    all_went_on = all_went_on && wait_until(limit, [&] { return is_ready(victim); });
  }
  is_over = true;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < users; ++i) {
    threads[i].join();
    EXPECT_EQ(tallies.at(i).wrong, "");
    sum += tallies.at(i).done;
  }
  EXPECT_TRUE(all_went_on) << said_by(0) << said_by(1) << said_by(2);
  ASSERT_EQ(kv({"get", "n"}), 0) << said();
  EXPECT_EQ(said(), std::to_string(sum) + "\n");
}

TEST_F(ReplicasTest, compare_and_write_all_or_nothing) {
  ASSERT_NO_FATAL_FAILURE(found());
  ASSERT_EQ(kv({"txn", "--if-absent", "lock", "--put", "lock=me", "--increment", "turns"}), 0) << said();
  EXPECT_EQ(said(), "turns\t1\n");
  EXPECT_EQ(kv({"txn", "--if-absent", "lock", "--put", "lock=you", "--increment", "turns"}), 5);
  EXPECT_NE(said().find("--if-absent lock"), std::string::npos) << said();
  ASSERT_EQ(kv({"txn", "--if", "lock=me", "--if-number", "turns=1", "--delete", "lock", "--put", "last=me"}),
            0)
      << said();
  ASSERT_EQ(kv({"scan"}), 0);
  EXPECT_EQ(said(), "last\tme\nturns\t1\n");
  EXPECT_EQ(kv({"txn", "--put", "a=1", "--delete", "a"}), 2) << said();
}

TEST_F(ReplicasTest, show_each_change_once_and_in_order_whoever_leads) {
  constexpr int writes = 20;
  const auto laptop = crypto::generate_client_key(folder.path() / "laptop");
  ASSERT_TRUE(laptop.has_value());
  pairing.clients = {{.key = *laptop, .prefixes = {"app/"}}};
  std::ofstream(configuration()) << config::print_pairing(pairing);
  ASSERT_NO_FATAL_FAILURE(found());
  std::vector<std::string> command{MALLARD_PROGRAM, "kv", "watch", "app/", "--from", "1"};
  const std::vector<std::string> place{"--config",  configuration(),
                                       "--cluster", "east",
                                       "--key",     (folder.path() / "laptop" / "client.key").string()};
  command.insert(command.end(), place.begin(), place.end());
  const std::filesystem::path file = folder.path() / "watch.out";
  ChildProcess watch(command, {.output = file});
  std::string expected;
  for (int i = 0; i < writes; ++i) {
    if (i == writes / 2) {
      const std::size_t first = leader().value_or(0);
      processes[first]->signal(SIGKILL);
      processes[first]->wait();
      processes[first].emplace(run(first, false));
    }
    ASSERT_EQ(kv({"put", "other", "1"}), 0) << said();
    ASSERT_EQ(kv({"put", "app/" + std::to_string(i % 3), std::to_string(i)}), 0) << said();
    expected += "put app/" + std::to_string(i % 3) + " " + std::to_string(i) + "\n";
  }
  // Without the indexes, which rise.
  const auto shown = [&] {
    std::istringstream lines(said_in(file));
    std::string all;
    std::string operation;
    std::string key;
    std::string value;
    std::uint64_t before = 0;
    for (std::uint64_t index = 0; lines >> index >> operation >> key >> value; before = index) {
      all += index > before ? operation + " " + key + " " + value + "\n" : "disorder\n";
    }
    return all;
  };
  EXPECT_TRUE(wait_until(limit, [&] { return shown() == expected; })) << said_in(file);
  EXPECT_TRUE(watch.running());
  EXPECT_EQ(kv_from_elsewhere({"watch", "other"}, (folder.path() / "laptop" / "client.key").string()), 5);
  EXPECT_NE(said().find("prefixes"), std::string::npos) << said();
}

TEST_F(ReplicasTest, do_not_share_a_directory) {
  ASSERT_NO_FATAL_FAILURE(found());
  ChildProcess second = run(1, false);
  EXPECT_EQ(second.wait(), 5) << said_by(1);
  EXPECT_EQ(kv({"put", "a", "1"}), 0) << "the first one goes on";
}

}  // namespace
}  // namespace mallard::integration
