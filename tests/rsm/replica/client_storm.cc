#include "tests/rsm/replica/client_storm.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "config/base/prng.h"
#include "rsm/machine/kv_reply.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/replica_stage.h"
#include "tests/support/linearizability_checker.h"

namespace mallard::rsm {
namespace {

namespace door = transport::door;
using support::KeyCall;
using support::KeyOperation;

constexpr std::size_t replicas = ReplicaStage::replicas;
constexpr std::size_t clients = 5;
constexpr std::uint64_t values = 2;
constexpr std::uint64_t counters = 2;
constexpr int steps = 30;
constexpr Duration client_patience = Duration::milliseconds(30);
constexpr Duration comeback_patience = Duration::milliseconds(400);

Duration up_to(Prng& prng, std::uint64_t microseconds) {
  return Duration::microseconds(static_cast<std::int64_t>(prng.below(microseconds)));
}

std::vector<std::byte> command_of(const KeyCall& call) {
  switch (call.operation) {
    case KeyOperation::put:
      return put(call.key, call.argument);
    case KeyOperation::increment:
      return increment(call.key, call.amount);
    case KeyOperation::erase: {
      KvCommand command{.operation = KvOperation::erase};
      command.write = {.operation = KvOperation::erase, .key = text_bytes(call.key)};
      return encode_command(command);
    }
    case KeyOperation::get:
      break;
  }
  return get(call.key);
}

class ClientStorm {
 public:
  explicit ClientStorm(std::uint64_t seed)
      : prng_(seed),
        stage_({.seed = seed,
                .durability = seed % 3 == 0 ? cft::Durability::replicated : cft::Durability::disk,
                .snapshots = {.every_entries = 40 + seed % 100}}) {}

  ClientStormOutcome run() {
    last_leader_ = stage_.wait_for_leader();
    for (int step = 0; step < steps && outcome_.checker.empty(); ++step) {
      live_for(up_to(prng_, 3000));
      disturb();
    }
    let_recover();
    finish();
    return outcome_;
  }

 private:
  struct Client {
    std::optional<std::size_t> call;  // under way, in calls_
    std::uint64_t request = 0;
    std::size_t witnessed = 0;
    std::size_t asked = 0;   // which replica
    std::uint64_t life = 0;  // of that replica
    std::size_t target = 0;
    Instant not_before;
  };

  void complain(const char* checker, std::string what) {
    if (outcome_.checker.empty()) {
      outcome_.checker = checker;
      outcome_.what = std::move(what);
    }
  }

  void live_for(Duration time) {
    stage_.run_until(
        [this] {
          for (Client& client : clients_) {
            act(client);
          }
          if (const auto leader = stage_.leader(); leader && *leader != last_leader_) {
            last_leader_ = *leader;
            ++outcome_.leaders;
          }
          return false;
        },
        time);
  }

  void act(Client& client) {
    if (client.call) {
      look_for_answer(client);
    } else if (stage_.now() >= client.not_before) {
      ask(client);
    }
  }

  void ask(Client& client) {
    if (prng_.below(10) == 0) {
      client.target = prng_.below(replicas);
    }
    if (!stage_.runs(client.target)) {
      client.target = (client.target + 1) % replicas;
      return;
    }
    calls_.push_back(draw_call());
    const std::vector<std::byte> command = command_of(calls_.back());
    client.call = calls_.size() - 1;
    client.asked = client.target;
    client.life = lives_[client.target];
    client.witnessed = stage_.witness().invoke(command, stage_.now());
    client.request = stage_.submit(client.target, command);
  }

  KeyCall draw_call() {
    KeyCall call{
        .operation = KeyOperation::get, .key = "", .argument = "", .invoked = stage_.now(), .value = ""};
    const std::uint64_t draw = prng_.below(100);
    const bool is_counter = prng_.below(2) == 0;
    call.key =
        fmt::format("{}{}", is_counter ? "count" : "value", prng_.below(is_counter ? counters : values));
    call.argument = fmt::format("v{}", calls_.size());
    call.amount = 1 + prng_.below(1000);
    if (draw < 45) {
      call.operation = is_counter ? KeyOperation::increment : KeyOperation::put;
    } else if (draw < 50) {
      call.operation = KeyOperation::erase;
    }
    return call;
  }

  void look_for_answer(Client& client) {
    const DoorAnswer* answer = stage_.answer(client.request);
    const bool is_lost = lives_[client.asked] != client.life || !stage_.runs(client.asked) ||
                         stage_.now() - calls_[*client.call].invoked > client_patience;
    if (answer == nullptr && !is_lost) {
      return;
    }
    KeyCall& call = calls_[*std::exchange(client.call, std::nullopt)];
    client.not_before = stage_.now() + up_to(prng_, 300);
    if (answer != nullptr && answer->reply.status == door::ReplyStatus::done) {
      const KvReplyCopy reply = copy_reply(answer->bytes);
      stage_.witness().returned(client.witnessed, reply, stage_.now());
      call.returned = stage_.now();
      call.found = reply.status == static_cast<std::uint8_t>(KvStatus::ok);
      call.value = reply.body;
      ++outcome_.calls;
      return;
    }
    if (answer != nullptr && answer->reply.status != door::ReplyStatus::unknown_outcome) {
      // It was turned away and cannot have happened: a read of unknown outcome says as little.
      call.operation = KeyOperation::get;
    }
    outcome_.unknown += call.operation == KeyOperation::get ? 0U : 1U;
    const bool is_told = answer != nullptr && answer->reply.leader_known;
    client.target = is_told ? answer->reply.leader.value : (client.target + 1) % replicas;
  }

  void disturb() {
    const std::uint64_t choice = prng_.below(10);
    if (away_ && choice < 5) {
      bring_back();
    } else if (!away_ && choice < 6) {
      // Mostly whom it hurts.
      const std::size_t victim = prng_.below(4) != 0 ? stage_.leader().value_or(0) : prng_.below(replicas);
      away_ = victim;
      paused_ = prng_.below(2) == 0;
      if (paused_) {
        stage_.pause(victim, true);
        ++outcome_.pauses;
      } else {
        constexpr std::array losses{journal::SimDisk::Loss::none, journal::SimDisk::Loss::everything,
                                    journal::SimDisk::Loss::some};
        stage_.crash(victim, losses[prng_.below(losses.size())]);
        ++lives_[victim];
        ++outcome_.crashes;
      }
    }
  }

  void bring_back() {
    const std::size_t id = *std::exchange(away_, std::nullopt);
    if (paused_) {
      stage_.pause(id, false);
    } else {
      stage_.start(id);
    }
    // One more fault before it takes part would be one too many.
    const auto takes_part = [&] {
      for (Client& client : clients_) {
        act(client);
      }
      const ReplicaState state = stage_.replica(id).state();
      return state == ReplicaState::following || state == ReplicaState::leading;
    };
    if (!stage_.run_until(takes_part, comeback_patience)) {
      complain("comes_back",
               fmt::format("replica {} is {} {}", id, replica_state_name(stage_.replica(id).state()),
                           stage_.replica(id).failure()));
    }
  }

  void let_recover() {
    if (away_) {
      bring_back();
    }
    live_for(Duration::milliseconds(5));
    for (std::size_t id = 0; id < replicas; ++id) {
      if (stage_.replica(id).failed()) {
        complain("comes_back", fmt::format("replica {} ends: {}", id, stage_.replica(id).failure()));
      }
    }
  }

  void finish() {
    for (std::uint64_t i = 0; i < values + counters && outcome_.checker.empty(); ++i) {
      KeyCall call{
          .operation = KeyOperation::get, .key = "", .argument = "", .invoked = stage_.now(), .value = ""};
      call.key = i < values ? fmt::format("value{}", i) : fmt::format("count{}", i - values);
      const KvReplyCopy reply = stage_.call(get(call.key));
      call.returned = stage_.now();
      call.found = reply.status == static_cast<std::uint8_t>(KvStatus::ok);
      call.value = reply.body;
      calls_.push_back(call);
    }
    const support::LinearityVerdict verdict = support::check_linearity(calls_);
    if (verdict.linearity != support::Linearity::linearizable) {
      complain("black_box", verdict.what);
    }
    if (const std::string wrong = stage_.witness().verdict(); !wrong.empty()) {
      complain("witness", wrong);
    }
  }

  Prng prng_;
  ClientStormOutcome outcome_;
  ReplicaStage stage_;
  std::array<Client, clients> clients_;
  std::array<std::uint64_t, replicas> lives_{};
  std::vector<KeyCall> calls_;
  std::optional<std::size_t> away_;
  bool paused_ = false;
  std::size_t last_leader_ = 0;
};

}  // namespace

ClientStormOutcome run_client_storm(std::uint64_t seed) { return ClientStorm(seed).run(); }

}  // namespace mallard::rsm
