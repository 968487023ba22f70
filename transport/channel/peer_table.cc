#include "transport/channel/peer_table.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <asio/post.hpp>

#include <algorithm>
#include <utility>

#include "transport/channel/loop_clock.h"

namespace mallard::transport {
namespace {

constexpr std::chrono::milliseconds tick_interval{100};
constexpr Duration good_channel_time = Duration::seconds(2);  // up for that long: the next dial comes soon
constexpr std::size_t error_bytes_max = 128;

std::size_t place_of(ReplicaAddress address) {
  return std::size_t{address.cluster.value} * replicas_max + address.replica.value;
}

// What a peer can have a say in is cut and stripped before it is kept or logged.
std::string printable(std::string_view text) {
  std::string clean(text.substr(0, error_bytes_max));
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return clean;
}

}  // namespace

struct PeerTable::Turn {
  std::shared_ptr<PeerTable> table;

  using allocator_type = HandlerAllocator<std::byte>;
  [[nodiscard]] allocator_type get_allocator() const { return allocator_type(table->handler_memory_); }
  void operator()() const { table->run_turn(); }
};

PeerTable::PeerTable(const ChannelSettings& settings, const crypto::KeyPair& key,
                     const ChannelSet::Ports& ports)
    : settings_(settings),
      context_(key),
      io_(ports.io),
      pool_(ports.pool),
      observer_(ports.observer),
      ours_{.versions = settings.versions,
            .plane = settings.plane,
            .from = settings.self,
            .incarnation = settings.incarnation,
            .configuration = settings.configuration},
      index_of_(clusters_max * replicas_max, no_peer),
      tick_(ports.io.get_executor()) {
  for (const PeerIdentity& identity : settings_.peers) {
    const std::size_t index = peers_.size();
    peers_.push_back(
        std::make_unique<Peer>(identity, index, Session::Surroundings{io_, pool_, settings_.limits, *this}));
    index_of_[place_of(identity.address)] = static_cast<std::uint16_t>(index);
    if (identity.address < settings_.self) {
      dialer_keys_.push_back(identity.key);
      dialer_addresses_.push_back(identity.address);
    }
  }
  listener_ = std::make_shared<Listener>(io_, context_, settings_.limits, ours_,
                                         Listener::Roster{dialer_keys_, dialer_addresses_});
}

std::error_code PeerTable::listen() { return listener_->open(settings_.listen_host, settings_.listen_port); }

void PeerTable::start() {
  // The callbacks hold no reference: listener and dialers are stopped before the table goes.
  listener_->start({.arrived = [this](HandshakeRun& run) { adopt(run); },
                    .failed =
                        [this](ReplicaAddress address, const std::string& problem) {
                          if (Peer* const peer = find(address); peer != nullptr && !peer->up) {
                            note_error(*peer, problem);
                          }
                        }});
  const Prng prng(settings_.seed);
  for (const auto& peer : peers_) {
    if (!(settings_.self < peer->identity.address)) {
      continue;
    }
    peer->dialer = std::make_shared<Dialer>(io_, context_, settings_.limits, ours_, peer->identity);
    peer->dialer->start(RedialPause(settings_.limits, prng.child("redial", place_of(peer->identity.address))),
                        {.connected =
                             [this, to = peer.get()](HandshakeRun& run) {
                               ++to->counters.dials;
                               adopt(run);
                             },
                         .failed =
                             [this, to = peer.get()](const std::string& problem) {
                               ++to->counters.dials;
                               ++to->counters.dials_failed;
                               note_error(*to, problem);
                             }});
  }
  wait_for_tick();
}

void PeerTable::stop() {
  stopped_ = true;
  tick_.cancel();
  listener_->stop();
  for (const auto& peer : peers_) {
    if (peer->dialer) {
      peer->dialer->stop();
    }
    peer->session.shut(true);
  }
}

bool PeerTable::send(ReplicaAddress to, ByteView head, PayloadRef body, Lane lane) {
  Peer* const peer = find(to);
  if (peer == nullptr) {
    return false;
  }
  if (!peer->session.push(head, body, lane)) {
    ++peer->counters.frames_refused;
    return false;
  }
  schedule();
  return true;
}

void PeerTable::flush() {
  for (const auto& peer : peers_) {
    if (peer->session.has_unwritten()) {
      peer->session.write_turn();
    }
  }
}

void PeerTable::close(ReplicaAddress address, std::string_view reason) {
  Peer* const peer = find(address);
  if (peer != nullptr && peer->session.is_open()) {
    peer->session.break_off(CloseReason::by_observer, reason);
  }
}

void PeerTable::resume_reads() {
  reads_resume_ = true;
  schedule();
}

PeerStatus PeerTable::status(std::size_t index) const {
  const Peer& peer = *peers_[index];
  return {.address = peer.identity.address,
          .up = peer.up && !peer.broken,
          .incarnation = peer.incarnation,
          .wire_version = peer.wire_version,
          .last_error = peer.last_error,
          .queued_frames = peer.session.queued_frames(),
          .queued_bytes = peer.session.queued_bytes()};
}

void PeerTable::session_received(std::size_t peer, ByteView head, PayloadRef body) {
  observer_.on_frame(peers_[peer]->identity.address, head, body);
}

void PeerTable::session_broke(std::size_t index, CloseReason reason, std::string_view detail) {
  Peer& peer = *peers_[index];
  peer.broken = true;
  peer.broken_by = reason;
  note_error(peer, detail);
  schedule();
}

PeerTable::Peer* PeerTable::find(ReplicaAddress address) {
  if (address.cluster.value >= clusters_max || address.replica.value >= replicas_max) {
    return nullptr;
  }
  const std::uint16_t index = index_of_[place_of(address)];
  return index == no_peer ? nullptr : peers_[index].get();
}

// A handshake led to a channel. Of two from the same replica the newer life wins, and of one life the newer
// channel: it was dialed because the dialer holds the older one for dead.
void PeerTable::adopt(HandshakeRun& run) {
  Handshake& handshake = run.handshake();
  Peer* const peer = find(handshake.peer());
  if (stopped_ || peer == nullptr) {
    return;
  }
  if (peer->up && !peer->broken && handshake.theirs().incarnation < peer->incarnation) {
    ++listener_->counters().hellos_refused;
    note_error(*peer, hello_refusal_text(HelloRefusal::older_incarnation));
    return;
  }
  if (peer->session.is_open()) {
    peer->session.break_off(CloseReason::replaced, "replaced by a newer connection of the same replica");
  }
  bring_down(*peer);
  peer->incarnation = handshake.theirs().incarnation;
  peer->wire_version = handshake.wire_version();
  peer->up_since = loop_now();
  peer->up = true;
  ++peer->counters.channels_opened;
  peer->session.open(run.take_socket(), std::move(handshake.stream()));
  spdlog::info("channel up peer={}.{} incarnation={}", peer->identity.address.cluster.value,
               peer->identity.address.replica.value, peer->incarnation.value);
  observer_.on_peer_up(peer->identity.address, peer->incarnation);
  peer->session.start();
}

void PeerTable::bring_down(Peer& peer) {
  if (!peer.broken) {
    return;
  }
  peer.broken = false;
  ++peer.counters.channels_closed[static_cast<std::size_t>(peer.broken_by)];
  peer.session.shut(peer.broken_by == CloseReason::by_observer);
  const bool was_good = loop_now() - peer.up_since >= good_channel_time;
  if (peer.dialer && peer.broken_by != CloseReason::replaced) {
    peer.dialer->redial(was_good);
  }
  if (std::exchange(peer.up, false)) {
    observer_.on_peer_down(peer.identity.address, peer.broken_by);
  }
}

// One line in the log for each change, however often it repeats.
void PeerTable::note_error(Peer& peer, std::string_view error) {
  std::string clean = printable(error);
  if (clean == peer.last_error) {
    return;
  }
  peer.last_error = std::move(clean);
  spdlog::warn("channel down peer={}.{} reason=\"{}\"", peer.identity.address.cluster.value,
               peer.identity.address.replica.value, peer.last_error);
}

void PeerTable::schedule() {
  if (turn_scheduled_ || stopped_) {
    return;
  }
  turn_scheduled_ = true;
  asio::post(io_.get_executor(), Turn{std::static_pointer_cast<PeerTable>(shared_from_this())});
}

void PeerTable::run_turn() {
  turn_scheduled_ = false;
  const bool resume = std::exchange(reads_resume_, false);
  for (const auto& peer : peers_) {
    if (stopped_) {
      return;
    }
    bring_down(*peer);
    if (resume) {
      peer->session.retry_reading();
    }
    if (peer->session.has_unwritten()) {
      peer->session.write_turn();
    }
  }
}

void PeerTable::wait_for_tick() {
  tick_.expires_after(tick_interval);
  tick_.async_wait([this, keep = shared_from_this()](std::error_code error) {
    if (!error && !stopped_) {
      tick();
      wait_for_tick();
    }
  });
}

void PeerTable::tick() {
  const Instant now = loop_now();
  for (const auto& peer : peers_) {
    peer->session.check_deadlines(now);
    peer->session.retry_reading();
  }
}

}  // namespace mallard::transport
