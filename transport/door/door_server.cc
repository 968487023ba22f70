#include "transport/door/door_server.h"

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <asio/posix/descriptor_base.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "config/base/invariant.h"
#include "transport/channel/handler_memory.h"
#include "transport/channel/loop_clock.h"
#include "transport/channel/loop_timer.h"
#include "transport/door/client_roster.h"
#include "transport/door/door_place.h"
#include "transport/door/door_stream.h"

namespace mallard::transport::door {
namespace {

constexpr std::chrono::milliseconds watch_interval{100};
constexpr std::chrono::milliseconds pause_without_descriptors{100};
constexpr int accepts_per_wake = 64;
constexpr std::uint64_t request_bytes = 16;
constexpr std::uint64_t handshake_memory_bytes = 64U << 10;  // of TLS, measured for channels

std::size_t places_of(const DoorServerLimits& limits) {
  return std::size_t{limits.clients} + limits.operations + 1 + limits.pending;
}

Refusal refusal_of(DoorEnd end) {
  switch (end) {
    case DoorEnd::no_version:
      return Refusal::version;
    case DoorEnd::malformed:
      return Refusal::malformed;
    default:
      return Refusal::role;
  }
}

}  // namespace

class DoorServer::State final : public DoorStreamOwner {
 public:
  State(const DoorServerSettings& settings, const Ports& ports, DoorListener listener)
      : settings_(settings),
        io_(ports.io),
        pool_(ports.pool),
        observer_(ports.observer),
        listener_(std::move(listener)),
        waiter_(ports.io.get_executor(), listener_->number()),
        pause_(ports.io.get_executor()),
        watch_(ports.io.get_executor()) {}

  void start() {
    const DoorServerLimits& limits = settings_.limits;
    make_places(places_of(limits), {limits.stream, limits.unanswered, limits.unanswered_bytes, false});
    local_places_ = places_.size();
    wait();
  }
  std::error_code listen(const ClientDoorSettings& settings, const crypto::KeyPair& key) {
    MALLARD_INVARIANT(!clients_ && settings.limits.stream.queue_frames >= 4 * settings.limits.unanswered &&
                      settings.limits.stream.body_bytes <= settings.limits.body_bytes_per_client);
    client_limits_ = settings.limits;
    auto listener = std::make_shared<ClientListener>(io_, key, settings.clients, client_limits_.listener);
    if (const std::error_code error = listener->open(settings.host, settings.port)) {
      return error;
    }
    roster_.emplace(settings.clients.size(), client_limits_);
    make_places(client_limits_.connections, {client_limits_.stream, client_limits_.unanswered,
                                             client_limits_.body_bytes_per_client, true});
    clients_ = std::move(listener);
    clients_->start([this](FileDescriptor socket, TlsStream tls, std::size_t client) {
      admit_client(std::move(socket), std::move(tls), client);
    });
    return {};
  }
  [[nodiscard]] const ClientListener* clients() const { return clients_.get(); }
  void stop() {
    stopped_ = true;
    waiter_.release();
    listener_.reset();
    pause_.cancel();
    watch_.cancel();
    if (clients_) {
      clients_->stop();
    }
    for (const auto& place : places_) {
      place->stream.shut();
    }
  }

  bool send(DoorConnection to, const DoorMessage& message) {
    DoorPlace* const place = find(to);
    if (place == nullptr || !place->welcomed || !place->stream.is_open()) {
      ++counters.messages_refused;
      return false;
    }
    const std::uint64_t answered = answered_by(message);
    if (answered != 0) {
      const bool was_full = !place->may_read();
      const std::uint64_t held = place->requests.bytes();
      MALLARD_INVARIANT(place->requests.close(answered));
      give_back(*place, held - place->requests.bytes());
      MALLARD_INVARIANT(place->stream.push(message, 0));
      counters.replies += std::holds_alternative<Reply>(message) ? 1U : 0U;
      if (was_full) {
        place->stream.resume_reading();
      }
      return true;
    }
    // What is not asked for leaves the room that answers need.
    if (place->stream.push(message, 2 * std::size_t{place->limits.unanswered})) {
      return true;
    }
    ++counters.messages_refused;
    return false;
  }

  void flush() {
    for (const std::size_t place : dirty_) {
      places_[place]->stream.write_turn();
    }
    dirty_.clear();
  }

  void pause(DoorConnection from, bool paused) {
    if (DoorPlace* const place = find(from); place != nullptr) {
      place->paused = paused;
      if (!paused) {
        place->stream.resume_reading();
      }
    }
  }
  void close(DoorConnection connection) {
    if (DoorPlace* const place = find(connection); place != nullptr) {
      place->stream.end(DoorEnd::by_owner);
    }
  }
  void retry_reading() {
    if (!std::exchange(slot_wanted_, false)) {
      return;
    }
    for (const auto& place : places_) {
      place->stream.retry_reading();
    }
  }
  [[nodiscard]] std::size_t count(Role role) const {
    return static_cast<std::size_t>(std::count_if(places_.begin(), places_.end(), [role](const auto& place) {
      return place->welcomed && place->peer.role == role && !place->peer.client && place->stream.is_open();
    }));
  }
  [[nodiscard]] std::size_t count_clients() const {
    return static_cast<std::size_t>(std::count_if(places_.begin(), places_.end(), [](const auto& place) {
      return place->welcomed && place->peer.client && place->stream.is_open();
    }));
  }
  DoorServerCounters& count_all() {
    if (clients_) {
      counters.listener = clients_->counters();
    }
    return counters;
  }

  DoorServerCounters counters;

  // ---- DoorStreamOwner -------------------------------------------------------------------------------

  void stream_received(std::size_t number, const DoorMessage& message) override {
    DoorPlace& place = *places_[number];
    if (!place.welcomed) {
      take_hello(place, message);
      return;
    }
    if (!is_said_by(place.peer.role, message) || !place.open_request(message)) {
      give_back(place, body_of(message).bytes);
      pool_.release(body_of(message));
      refuse(place, DoorEnd::not_allowed);
      return;
    }
    counters.submits += std::holds_alternative<Submit>(message) ? 1U : 0U;
    observer_.on_message(place.name(), message);
  }
  bool stream_may_read(std::size_t place) override { return places_[place]->may_read(); }
  void stream_has_room(std::size_t place) override {
    if (places_[place]->welcomed) {
      observer_.on_room(places_[place]->name());
    }
  }
  void stream_ended(std::size_t number, DoorEnd end) override {
    DoorPlace& place = *places_[number];
    place.used = false;
    give_back(place, place.requests.bytes());
    place.requests.clear();
    if (place.peer.client) {
      ++counters.clients_ended[static_cast<std::size_t>(end)];
      roster_->leave(*place.peer.client);
      tell_end(*place.peer.client, end);
    } else {
      ++counters.ended[static_cast<std::size_t>(end)];
    }
    if (std::exchange(place.welcomed, false) && !stopped_) {
      observer_.on_closed(place.name(), end);
    }
  }
  void stream_wants_watch() override {
    if (!watching_ && !stopped_) {
      watching_ = true;
      watch_.expires_after(watch_interval);
      watch_.async_wait(Wait{self(), &State::check_deadlines});
    }
  }
  void stream_wants_turn(std::size_t place) override {
    if (dirty_.size() < places_.size()) {
      dirty_.push_back(place);
    }
    if (!std::exchange(flush_posted_, true)) {
      asio::post(io_.get_executor(), Wait{self(), &State::flush_posted});
    }
  }
  void stream_wants_slot() override { slot_wanted_ = true; }

 private:
  // What Asio calls back; its memory is the server's.
  struct Wait {
    std::shared_ptr<State> state;
    void (State::*action)();
    using allocator_type = HandlerAllocator<std::byte>;
    [[nodiscard]] allocator_type get_allocator() const { return allocator_type(state->handler_memory_); }
    void operator()(std::error_code error = {}) const {
      if (!error && !state->stopped_) {
        ((*state).*action)();
      }
    }
  };

  std::shared_ptr<State> self() { return std::static_pointer_cast<State>(shared_from_this()); }
  DoorPlace* find(DoorConnection connection) {
    if (connection.place >= places_.size() || places_[connection.place]->life != connection.life) {
      return nullptr;
    }
    return places_[connection.place].get();
  }

  void make_places(std::size_t count, const PlaceLimits& limits) {
    for (std::size_t i = 0; i < count; ++i) {
      const DoorStream::Surroundings surroundings{io_, pool_, limits.stream, *this, limits.over_network};
      places_.push_back(std::make_unique<DoorPlace>(places_.size(), surroundings, limits));
    }
    dirty_.reserve(places_.size());
  }

  // ---- Accepting -------------------------------------------------------------------------------------

  void wait() {
    waiter_.async_wait(asio::posix::descriptor_base::wait_read, Wait{self(), &State::accept_some});
  }
  void accept_some() {
    for (int i = 0; i < accepts_per_wake; ++i) {
      bool exhausted = false;
      FileDescriptor caller = listener_->accept(exhausted);
      if (caller.number() < 0) {
        if (exhausted) {  // the backlog would wake us again at once, and for nothing
          pause_.expires_after(pause_without_descriptors);
          pause_.async_wait(Wait{self(), &State::wait});
          return;
        }
        break;
      }
      admit(std::move(caller));
    }
    wait();
  }
  void admit(FileDescriptor socket) {
    ++counters.accepted;
    const auto caller = caller_of(socket.number());
    if (!caller || !may_use_door(caller->user, own_user())) {
      ++counters.refused_by_user;
      return;
    }
    const auto is_pending = [](const auto& place) { return place->used && !place->welcomed; };
    const auto pending = std::count_if(places_.begin(), local_end(), is_pending);
    const auto free = std::find_if(places_.begin(), local_end(), is_free);
    if (free == local_end() || pending >= static_cast<std::ptrdiff_t>(settings_.limits.pending)) {
      ++counters.refused_by_pending;
      return;
    }
    (*free)->take().caller = *caller;
    (*free)->stream.open(std::move(socket));
  }
  void admit_client(FileDescriptor socket, TlsStream tls, std::size_t client) {
    const auto free = std::find_if(local_end(), places_.end(), is_free);
    if (free == places_.end() || !roster_->enter(client)) {
      ++(free == places_.end() ? counters.clients_refused_by_places : counters.clients_refused_by_share);
      tell_end(client, DoorEnd::no_place);
      return;
    }
    (*free)->take().client = static_cast<std::uint32_t>(client);
    (*free)->stream.open(std::move(socket), std::move(tls), &roster_->budget(client));
  }
  static bool is_free(const std::unique_ptr<DoorPlace>& place) { return !place->used; }
  std::vector<std::unique_ptr<DoorPlace>>::iterator local_end() {
    return places_.begin() + static_cast<std::ptrdiff_t>(local_places_);
  }
  // What ends as it should is not told.
  void tell_end(std::size_t client, DoorEnd end) {
    if (end != DoorEnd::by_peer && end != DoorEnd::by_owner && roster_->is_news(client, end)) {
      spdlog::warn("client refused client={} reason={}; said once", client, door_end_name(end));
    }
  }

  void take_hello(DoorPlace& place, const DoorMessage& message) {
    const auto* const hello = std::get_if<Hello>(&message);
    if (hello == nullptr || hello->mark != hello_mark) {
      refuse(place, DoorEnd::malformed);
      return;
    }
    const std::uint16_t version = std::min(hello->newest, version_newest);
    if (version < hello->oldest || version < version_oldest) {
      refuse(place, DoorEnd::no_version);
      return;
    }
    const bool has_place = place.peer.client ? hello->role == Role::client : make_place(hello->role);
    if (!has_place) {
      refuse(place, DoorEnd::no_place);
      return;
    }
    place.peer.role = hello->role;
    place.welcomed = true;
    place.stream.hello_done();
    place.stream.allow_bodies();
    MALLARD_INVARIANT(place.stream.push(Welcome{.version = version,
                                                .replica = settings_.replica,
                                                .incarnation = settings_.incarnation,
                                                .unanswered_max = place.limits.unanswered},
                                        0));
    observer_.on_open(place.name(), place.peer);
  }
  // The newest gateway is the right one: the lock of the data directory lets only one live.
  bool make_place(Role role) {
    switch (role) {
      case Role::client:
        return count(role) < settings_.limits.clients;
      case Role::operations:
        return count(role) < settings_.limits.operations;
      case Role::gateway:
        for (const auto& place : places_) {
          if (place->welcomed && place->peer.role == Role::gateway) {
            place->stream.end(DoorEnd::replaced);
          }
        }
        return true;
    }
    return false;
  }
  void refuse(DoorPlace& place, DoorEnd end) {
    static_cast<void>(place.stream.push(Refused{.reason = refusal_of(end)}, 0));
    place.stream.end(end);
  }

  // ---- Requests --------------------------------------------------------------------------------------

  // Of what a client may have in the pool: others may wait for it.
  void give_back(DoorPlace& place, std::uint64_t bytes) {
    if (!place.peer.client) {
      return;
    }
    roster_->budget(*place.peer.client).give_back(bytes);
    if (slot_wanted_ && !std::exchange(retry_posted_, true)) {
      asio::post(io_.get_executor(), Wait{self(), &State::retry_posted});
    }
  }
  void retry_posted() {
    retry_posted_ = false;
    retry_reading();
  }
  static std::uint64_t answered_by(const DoorMessage& message) {
    if (const auto* const reply = std::get_if<Reply>(&message)) {
      return reply->request;
    }
    const auto* const loaded = std::get_if<Loaded>(&message);
    return loaded == nullptr ? 0 : loaded->request;
  }

  // ---- Turns -----------------------------------------------------------------------------------------

  void flush_posted() {
    flush_posted_ = false;
    flush();
  }
  void check_deadlines() {
    watching_ = false;
    const Instant now = loop_now();
    bool again = false;
    for (const auto& place : places_) {
      place->stream.check_deadlines(now);
      again = again || place->stream.needs_watch();
    }
    retry_reading();  // slots may have come and gone while nobody looked
    if (again) {
      stream_wants_watch();
    }
  }

  const DoorServerSettings settings_;
  asio::io_context& io_;
  PayloadPool& pool_;
  DoorServerObserver& observer_;
  HandlerMemory handler_memory_;
  std::optional<DoorListener> listener_;  // until stop()
  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> waiter_;
  LoopTimer pause_;
  LoopTimer watch_;
  ClientDoorLimits client_limits_;
  std::optional<ClientRoster> roster_;
  std::shared_ptr<ClientListener> clients_;
  std::vector<std::unique_ptr<DoorPlace>> places_;
  std::size_t local_places_ = 0;  // at the front; behind them those of clients over the network
  bool stopped_ = false;
  bool watching_ = false;
  bool retry_posted_ = false;
  bool slot_wanted_ = false;
  std::vector<std::size_t> dirty_;  // places with something to write, each at most once
  bool flush_posted_ = false;
};

Result<std::unique_ptr<DoorServer>, DoorProblem> DoorServer::open(const DoorServerSettings& settings,
                                                                  const Ports& ports) {
  MALLARD_INVARIANT(settings.limits.stream.queue_frames >= 4 * settings.limits.unanswered);
  auto listener = DoorListener::open(settings.path);
  if (!listener) {
    return Failure<DoorProblem>(std::move(listener.error()));
  }
  auto state = std::make_shared<State>(settings, ports, std::move(*listener));
  state->start();
  return std::unique_ptr<DoorServer>(new DoorServer(std::move(state)));
}

DoorServer::DoorServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

DoorServer::~DoorServer() { state_->stop(); }

Result<void, DoorProblem> DoorServer::listen_for_clients(const ClientDoorSettings& settings,
                                                         const crypto::KeyPair& key) {
  if (const std::error_code error = state_->listen(settings, key)) {
    return Failure<DoorProblem>(
        DoorProblem{fmt::format("clients: {}:{}: {}", settings.host, settings.port, error.message()),
                    "choose another port with `ports: {clients: ...}`, or end the program that has it"});
  }
  return {};
}

std::uint16_t DoorServer::clients_port() const {
  return state_->clients() == nullptr ? 0 : state_->clients()->port();
}

bool DoorServer::send(DoorConnection to, const DoorMessage& message) { return state_->send(to, message); }

void DoorServer::flush() { state_->flush(); }

void DoorServer::pause(DoorConnection from) { state_->pause(from, true); }

void DoorServer::resume(DoorConnection from) { state_->pause(from, false); }

void DoorServer::close(DoorConnection connection) { state_->close(connection); }

void DoorServer::retry_reading() { state_->retry_reading(); }

const DoorServerCounters& DoorServer::counters() const { return state_->count_all(); }

std::size_t DoorServer::connections(Role role) const { return state_->count(role); }

std::size_t DoorServer::client_connections() const { return state_->count_clients(); }

std::size_t DoorServer::client_handshakes() const {
  return state_->clients() == nullptr ? 0 : state_->clients()->pending();
}

std::uint64_t client_door_memory_bytes(const ClientDoorLimits& limits) {
  return limits.connections *
             (DoorStream::memory_bytes(limits.stream, true) + limits.unanswered * request_bytes) +
         limits.listener.handshakes * handshake_memory_bytes;
}

std::uint64_t door_memory_bytes(const DoorServerLimits& limits) {
  return places_of(limits) * (DoorStream::memory_bytes(limits.stream) + limits.unanswered * request_bytes);
}

}  // namespace mallard::transport::door
