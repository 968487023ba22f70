// A cluster that Mallard runs among hostile clients: what they ask for is refused and counted, and a client
// that keeps to the rules hardly notices.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/kv/kv_client.h"
#include "config/base/prng.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_limits.h"
#include "rsm/machine/kv_reply.h"
#include "tests/integration/deployment/waiting.h"
#include "tests/integration/hostile/attacks.h"
#include "tests/integration/hostile/hostile_client.h"
#include "tests/integration/hostile/replica_cluster.h"

namespace mallard::integration {
namespace {

using rsm::KvCommand;
using rsm::KvOperation;
using rsm::KvStatus;
using transport::door::ReplyStatus;

constexpr std::size_t good = 0;  // the clients
constexpr std::size_t bad = 1;
constexpr std::uint64_t requests_of_a_sort = 25'000;  // of four
constexpr std::uint64_t half_open_connections = 10'000;
constexpr std::uint64_t memory_bytes = 512U << 20;  // of a replica, its share of what they share with it
constexpr Duration calm = Duration::seconds(20);    // before the attack
constexpr Duration patience = Duration::seconds(5);
constexpr Duration good_patience =
    Duration::seconds(20);  // a leader may be slow to be found on a busy machine
constexpr Duration attack_limit = Duration::seconds(240);
constexpr std::size_t requests_at_once = 16;  // what a connection may have unanswered
constexpr Duration attack_pause = Duration::milliseconds(20);
constexpr std::uint64_t requests_per_broken_frame = 50;
// Twice is what is promised; the machine that this runs on is shared by the replicas, the attackers and
// others.
constexpr double ratio_max = 2.0;
constexpr Duration noise = Duration::milliseconds(5);

ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::vector<std::byte> put(std::string_view key, std::string_view value,
                           const std::optional<rsm::SessionTag>& session = {}) {
  KvCommand command{.operation = KvOperation::put, .session = session};
  command.write = {.operation = KvOperation::put, .key = bytes_of(key), .value = bytes_of(value)};
  return rsm::encode_command(command);
}

// What became of the requests of one sort.
struct Tally {
  std::uint64_t asked = 0;
  std::uint64_t refused = 0;    // answered so, or by the end of the connection
  std::uint64_t otherwise = 0;  // anything else: an attack that succeeded
};

// One who attacks with a key that is known, on a thread of little weight: what is measured is the replicas
// and not the machine.
class Attacker {
 public:
  using Command = std::vector<std::byte>;

  Attacker(const ReplicaCluster& cluster, std::uint64_t seed) : cluster_(cluster), random_(seed) {}

  // Asks for what `make` makes, many at a time; `is_refused` judges each answer. Now and then says `frame`,
  // if it is not empty, which must end the connection.
  template <class Make, class IsRefused>
  Tally run(const Stop& stop, Make make, IsRefused is_refused, const std::vector<std::byte>& frame) {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
    Tally tally;
    for (std::uint64_t turn = 1; tally.asked < requests_of_a_sort && !stop; ++turn) {
      let_pass(attack_pause);
      if (!enter()) continue;
      if (!frame.empty() && turn % requests_per_broken_frame == 0) {
        ++tally.asked;
        const bool ended = client_->say(frame, patience) && client_->is_ended(patience);
        ++(ended ? tally.refused : tally.otherwise);
        client_.reset();
        continue;
      }
      std::vector<Command> commands;
      for (std::size_t i = 0; i < requests_at_once; ++i) commands.push_back(make(tally.asked + i));
      bool leads = true;
      for (const HostileClient::Answer& answer : client_->ask(commands, patience)) {
        // Who does not lead, or not any more, has judged nothing.
        leads = leads && answer.status != ReplyStatus::not_leader;
        if (!leads || answer.status == ReplyStatus::unknown_outcome) continue;
        ++tally.asked;
        ++(is_refused(answer) ? tally.refused : tally.otherwise);
      }
      if (!leads) client_.reset();
    }
    return tally;
  }

 private:
  bool enter() {
    if (client_ != nullptr && client_->is_open()) return true;
    const auto leader = cluster_.leader();
    if (!leader) return false;
    const std::string from =
        "127.8." + std::to_string(random_.below(250)) + "." + std::to_string(1 + random_.below(250));
    client_ = std::make_unique<HostileClient>(cluster_.doors(cluster_.client(bad))[*leader], from, patience);
    return client_->is_open();
  }

  const ReplicaCluster& cluster_;
  Prng random_;
  std::unique_ptr<HostileClient> client_;
};

auto is(ReplyStatus status) {
  return [status](const HostileClient::Answer& answer) { return answer.status == status; };
}

bool is_status(const HostileClient::Answer& answer, KvStatus status) {
  const auto reply = answer.status == ReplyStatus::done ? rsm::decode_reply(answer.bytes) : std::nullopt;
  return reply && reply->status == status;
}

// Puts and gets in turn, one after the other, until `stop`; how long each took.
std::vector<Duration> use(const ReplicaCluster& cluster, const std::atomic<bool>& stop,
                          std::uint64_t& failed) {
  cli::KvClient client(cluster.doors(cluster.client(good)));
  std::vector<Duration> times;
  for (std::uint64_t i = 0; !stop; ++i) {
    const std::string key = "/good/" + std::to_string(i / 2 % 100);
    KvCommand get{.operation = KvOperation::get};
    get.write.key = bytes_of(key);
    const Instant begun = clock_now();
    client.ask(i % 2 == 0 ? put(key, std::to_string(i)) : rsm::encode_command(get), cli::Repeat::always);
    const bool answered = client.turn(begun + good_patience);
    const auto reply = answered ? rsm::decode_reply(client.answer()->bytes) : std::nullopt;
    if (!reply || reply->status != KvStatus::ok) {
      ++failed;
      std::printf("request %llu failed: %s, reply status %d, %s\n", static_cast<unsigned long long>(i),
                  answered ? "answered" : "no answer", reply ? static_cast<int>(reply->status) : -1,
                  client.failure().c_str());
    }
    times.push_back(clock_now() - begun);
    let_pass(Duration::milliseconds(1));
  }
  return times;
}

Duration share_of(std::vector<Duration> times, double share) {
  std::sort(times.begin(), times.end(), [](Duration a, Duration b) { return a.ns < b.ns; });
  return times.at(static_cast<std::size_t>(static_cast<double>(times.size() - 1) * share));
}

double milliseconds(Duration span) { return static_cast<double>(span.ns) / 1e6; }

// Connections that say nothing, garbage, or half of a TLS hello, and hang: some hundred a second, and many
// open at a time.
std::uint64_t open_half(const std::vector<std::uint16_t>& ports, const Stop& stop) {
  constexpr std::size_t open_at_once = 2'000;
  constexpr std::uint64_t together = 50;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
  const std::string garbage(300, 'g');
  const std::string client_hello_begins("\x16\x03\x01\x01\x00", 5);
  std::deque<FileDescriptor> open;
  Prng random(5);
  std::uint64_t made = 0;
  for (std::uint64_t i = 0; made < half_open_connections && !stop; ++i) {
    if (i % together == 0) let_pass(Duration::milliseconds(100));
    const std::string from =
        "127.9." + std::to_string(random.below(250)) + "." + std::to_string(1 + random.below(250));
    FileDescriptor socket = connect_from(from, ports[i % ports.size()]);
    if (!socket.is_open()) continue;
    ++made;
    const std::string& says = i % 3 == 1 ? garbage : client_hello_begins;
    if (i % 3 != 0) ::send(socket.number(), says.data(), says.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    open.push_back(std::move(socket));
    if (open.size() > open_at_once) open.pop_front();
  }
  return made;
}

class HostileClients : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cluster_.start(Duration::seconds(30))) << cluster_.said(0); }

  // The answer to one command of a client; good until the next.
  rsm::KvReply ask(std::size_t who, const std::vector<std::byte>& command) {
    cli::KvClient client(cluster_.doors(cluster_.client(who)));
    client.ask(command, cli::Repeat::always);
    EXPECT_TRUE(client.turn(clock_now() + Duration::seconds(20))) << client.failure();
    last_ = client.answer() ? client.answer()->bytes : std::vector<std::byte>();
    return rsm::decode_reply(last_).value_or(rsm::KvReply{.status = KvStatus::malformed});
  }
  double counted(const std::string& name, const std::string& label) {
    double sum = 0;
    for (std::size_t i = 0; i < ReplicaCluster::replicas; ++i) sum += cluster_.metric(i, name, label);
    return sum;
  }

  void judge_counters() {
    const auto at_least = [&](const char* name, const char* label, std::uint64_t least) {
      EXPECT_TRUE(wait_until(patience, [&] { return counted(name, label) >= static_cast<double>(least); }))
          << name << "{" << label << "} is " << counted(name, label) << ", not " << least;
    };
    at_least("mallard_replica_commands_total", "outcome=\"forbidden\"", requests_of_a_sort);
    at_least("mallard_replica_commands_total", "outcome=\"refused\"", requests_of_a_sort * 19 / 10);
    at_least("mallard_client_ended_total", "reason=\"malformed\"", requests_of_a_sort / 1000);
    at_least("mallard_client_refused_total", "", half_open_connections);
  }
  void judge_processes() {
    for (std::size_t i = 0; i < ReplicaCluster::replicas; ++i) {
      EXPECT_TRUE(cluster_.process(i).running()) << cluster_.said(i);
      std::printf("  replica %zu: %.1f MiB at most\n", i,
                  static_cast<double>(cluster_.process(i).peak_resident_bytes()) / (1 << 20));
    }
    EXPECT_EQ(cluster_.kills().value_or(0), 0U);
  }

  ReplicaCluster cluster_{{"/good/", "/bad/"}, memory_bytes};
  std::vector<std::byte> last_;
};

// Malformed, oversized, unauthorised and replayed requests, of a client that is known; strangers who open
// connections and hang.
struct Attack {
  explicit Attack(const ReplicaCluster& cluster, std::uint64_t victims_session, std::uint64_t own_session)
      : cluster_(cluster), victims_session_(victims_session), own_session_(own_session) {}

  Tally malformed() {
    Attacker attacker(cluster_, 1);
    Prng random(11);
    const auto garbage = [&](std::uint64_t) {
      std::vector<std::byte> bytes(1 + random.below(200));
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(0x80U | random.below(256));
      return bytes;
    };
    return attacker.run(stop, garbage, is(ReplyStatus::refused), std::vector<std::byte>(64, std::byte{0xee}));
  }
  Tally oversized() {
    Attacker attacker(cluster_, 2);
    const std::string key = "/bad/" + std::string(2 * rsm::key_bytes_max, 'k');
    const auto large = [&](std::uint64_t) { return put(key, "value"); };
    std::vector<std::byte> frame(6);
    ByteWriter writer(frame);
    writer.write(static_cast<std::uint32_t>(command_bytes_max + 1));
    writer.write(static_cast<std::uint16_t>(10));
    return attacker.run(stop, large, is(ReplyStatus::refused), frame);
  }
  Tally unauthorised() {
    Attacker attacker(cluster_, 3);
    const auto foreign = [](std::uint64_t i) {
      KvCommand command;
      switch (i % 5) {
        case 0:
          return put("/good/1", "stolen");
        case 1:
          command.operation = KvOperation::get;
          command.write.key = bytes_of("/good/1");
          break;
        case 2:
          command.operation = KvOperation::scan;
          command.scan.prefix = bytes_of("/");
          break;
        case 3:
          command.operation = KvOperation::erase;
          command.write.key = bytes_of("/good/1");
          break;
        default:
          command.operation = KvOperation::fence_raise;
          command.number = 1000 + i;
          break;
      }
      return rsm::encode_command(command);
    };
    return attacker.run(stop, foreign, is(ReplyStatus::forbidden), {});
  }
  // Another's session is refused. An own request that was executed is answered again and not executed again.
  Tally replayed() {
    Attacker attacker(cluster_, 4);
    const auto replay = [this](std::uint64_t i) {
      if (i % 2 == 0)
        return put("/bad/replay", "x", rsm::SessionTag{.session = victims_session_, .sequence = 1});
      KvCommand command{.operation = KvOperation::increment,
                        .session = rsm::SessionTag{.session = own_session_, .sequence = 1}};
      command.write = {.operation = KvOperation::increment, .key = bytes_of("/bad/n"), .amount = 1};
      return rsm::encode_command(command);
    };
    const auto is_refused = [](const HostileClient::Answer& answer) {
      return is_status(answer, KvStatus::session_not_owned) || is_status(answer, KvStatus::ok);
    };
    return attacker.run(stop, replay, is_refused, {});
  }

  Stop stop{false};

 private:
  const ReplicaCluster& cluster_;
  std::uint64_t victims_session_;
  std::uint64_t own_session_;
};

std::uint64_t session_in(const rsm::KvReply& reply) { return ByteReader(reply.body).read<std::uint64_t>(); }

// The client that keeps to the rules, at work until stop().
class GoodUser {
 public:
  explicit GoodUser(const ReplicaCluster& cluster)
      : work_([this, &cluster] { times_ = use(cluster, over_, failed_); }) {}
  ~GoodUser() { stop(); }
  GoodUser(const GoodUser&) = delete;
  GoodUser& operator=(const GoodUser&) = delete;

  void stop() {
    over_ = true;
    if (work_.joinable()) work_.join();
  }
  // After stop().
  [[nodiscard]] const std::vector<Duration>& times() const { return times_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  std::vector<Duration> times_;
  std::uint64_t failed_ = 0;
  std::atomic<bool> over_{false};
  std::thread work_;  // last: it uses the others
};

struct Outcome {
  std::map<std::string, Tally> tallies;
  std::uint64_t half_open = 0;
};

// All of it at the same time, until it is done or attack_limit has passed.
Outcome carry_out(Attack& attack, const ReplicaCluster& cluster) {
  Outcome outcome;
  std::vector<std::thread> attackers;
  const auto send = [&](const std::string& name, Tally (Attack::*sort)()) {
    Tally& tally = outcome.tallies[name];
    attackers.emplace_back([&attack, &tally, sort] { tally = (attack.*sort)(); });
  };
  send("malformed", &Attack::malformed);
  send("oversized", &Attack::oversized);
  send("unauthorised", &Attack::unauthorised);
  send("replayed", &Attack::replayed);
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i < ReplicaCluster::replicas; ++i) ports.push_back(cluster.clients_port(i));
  attackers.emplace_back([&] { outcome.half_open = open_half(ports, attack.stop); });
  std::atomic<bool> over{false};
  std::thread watchdog([&] { attack.stop = !wait_until(attack_limit, [&] { return over.load(); }); });
  for (std::thread& attacker : attackers) attacker.join();
  over = true;
  watchdog.join();
  return outcome;
}

void judge_attack(const Outcome& outcome) {
  for (const auto& [name, tally] : outcome.tallies) {
    std::printf("%s: %llu requests, %llu refused\n", name.c_str(),
                static_cast<unsigned long long>(tally.asked), static_cast<unsigned long long>(tally.refused));
    EXPECT_GE(tally.asked, requests_of_a_sort) << name;
    EXPECT_EQ(tally.otherwise, 0U) << name;
  }
  std::printf("%llu half-open connections\n", static_cast<unsigned long long>(outcome.half_open));
  EXPECT_GE(outcome.half_open, half_open_connections);
}

void judge_service(const GoodUser& before, const GoodUser& during) {
  const auto show = [](const char* when, const GoodUser& user) {
    const Duration p99 = share_of(user.times(), 0.99);
    std::printf("service %s: %zu requests, p50 %.2f ms, p99 %.2f ms, longest %.2f ms\n", when,
                user.times().size(), milliseconds(share_of(user.times(), 0.5)), milliseconds(p99),
                milliseconds(share_of(user.times(), 1.0)));
    EXPECT_EQ(user.failed(), 0U) << "requests of the good client " << when;
    return milliseconds(p99);
  };
  const double calm_p99 = show("before", before);
  const double attacked_p99 = show("during", during);
  std::printf("p99 ratio %.2f\n", attacked_p99 / calm_p99);
  EXPECT_LE(attacked_p99, ratio_max * calm_p99 + milliseconds(noise));
}

TEST_F(HostileClients, AreRefusedAndCountedAndHardlyNoticed) {
  const auto open_session = rsm::encode_command(KvCommand{.operation = KvOperation::session_open});
  const std::uint64_t victims_session = session_in(ask(good, open_session));
  const std::uint64_t own_session = session_in(ask(bad, open_session));
  ASSERT_NE(victims_session, 0U);
  ASSERT_NE(own_session, 0U);
  GoodUser before(cluster_);
  let_pass(calm);
  before.stop();
  GoodUser during(cluster_);
  Attack attack(cluster_, victims_session, own_session);
  const Outcome outcome = carry_out(attack, cluster_);
  during.stop();
  judge_attack(outcome);
  judge_service(before, during);
  // What was asked twelve thousand times in one request of a session happened once.
  KvCommand sum{.operation = KvOperation::get};
  sum.write.key = bytes_of("/bad/n");
  EXPECT_EQ(ByteReader(ask(bad, rsm::encode_command(sum)).body).read<std::uint64_t>(), 1U);
  judge_counters();
  judge_processes();
}

}  // namespace
}  // namespace mallard::integration
