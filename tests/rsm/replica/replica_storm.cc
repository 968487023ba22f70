#include "tests/rsm/replica/replica_storm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "config/base/prng.h"
#include "rsm/machine/link_command.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/replica_stage.h"

namespace mallard::rsm {
namespace {

namespace door = transport::door;

constexpr LinkIndex out{0};
constexpr LinkIndex in{1};
constexpr std::size_t replicas = ReplicaStage::replicas;
constexpr int steps = 90;
constexpr std::uint64_t batches_open_max = 30;
constexpr Duration patience = Duration::milliseconds(400);

class ReplicaStorm {
 public:
  explicit ReplicaStorm(std::uint64_t seed)
      : prng_(seed), stage_({.seed = seed, .links = 2, .snapshots = {.every_entries = 2 + seed % 40}}) {
    stage_.set_censor([this](std::size_t, std::size_t, const PeerMessage&, std::vector<std::byte>& body) {
      const std::uint64_t fate = prng_.below(8);
      if (fate == 0 && !body.empty()) {
        body[prng_.below(body.size())] ^= std::byte{16};
      }
      return fate != 1;
    });
  }

  ReplicaStormOutcome run() {
    open(out, LinkDirection::outbound);
    open(in, LinkDirection::inbound);
    for (std::size_t id = 0; id < replicas; ++id) {
      attach(id);
    }
    for (int step = 0; step < steps && outcome_.checker.empty(); ++step) {
      act();
    }
    if (down_) {
      bring_back();
    }
    finish();
    return outcome_;
  }

 private:
  void complain(const char* checker, std::string what) {
    if (outcome_.checker.empty()) {
      outcome_.checker = checker;
      outcome_.what = std::move(what);
    }
  }

  void open(LinkIndex link, LinkDirection direction) {
    const auto command = encode_link_open(link, direction, Generation(1), {});
    const std::uint64_t request = stage_.submit(stage_.wait_for_leader(), command, door::Role::operations);
    if (!stage_.run_until([&] { return stage_.answer(request) != nullptr; })) {
      complain("comes_back", "nobody opens a link");
    }
  }

  // As a gateway that comes anew: it says what is QUACKed and asks for what is not applied yet.
  void attach(std::size_t id) {
    stage_.say(id, door::Attach{.incarnation = Incarnation(1), .epoch = Epoch(1)});
    say_quacked(id);
    const auto standing = stage_.machine(id).link(in, LinkDirection::inbound);
    for (std::uint64_t batch = standing ? standing->batch.value + 1 : 1; batch <= inbound_; ++batch) {
      apply(id, batch);
    }
  }
  void say_quacked(std::size_t id) {
    stage_.say(id, door::Quacked{.link = out, .generation = Generation(1), .through = BatchNumber(quacked_)});
  }
  void apply(std::size_t id, std::uint64_t batch) { stage_.apply(id, in, batch, "applied"); }

  void act() {
    const auto standing = stage_.machine(up()).link(out, LinkDirection::outbound);
    if (standing && standing->batch.value > quacked_ + batches_open_max) {
      quack();
    }
    const std::uint64_t choice = prng_.below(100);
    if (choice < 55) {
      stage_.call(draw_put());
    } else if (choice < 70) {
      burst();
    } else if (choice < 80) {
      ++inbound_;
      for (std::size_t id = 0; id < replicas; ++id) {
        if (stage_.runs(id)) {
          apply(id, inbound_);
        }
      }
    } else if (choice < 88) {
      quack();
    } else if (down_ && prng_.below(3) == 0) {
      bring_back();
    } else if (!down_) {
      take_down(prng_.below(2) == 0 ? stage_.wait_for_leader() : prng_.below(replicas));
    }
  }

  std::vector<std::byte> draw_put() {
    const std::string value(prng_.below(5) == 0 ? 6000 : prng_.below(600), 'v');
    return put(fmt::format("key{}", prng_.below(60)), value);
  }

  // Several writes under way at once; at times the power goes in the middle of them.
  void burst() {
    struct Write {
      std::size_t number = 0;
      std::uint64_t request = 0;
    };
    const std::size_t leader = stage_.wait_for_leader();
    std::vector<Write> writes;
    for (std::uint64_t count = prng_.between(2, 20); count > 0; --count) {
      const std::vector<std::byte> command = draw_put();
      const std::size_t number = stage_.witness().invoke(command, stage_.now());
      writes.push_back({number, stage_.submit(leader, command)});
      stage_.run_for(Duration::microseconds(static_cast<std::int64_t>(prng_.below(3) * 12)));
    }
    if (!down_ && prng_.below(3) == 0) {
      stage_.run_for(Duration::microseconds(static_cast<std::int64_t>(prng_.below(200))));
      prng_.below(2) == 0 ? take_down(leader) : cut_power();
    } else {
      stage_.run_until([&] { return stage_.answer(writes.back().request) != nullptr; },
                       Duration::milliseconds(20));
    }
    for (const Write& write : writes) {
      const DoorAnswer* answer = stage_.answer(write.request);
      if (answer != nullptr && answer->reply.status == door::ReplyStatus::done) {
        stage_.witness().returned(write.number, copy_reply(answer->bytes), stage_.now());
      }
    }
    stage_.run_for(Duration::microseconds(8));
  }

  void quack() {
    const auto standing = stage_.machine(up()).link(out, LinkDirection::outbound);
    const std::uint64_t newest = standing ? standing->batch.value : 0;
    if (newest > quacked_ + 4) {
      // What is not QUACKed stays within what a link has room for.
      quacked_ = prng_.between(std::max(quacked_, newest - std::min(newest, batches_open_max)), newest - 4);
      for (std::size_t id = 0; id < replicas; ++id) {
        if (stage_.runs(id)) {
          say_quacked(id);
        }
      }
    }
  }

  [[nodiscard]] std::size_t up() const { return down_ ? (*down_ + 1) % replicas : 0; }

  void crash(std::size_t id) {
    constexpr std::array losses{journal::SimDisk::Loss::none, journal::SimDisk::Loss::everything,
                                journal::SimDisk::Loss::some};
    stage_.crash(id, losses[prng_.below(losses.size())]);
    ++outcome_.crashes;
  }

  // Of all at once.
  void cut_power() {
    for (std::size_t id = 0; id < replicas; ++id) {
      crash(id);
    }
    for (std::size_t id = 0; id < replicas; ++id) {
      stage_.start(id);
    }
    for (std::size_t id = 0; id < replicas; ++id) {
      wait_for(id);
    }
    ++outcome_.power_cuts;
  }

  void take_down(std::size_t id) {
    down_ = id;
    crash(id);
    if (prng_.below(4) == 0) {
      stage_.wipe(*down_);
      ++outcome_.wipes;
    }
  }

  void bring_back() {
    const std::size_t id = *std::exchange(down_, std::nullopt);
    stage_.start(id);
    wait_for(id);
  }

  void wait_for(std::size_t id) {
    const auto takes_part = [&] {
      const ReplicaState state = stage_.replica(id).state();
      return state == ReplicaState::following || state == ReplicaState::leading;
    };
    if (!stage_.run_until(takes_part, patience)) {
      complain("comes_back",
               fmt::format("replica {} is {} {}", id, replica_state_name(stage_.replica(id).state()),
                           stage_.replica(id).failure()));
      return;
    }
    outcome_.installs += stage_.replica(id).installed();
    outcome_.damaged += stage_.replica(id).fetch()->counters().damaged;
    attach(id);
  }

  void finish() {
    // What a leader had not got decided when it died may be decided by the next one, or come back with it.
    stage_.run_for(Duration::milliseconds(20));
    for (std::size_t id = 0; id < replicas; ++id) {
      if (stage_.replica(id).failed()) {
        complain("comes_back", fmt::format("replica {} ends: {}", id, stage_.replica(id).failure()));
      }
    }
    const auto settled = [&] {
      for (std::size_t id = 0; id < replicas; ++id) {
        const auto standing = stage_.machine(id).link(in, LinkDirection::inbound);
        if (!standing || standing->batch.value < inbound_ ||
            stage_.machine(id).applied() != stage_.machine(0).applied()) {
          return false;
        }
      }
      return true;
    };
    if (outcome_.checker.empty() && !stage_.run_until(settled, patience)) {
      const auto standing = stage_.machine(0).link(in, LinkDirection::inbound);
      complain("applied_once",
               fmt::format("batch {} of {} was applied", standing ? standing->batch.value : 0, inbound_));
    }
    if (!outcome_.checker.empty()) {
      return;
    }
    // Not as a witnessed call: the witness knows nothing of links.
    std::vector<std::byte> reply(reply_bytes_max);
    reply.resize(*stage_.machine(0).query(ViewId{}, get("applied"), reply));
    const std::uint64_t applied = inbound_ == 0 ? 0 : copy_reply(reply).number();
    if (applied != inbound_) {
      complain("applied_once", fmt::format("{} batches were applied {} times", inbound_, applied));
    }
    for (std::size_t id = 1; id < replicas; ++id) {
      if (*stage_.machine(id).state_hash(ViewId{}) != *stage_.machine(0).state_hash(ViewId{})) {
        complain("states_agree", fmt::format("replica {} has another state than replica 0", id));
      }
    }
    if (const std::string verdict = stage_.witness().verdict(); !verdict.empty()) {
      complain("linearizable", verdict);
    }
    read_links();
    outcome_.batches_in = inbound_;
  }

  // A new gateway at each replica reads all that was not QUACKed.
  void read_links() {
    const auto standing = stage_.machine(0).link(out, LinkDirection::outbound);
    const std::uint64_t newest = standing ? standing->batch.value : 0;
    outcome_.batches_out = newest;
    std::vector<std::vector<std::byte>> first;
    for (std::size_t id = 0; id < replicas; ++id) {
      attach(id);
      const std::size_t before = stage_.told(id).size();
      stage_.say(id, door::Tap{.link = out, .serial = 7, .after = BatchNumber(quacked_)});
      stage_.say(id, door::Credit{.link = out, .serial = 7, .batches = 1000});
      stage_.run_for(Duration::milliseconds(2));
      std::vector<std::vector<std::byte>> bodies;
      std::uint64_t next = quacked_ + 1;
      for (std::size_t i = before; i < stage_.told(id).size(); ++i) {
        const auto* batch = std::get_if<door::Batch>(&stage_.told(id)[i].message);
        if (batch != nullptr && batch->serial == 7) {
          bodies.push_back(stage_.told(id)[i].body);
          if (batch->range.batch.value != next++) {
            complain("links_resume", fmt::format("replica {} gives batch {} instead of {}", id,
                                                 batch->range.batch.value, next - 1));
          }
        }
      }
      if (next != newest + 1) {
        complain("links_resume",
                 fmt::format("replica {} gives batches {} to {} of {}", id, quacked_ + 1, next - 1, newest));
      }
      if (id == 0) {
        first = bodies;
      } else if (bodies != first) {
        complain("links_resume", fmt::format("replica {} gives other bytes than replica 0", id));
      }
    }
  }

  Prng prng_;
  ReplicaStormOutcome outcome_;
  ReplicaStage stage_;
  std::optional<std::size_t> down_;
  std::uint64_t inbound_ = 0;
  std::uint64_t quacked_ = 0;
};

}  // namespace

ReplicaStormOutcome run_replica_storm(std::uint64_t seed) { return ReplicaStorm(seed).run(); }

}  // namespace mallard::rsm
