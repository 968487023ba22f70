// Clients of three real replicas whose leader is killed again and again: what they were told is what one map
// would have told them (reliability.md H4, as a black box).
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "cli/kv/kv_client.h"
#include "config/base/prng.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_reply.h"
#include "tests/integration/deployment/replica_clusters.h"
#include "tests/integration/deployment/waiting.h"
#include "tests/support/linearizability_checker.h"

namespace mallard::integration {
namespace {

using support::KeyCall;
using support::KeyOperation;
using transport::door::ReplyStatus;

constexpr ClusterIndex east(0);
constexpr Duration patience = Duration::seconds(30);
constexpr Duration answer_patience = Duration::seconds(3);
constexpr std::size_t clients = 5;
constexpr std::uint64_t keys_of_a_kind = 3;
constexpr int kills = 3;
constexpr std::size_t calls_between_kills = 800;

ByteView bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// What all clients asked and were told.
class History {
 public:
  void add(const KeyCall& call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(call);
    answered_ += call.returned == Instant::never() ? 0U : 1U;
  }
  [[nodiscard]] std::size_t answered() {
    const std::lock_guard lock(mutex_);
    return answered_;
  }
  [[nodiscard]] const std::vector<KeyCall>& calls() const { return calls_; }

 private:
  std::mutex mutex_;
  std::vector<KeyCall> calls_;
  std::size_t answered_ = 0;
};

std::vector<std::byte> command_of(const KeyCall& call) {
  rsm::KvCommand command;
  switch (call.operation) {
    case KeyOperation::put:
      command.operation = rsm::KvOperation::put;
      break;
    case KeyOperation::get:
      command.operation = rsm::KvOperation::get;
      break;
    case KeyOperation::erase:
      command.operation = rsm::KvOperation::erase;
      break;
    case KeyOperation::increment:
      command.operation = rsm::KvOperation::increment;
      break;
  }
  command.write = {.operation = command.operation,
                   .key = bytes_of(call.key),
                   .value = bytes_of(call.argument),
                   .amount = call.amount};
  return rsm::encode_command(command);
}

KeyCall draw_call(Prng& prng, const std::string& who, std::uint64_t number) {
  const bool is_counter = prng.below(2) == 0;
  const std::uint64_t choice = prng.below(20);
  KeyCall call;
  call.operation = choice < 10   ? KeyOperation::get
                   : choice < 11 ? KeyOperation::erase
                   : is_counter  ? KeyOperation::increment
                                 : KeyOperation::put;
  call.key = (is_counter ? "count" : "value") + std::to_string(prng.below(keys_of_a_kind));
  call.argument = who + "-" + std::to_string(number);
  call.amount = prng.between(1, 100);
  return call;
}

// Asks one thing after the other, each once, and never repeats what may have happened.
void run_client(const std::vector<std::filesystem::path>& directories, std::size_t number, History& history,
                const std::atomic<bool>& is_over) {
  cli::KvClient client(directories);
  Prng prng(number);
  for (std::uint64_t i = 0; !is_over; ++i) {
    KeyCall call = draw_call(prng, std::to_string(number), i);
    call.invoked = clock_now();
    client.ask(command_of(call), cli::Repeat::never);
    const bool is_answered = client.turn(call.invoked + answer_patience);
    const Instant now = clock_now();
    if (is_answered && client.answer()->status == ReplyStatus::done) {
      const auto reply = rsm::decode_reply(client.answer()->bytes);
      call.returned = now;
      call.found = reply && reply->status == rsm::KvStatus::ok;
      if (call.operation == KeyOperation::get || call.operation == KeyOperation::increment) {
        for (const std::byte byte : reply ? reply->body : ByteView{}) {
          call.value.push_back(static_cast<char>(byte));
        }
      }
    } else if (is_answered && client.answer()->status != ReplyStatus::unknown_outcome) {
      continue;  // it was turned away
    }
    history.add(call);
    let_pass(Duration::microseconds(static_cast<std::int64_t>(prng.below(1500))));
  }
}

TEST(Linearizable, ClientsOfReplicasThatAreKilled) {
  ReplicaClusters clusters;
  clusters.start_all();
  ASSERT_TRUE(clusters.ready(patience)) << clusters.last_words();
  clusters.founded();
  History history;
  std::atomic<bool> is_over = false;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] { run_client(clusters.directories(east), i, history, is_over); });
  }
  // Whoever leads, while much is under way; it comes back at once.
  const auto have_more = [&history, before = std::size_t{0}]() mutable {
    const bool more = history.answered() >= before + calls_between_kills;
    before = more ? history.answered() : before;
    return more;
  };
  bool all_went_on = true;
  for (int kill = 0; kill < kills && all_went_on; ++kill) {
    all_went_on = wait_until(patience, have_more);
    const ReplicaAddress victim{east,
                                ReplicaIndex(static_cast<std::uint16_t>(clusters.leader(east).value_or(0)))};
    clusters.kill(victim);
    clusters.start(victim);
    all_went_on = clusters.ready(patience) && all_went_on;
  }
  all_went_on = wait_until(patience, have_more) && all_went_on;
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(all_went_on) << clusters.last_words();
  const support::LinearityVerdict verdict = support::check_linearity(history.calls());
  EXPECT_EQ(verdict.linearity, support::Linearity::linearizable) << verdict.what;
  EXPECT_LT(history.calls().size() - history.answered(), history.answered() / 20) << "too much is unknown";
}

}  // namespace
}  // namespace mallard::integration
