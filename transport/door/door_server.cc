#include "transport/door/door_server.h"

#include <algorithm>
#include <asio/basic_waitable_timer.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <asio/posix/descriptor_base.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "config/base/invariant.h"
#include "transport/channel/handler_memory.h"
#include "transport/channel/loop_clock.h"
#include "transport/door/door_stream.h"
#include "transport/door/request_table.h"

namespace mallard::transport::door {
namespace {

constexpr std::chrono::milliseconds watch_interval{100};
constexpr std::chrono::milliseconds pause_without_descriptors{100};
constexpr int accepts_per_wake = 64;
constexpr std::uint64_t request_bytes = 16;

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
    for (std::size_t i = 0; i < places_of(settings_.limits); ++i) {
      places_.push_back(std::make_unique<Place>(i, *this));
    }
    dirty_.reserve(places_.size());
    wait();
  }
  void stop() {
    stopped_ = true;
    waiter_.release();
    listener_.reset();
    pause_.cancel();
    watch_.cancel();
    for (const auto& place : places_) {
      place->stream.shut();
    }
  }

  bool send(DoorConnection to, const DoorMessage& message) {
    Place* const place = find(to);
    if (place == nullptr || !place->welcomed || !place->stream.is_open()) {
      ++counters.messages_refused;
      return false;
    }
    const std::uint64_t answered = answered_by(message);
    if (answered != 0) {
      const bool was_full = !may_read(*place);
      MALLARD_INVARIANT(place->requests.close(answered));
      MALLARD_INVARIANT(place->stream.push(message, 0));
      counters.replies += std::holds_alternative<Reply>(message) ? 1U : 0U;
      if (was_full) {
        place->stream.resume_reading();
      }
      return true;
    }
    // What is not asked for leaves the room that answers need.
    if (place->stream.push(message, 2 * std::size_t{settings_.limits.unanswered})) {
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
    if (Place* const place = find(from); place != nullptr) {
      place->paused = paused;
      if (!paused) {
        place->stream.resume_reading();
      }
    }
  }
  void close(DoorConnection connection) {
    if (Place* const place = find(connection); place != nullptr) {
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
      return place->welcomed && place->peer.role == role && place->stream.is_open();
    }));
  }

  DoorServerCounters counters;

  // ---- DoorStreamOwner -------------------------------------------------------------------------------

  void stream_received(std::size_t number, const DoorMessage& message) override {
    Place& place = *places_[number];
    if (!place.welcomed) {
      take_hello(place, message);
      return;
    }
    if (!is_said_by(place.peer.role, message) || !open_request(place, message)) {
      pool_.release(body_of(message));
      refuse(place, DoorEnd::not_allowed);
      return;
    }
    observer_.on_message(name_of(place), message);
  }
  bool stream_may_read(std::size_t place) override { return may_read(*places_[place]); }
  void stream_has_room(std::size_t place) override {
    if (places_[place]->welcomed) {
      observer_.on_room(name_of(*places_[place]));
    }
  }
  void stream_ended(std::size_t number, DoorEnd end) override {
    Place& place = *places_[number];
    ++counters.ended[static_cast<std::size_t>(end)];
    place.used = false;
    place.requests.clear();
    if (std::exchange(place.welcomed, false) && !stopped_) {
      observer_.on_closed(name_of(place), end);
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
  struct Place {
    Place(std::size_t number, State& server)
        : stream(number, {server.io_, server.pool_, server.settings_.limits.stream, server}),
          requests(server.settings_.limits.unanswered),
          place(static_cast<std::uint32_t>(number)) {}
    DoorStream stream;
    RequestTable requests;
    DoorPeer peer;
    std::uint32_t place;
    std::uint32_t life = 0;
    bool used = false;  // from accept() to stream_ended()
    bool welcomed = false;
    bool paused = false;
  };

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
  static DoorConnection name_of(const Place& place) { return {.place = place.place, .life = place.life}; }
  Place* find(DoorConnection connection) {
    if (connection.place >= places_.size() || places_[connection.place]->life != connection.life) {
      return nullptr;
    }
    return places_[connection.place].get();
  }

  // ---- Accepting -------------------------------------------------------------------------------------

  void wait() {
    waiter_.async_wait(asio::posix::descriptor_base::wait_read, Wait{self(), &State::accept_some});
  }
  void accept_some() {
    for (int i = 0; i < accepts_per_wake; ++i) {
      bool exhausted = false;
      Descriptor caller = listener_->accept(exhausted);
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
  void admit(Descriptor socket) {
    ++counters.accepted;
    const auto caller = caller_of(socket.number());
    if (!caller || !may_use_door(caller->user, own_user())) {
      ++counters.refused_by_user;
      return;
    }
    const auto is_pending = [](const auto& place) { return place->used && !place->welcomed; };
    const auto pending = std::count_if(places_.begin(), places_.end(), is_pending);
    const auto free =
        std::find_if(places_.begin(), places_.end(), [](const auto& place) { return !place->used; });
    if (free == places_.end() || pending >= static_cast<std::ptrdiff_t>(settings_.limits.pending)) {
      ++counters.refused_by_pending;
      return;
    }
    Place& place = **free;
    place.used = true;
    place.paused = false;
    ++place.life;
    place.peer.caller = *caller;
    place.stream.open(std::move(socket));
  }

  void take_hello(Place& place, const DoorMessage& message) {
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
    if (!make_place(hello->role)) {
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
                                                .unanswered_max = settings_.limits.unanswered},
                                        0));
    observer_.on_open(name_of(place), place.peer);
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
  void refuse(Place& place, DoorEnd end) {
    static_cast<void>(place.stream.push(Refused{.reason = refusal_of(end)}, 0));
    place.stream.end(end);
  }

  // ---- Requests --------------------------------------------------------------------------------------

  [[nodiscard]] bool may_read(const Place& place) const {
    return !place.paused && !place.requests.full() &&
           place.requests.bytes() <= settings_.limits.unanswered_bytes && !place.stream.queue().is_long();
  }
  bool open_request(Place& place, const DoorMessage& message) {
    if (const auto* const submit = std::get_if<Submit>(&message)) {
      ++counters.submits;
      return place.requests.open(submit->request, submit->command.bytes);
    }
    const auto* const load = std::get_if<Load>(&message);
    return load == nullptr || place.requests.open(load->request, 0);
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
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             asio::io_context::executor_type>
      pause_;
  decltype(pause_) watch_;
  std::vector<std::unique_ptr<Place>> places_;
  bool stopped_ = false;
  bool watching_ = false;
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

bool DoorServer::send(DoorConnection to, const DoorMessage& message) { return state_->send(to, message); }

void DoorServer::flush() { state_->flush(); }

void DoorServer::pause(DoorConnection from) { state_->pause(from, true); }

void DoorServer::resume(DoorConnection from) { state_->pause(from, false); }

void DoorServer::close(DoorConnection connection) { state_->close(connection); }

void DoorServer::retry_reading() { state_->retry_reading(); }

const DoorServerCounters& DoorServer::counters() const { return state_->counters; }

std::size_t DoorServer::connections(Role role) const { return state_->count(role); }

std::uint64_t door_memory_bytes(const DoorServerLimits& limits) {
  return places_of(limits) * (DoorStream::memory_bytes(limits.stream) + limits.unanswered * request_bytes);
}

}  // namespace mallard::transport::door
