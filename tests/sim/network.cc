#include "tests/sim/network.h"

#include <algorithm>

#include "bridge/wire/frame_codec.h"
#include "config/base/invariant.h"

namespace mallard::sim {
namespace {

constexpr std::uint8_t batch_flag = 2;           // of a frame's first byte, see bridge/wire/frame_codec.h
constexpr Nanos notice_max = 100 * millisecond;  // how long the end of a session may go unnoticed

bool carries_batch(ByteView head) {
  return !head.empty() && (std::to_integer<unsigned>(head[0]) & batch_flag) != 0;
}

}  // namespace

Network::Network(Stage& stage, Watchers& watchers, std::vector<Replica>& replicas)
    : stage_(stage),
      watchers_(watchers),
      replicas_(replicas),
      pair_index_(replicas.size(), std::vector<std::uint32_t>(replicas.size(), no_pair)),
      directions_(replicas.size(), std::vector<Direction>(replicas.size())),
      blocked_(replicas.size(), std::vector<std::uint16_t>(replicas.size())) {
  const auto linked = [&](std::uint16_t x, std::uint16_t y) {
    return std::any_of(stage.links.begin(), stage.links.end(), [&](const LinkTruth& link) {
      const LinkShape& shape = link.shape();
      return (shape.from == x && shape.to == y) || (shape.from == y && shape.to == x);
    });
  };
  for (const Replica& a : replicas) {
    for (const Replica& b : replicas) {
      const std::uint16_t x = a.address.cluster.value;
      const std::uint16_t y = b.address.cluster.value;
      if (a.id < b.id && (x == y || linked(x, y))) {
        pair_index_[a.id][b.id] = pair_index_[b.id][a.id] = static_cast<std::uint32_t>(pairs_.size());
        pairs_.push_back(Pair{.a = a.id, .b = b.id});
      }
    }
  }
}

void Network::start() {
  for (std::uint32_t pair = 0; pair < pairs_.size(); ++pair) {
    redial(pair, stage_.choices.draw(Stream::network, stage_.options.network.dial));
  }
}

const Replica* Network::find(ReplicaAddress address) const {
  for (const Replica& replica : replicas_) {
    if (replica.address == address) {
      return &replica;
    }
  }
  return nullptr;
}

Replica* Network::find(ReplicaAddress address) {
  return const_cast<Replica*>(static_cast<const Network*>(this)->find(address));
}

bool Network::connected(const Replica& from, const Replica& to) const {
  const std::uint32_t index = pair_of(from.id, to.id);
  return index != no_pair && pairs_[index].side[side_of(pairs_[index], from.id)] == Side::up;
}

std::size_t Network::channels_of(const Replica& replica) const {
  return static_cast<std::size_t>(std::count_if(replicas_.begin(), replicas_.end(), [&](const Replica& peer) {
    return peer.id != replica.id && connected(replica, peer);
  }));
}

Nanos Network::travel_time() {
  const NetworkOptions& network = stage_.options.network;
  return network.delay_min + extra_delay_ +
         (network.delay_spread == 0 ? 0 : stage_.choices.draw(Stream::network, network.delay_spread));
}

void Network::redial(std::uint32_t pair, Nanos delay) {
  if (!pairs_[pair].dial_pending) {
    pairs_[pair].dial_pending = true;
    stage_.schedule(delay, {.a = pair, .what = Happening::dial});
  }
}

void Network::dial(std::uint32_t index) {
  Pair& pair = pairs_[index];
  pair.dial_pending = false;
  const Replica& a = replicas_[pair.a];
  const Replica& b = replicas_[pair.b];
  if (!a.alive() || !b.alive() || !pair.idle()) {
    return;  // a restart, or the end of the session, dials again
  }
  if (blocked_[a.id][b.id] != 0 || blocked_[b.id][a.id] != 0) {
    return redial(index, 5 * stage_.options.network.dial);
  }
  ++pair.session;
  for (std::uint64_t side = 0; side < 2; ++side) {
    const Nanos delay = travel_time();
    pair.up_pending[side] = true;
    pair.up_at[side] = stage_.now + delay;
    stage_.schedule(
        delay, {.b = std::uint64_t{pair.session} << 1 | side, .a = index, .what = Happening::session_up});
  }
}

void Network::session_up(std::uint32_t index, std::uint64_t what) {
  Pair& pair = pairs_[index];
  const std::size_t side = what & 1;
  if (what >> 1 != pair.session || !pair.up_pending[side]) {
    return;
  }
  Replica& replica = replicas_[side == 0 ? pair.a : pair.b];
  Replica& peer = replicas_[side == 0 ? pair.b : pair.a];
  pair.up_pending[side] = false;
  pair.side[side] = Side::up;
  directions_[replica.id][peer.id] = {};
  replica.life->gateway->on_peer_up(peer.address, replica.clock(stage_.now));
}

void Network::session_down(std::uint32_t index, std::uint64_t what) {
  Pair& pair = pairs_[index];
  const std::size_t side = what & 1;
  if (what >> 1 != pair.session || pair.side[side] == Side::down) {
    return;
  }
  Replica& replica = replicas_[side == 0 ? pair.a : pair.b];
  Replica& peer = replicas_[side == 0 ? pair.b : pair.a];
  pair.side[side] = Side::down;
  replica.life->gateway->on_peer_down(peer.address, replica.clock(stage_.now));
  end_side(index, 1 - side, stage_.choices.draw(Stream::network, notice_max));
  after_end(index);
}

// The session is over; this side's gateway will be told, if it has heard of the session at all.
void Network::end_side(std::uint32_t index, std::size_t side, Nanos delay) {
  Pair& pair = pairs_[index];
  pair.up_pending[side] = false;
  if (pair.side[side] == Side::up) {
    pair.side[side] = Side::closing;
    stage_.schedule(
        delay, {.b = std::uint64_t{pair.session} << 1 | side, .a = index, .what = Happening::session_down});
  }
}

void Network::after_end(std::uint32_t index) {
  if (pairs_[index].idle()) {
    redial(index, stage_.options.network.dial);
  }
}

void Network::close(const Replica& from, const Replica& to) {
  const std::uint32_t index = pair_of(from.id, to.id);
  MALLARD_INVARIANT(index != no_pair);
  end_side(index, side_of(pairs_[index], from.id), 0);
}

void Network::reset(const Replica& a, const Replica& b) {
  const std::uint32_t index = pair_of(a.id, b.id);
  if (index != no_pair) {
    const std::size_t side = stage_.choices.draw(Stream::network, 2);
    end_side(index, side, 0);
    if (pairs_[index].side[side] == Side::down) {  // it has not heard of the session yet
      end_side(index, 1 - side, 0);
    }
    after_end(index);
  }
}

void Network::crashed(const Replica& replica) {
  for (std::uint32_t index = 0; index < pairs_.size(); ++index) {
    Pair& pair = pairs_[index];
    if (pair.a != replica.id && pair.b != replica.id) {
      continue;
    }
    const std::size_t side = side_of(pair, replica.id);
    pair.side[side] = Side::down;
    pair.up_pending[side] = false;
    pair.up_pending[1 - side] = false;
    if (pair.side[1 - side] == Side::up) {  // it goes on talking to the dead until it notices
      stage_.schedule(
          stage_.choices.draw(Stream::network, notice_max),
          {.b = std::uint64_t{pair.session} << 1 | (1 - side), .a = index, .what = Happening::session_down});
    }
  }
}

void Network::restarted(const Replica& replica) {
  for (std::uint32_t index = 0; index < pairs_.size(); ++index) {
    const Pair& pair = pairs_[index];
    if (pair.a == replica.id || pair.b == replica.id) {
      end_side(index, 1 - side_of(pair, replica.id), 0);
      after_end(index);
    }
  }
}

bool Network::loses(bool cross_batch) {
  if (cross_batch) {
    ++batch_frames_sent_;
    if (lose_after_ != UINT64_MAX && lose_after_-- == 0) {
      lose_after_ = UINT64_MAX;
      ++batch_frames_lost_;
      return true;
    }
  }
  const std::uint64_t loss = stage_.healed ? 0 : stage_.options.network.loss;
  if (loss == 0 || !stage_.choices.chance(Stream::network, loss)) {
    return false;
  }
  stage_.marks.hit(Mark::fault_loss);
  batch_frames_lost_ += cross_batch ? 1U : 0U;
  return true;
}

bool Network::send(Replica& from, Replica& to, const Load& load) {
  if (!connected(from, to)) {
    return false;
  }
  const NetworkOptions& network = stage_.options.network;
  Direction& direction = directions_[from.id][to.id];
  const std::uint64_t backlog = direction.busy_until > stage_.now
                                    ? (direction.busy_until - stage_.now) / 1000 * network.bytes_per_us
                                    : 0;
  if (backlog != 0 && backlog + load.body.size() > network.queue_bytes) {
    stage_.marks.hit(Mark::fault_queue_full);
    return false;
  }
  watch_sent(from, to, load);
  const bool cross_batch = from.address.cluster != to.address.cluster && carries_batch(load.head);
  const std::size_t lane = load.lane == bridge::Lane::data ? 1 : 0;
  Nanos start = stage_.now;
  if (lane == 1) {  // control frames are small and never wait behind data
    direction.busy_until = std::max(direction.busy_until, stage_.now) +
                           (load.head.size() + load.body.size()) * 1000 / network.bytes_per_us;
    start = direction.busy_until;
  }
  const bool lost = loses(cross_batch);
  const bool twice =
      !stage_.healed && network.duplicate != 0 && stage_.choices.chance(Stream::network, network.duplicate);
  if (twice) {
    stage_.marks.hit(Mark::fault_duplicate);
  }
  for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
    const std::uint32_t flight = take_off(from, to, load);
    flights_[flight].lost = lost && copy == 0;
    if (copy == 0 && load.held.bytes != 0) {
      from.life->pool.retain(load.held);
      flights_[flight].held = load.held;
    }
    Nanos arrival = start + travel_time();
    if (network.reorder && copy == 0) {
      stage_.marks.hit(Mark::fault_reorder, arrival < direction.last_arrival[lane] ? 1 : 0);
    } else {
      arrival = std::max(arrival, direction.last_arrival[lane] + 1);
    }
    direction.last_arrival[lane] = std::max(direction.last_arrival[lane], arrival);
    stage_.schedule(arrival - stage_.now, {.a = flight, .replica = to.id, .what = Happening::frame_arrives});
  }
  return true;
}

std::uint32_t Network::take_off(const Replica& from, const Replica& to, const Load& load) {
  if (free_flights_.empty()) {
    free_flights_.push_back(static_cast<std::uint32_t>(flights_.size()));
    flights_.emplace_back();
  }
  const std::uint32_t index = free_flights_.back();
  free_flights_.pop_back();
  Flight& flight = flights_[index];
  flight.from = from.id;
  flight.to = to.id;
  flight.session = pairs_[pair_of(from.id, to.id)].session;
  flight.used = true;
  flight.lost = false;
  flight.head.assign(load.head.begin(), load.head.end());
  flight.body.assign(load.body.begin(), load.body.end());
  flight.held = {};
  flight.sender_life = from.lives;
  return index;
}

void Network::watch_sent(const Replica& from, const Replica& to, const Load& load) {
  const PayloadRef shown{.slot = load.held.slot, .bytes = static_cast<std::uint32_t>(load.body.size())};
  const Result<bridge::Frame, bridge::wire::FrameError> frame = bridge::wire::decode_head(load.head, shown);
  if (!frame) {
    if (!from.byzantine) {
      stage_.fail("frames_canonical", "a correct gateway sent a frame that does not decode");
    }
    return;
  }
  watchers_.tell(&Checker::on_sent, Passage{from, to, *frame, load.head, load.body});
}

Flight* Network::arrive(const SimEvent& event) {
  Flight& flight = flights_[event.a];
  Replica& sender = replicas_[flight.from];
  if (flight.held.bytes != 0) {
    if (sender.alive() && sender.lives == flight.sender_life) {
      sender.life->pool.release(flight.held);
    }
    flight.held = {};
  }
  const Pair& pair = pairs_[pair_of(flight.from, flight.to)];
  const Side side = pair.side[side_of(pair, flight.to)];
  if (flight.lost || flight.session != pair.session || side == Side::closing ||
      !replicas_[flight.to].alive()) {
    land(event.a);
    return nullptr;
  }
  if (side == Side::down) {
    const std::size_t end = side_of(pair, flight.to);
    if (pair.up_pending[end]) {
      stage_.postpone(pair.up_at[end] + 1, event);  // this end has not heard of the session yet
    } else {
      land(event.a);
    }
    return nullptr;
  }
  if (blocked_[flight.from][flight.to] != 0) {
    if (stage_.options.network.partition_keeps_frames) {
      stage_.postpone(stage_.now + 5 * millisecond, event);
    } else {
      batch_frames_lost_ += carries_batch(flight.head) ? 1U : 0U;
      land(event.a);
    }
    return nullptr;
  }
  return &flight;
}

void Network::land(std::uint32_t flight) {
  flights_[flight].used = false;
  free_flights_.push_back(flight);
}

}  // namespace mallard::sim
