#include "transport/door/door_client.h"

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <string_view>
#include <utility>

#include "config/base/invariant.h"
#include "config/base/prng.h"
#include "transport/channel/handler_memory.h"
#include "transport/channel/loop_clock.h"
#include "transport/channel/loop_timer.h"
#include "transport/channel/redial_pause.h"
#include "transport/door/door_dialer.h"
#include "transport/door/door_stream.h"
#include "transport/door/request_table.h"

namespace mallard::transport::door {
namespace {

constexpr std::chrono::milliseconds watch_interval{100};

ChannelLimits redial_limits(const DoorClientLimits& limits) {
  ChannelLimits channel;
  channel.redial_first = limits.redial_first;
  channel.redial_last = limits.redial_last;
  return channel;
}

DoorEnd end_of(Refusal reason) {
  switch (reason) {
    case Refusal::version:
      return DoorEnd::no_version;
    case Refusal::role:
      return DoorEnd::no_place;
    case Refusal::malformed:
      break;
  }
  return DoorEnd::malformed;
}

std::string_view described(DoorEnd end) {
  switch (end) {
    case DoorEnd::no_version:
      return "the replica speaks another version";
    case DoorEnd::no_place:
      return "the replica has no place left";
    case DoorEnd::hello_deadline:
      return "the replica accepts but does not answer";
    case DoorEnd::unknown_key:
      return "the replica does not know our key";
    default:
      return "the replica closed the connection before it answered";
  }
}

std::string_view advice_for(DoorEnd end) {
  return end == DoorEnd::unknown_key ? "put the key under `clients:` of the replica's configuration"
                                     : "look at the replica's log";
}

}  // namespace

class DoorClient::State final : public DoorStreamOwner {
 public:
  State(const DoorClientSettings& settings, const Ports& ports)
      : settings_(settings),
        io_(ports.io),
        pool_(ports.pool),
        observer_(ports.observer),
        pause_(redial_limits(settings.limits), Prng(settings.seed)),
        redial_(ports.io.get_executor()),
        watch_(ports.io.get_executor()),
        requests_(settings.limits.unanswered),
        stream_(0, {ports.io, ports.pool, settings_.limits.stream, *this, settings.remote.has_value()}) {
    if (settings.remote) {
      dialer_ = std::make_shared<DoorDialer>(io_, *settings.remote, settings_.limits.stream.hello_deadline);
    }
  }

  void start() {
    if (dialer_) {
      dialer_->start({.connected =
                          [this](FileDescriptor socket, TlsStream tls) {
                            stream_.open(std::move(socket), std::move(tls), nullptr);
                            say_hello();
                          },
                      .failed =
                          [this](const std::string& what, const std::string& advice) {
                            key_unknown_ = false;
                            pause_then_dial();
                            observer_.on_failed(what, advice);
                          }});
    }
    asio::post(io_.get_executor(), Wait{self(), &State::dial});
  }
  void stop() {
    stopped_ = true;
    if (dialer_) {
      dialer_->stop();
    }
    redial_.cancel();
    watch_.cancel();
    stream_.shut();
  }

  [[nodiscard]] bool is_open() const { return welcomed_ && stream_.is_open(); }
  [[nodiscard]] bool is_key_unknown() const { return key_unknown_; }
  [[nodiscard]] std::size_t unanswered() const { return requests_.size(); }

  bool send(const DoorMessage& message) {
    MALLARD_INVARIANT(is_said_by(settings_.role, message));
    if (!is_open()) {
      return false;
    }
    const auto* const submit = std::get_if<Submit>(&message);
    if (submit != nullptr && requests_.size() >= unanswered_max_) {
      return false;
    }
    if (!stream_.push(message, 1)) {
      return false;
    }
    if (submit != nullptr) {
      MALLARD_INVARIANT(requests_.open(submit->request, submit->command.bytes));
    }
    return true;
  }
  void flush() { stream_.write_turn(); }
  void retry_reading() { stream_.retry_reading(); }

  // ---- DoorStreamOwner -------------------------------------------------------------------------------

  void stream_received(std::size_t /*place*/, const DoorMessage& message) override {
    if (!welcomed_) {
      take_welcome(message);
      return;
    }
    if (const auto* const refused = std::get_if<Refused>(&message)) {
      stream_.end(end_of(refused->reason));
      return;
    }
    const auto* const reply = std::get_if<Reply>(&message);
    const bool expected = reply == nullptr || requests_.close(reply->request);
    if (!is_said_by_replica(message) || std::holds_alternative<Welcome>(message) || !expected) {
      pool_.release(body_of(message));
      stream_.end(DoorEnd::not_allowed);
      return;
    }
    observer_.on_message(message);
  }
  bool stream_may_read(std::size_t /*place*/) override { return true; }
  void stream_has_room(std::size_t /*place*/) override {
    if (welcomed_) {
      observer_.on_room();
    }
  }
  void stream_ended(std::size_t /*place*/, DoorEnd end) override {
    requests_.clear();
    if (stopped_) {
      return;
    }
    key_unknown_ = end == DoorEnd::unknown_key;
    pause_then_dial();
    if (std::exchange(welcomed_, false)) {
      observer_.on_closed(end);
    } else {
      observer_.on_failed(name() + ": " + std::string(described(end)), std::string(advice_for(end)));
    }
  }
  void stream_wants_watch() override {
    if (!watching_ && !stopped_) {
      watching_ = true;
      watch_.expires_after(watch_interval);
      watch_.async_wait(Wait{self(), &State::check_deadlines});
    }
  }
  void stream_wants_turn(std::size_t /*place*/) override {
    if (!std::exchange(flush_posted_, true)) {
      asio::post(io_.get_executor(), Wait{self(), &State::flush_posted});
    }
  }
  void stream_wants_slot() override {}

 private:
  // What Asio calls back; its memory is the client's.
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

  [[nodiscard]] std::string name() const {
    return settings_.remote ? settings_.remote->host + ":" + std::to_string(settings_.remote->port)
                            : settings_.path.string();
  }

  void dial() {
    if (dialer_) {
      dialer_->dial();
    } else {
      dial_local();
    }
  }
  void dial_local() {
    auto socket = connect_door(settings_.path);
    if (!socket) {
      pause_then_dial();
      observer_.on_failed(socket.error().what, socket.error().advice);
      return;
    }
    const auto caller = caller_of(socket->number());
    const uid_t own = own_user();
    if (!caller || !(may_use_door(caller->user, own) || own == 0)) {
      pause_then_dial();
      observer_.on_failed(settings_.path.string() + ": another user's process listens here",
                          "run both as the same user");
      return;
    }
    stream_.open(std::move(*socket));
    say_hello();
  }
  void say_hello() { MALLARD_INVARIANT(stream_.push(Hello{.role = settings_.role}, 0)); }
  void pause_then_dial() {
    redial_.expires_after(std::chrono::nanoseconds(pause_.draw().ns));
    redial_.async_wait(Wait{self(), &State::dial});
  }

  void take_welcome(const DoorMessage& message) {
    if (const auto* const refused = std::get_if<Refused>(&message)) {
      stream_.end(end_of(refused->reason));
      return;
    }
    const auto* const welcome = std::get_if<Welcome>(&message);
    if (welcome == nullptr) {
      stream_.end(DoorEnd::malformed);
      return;
    }
    if (welcome->version < version_oldest || welcome->version > version_newest) {
      stream_.end(DoorEnd::no_version);
      return;
    }
    welcomed_ = true;
    unanswered_max_ = std::min(welcome->unanswered_max, settings_.limits.unanswered);
    pause_.reset();
    stream_.hello_done();
    stream_.allow_bodies();
    observer_.on_open(*welcome);
  }

  void flush_posted() {
    flush_posted_ = false;
    flush();
  }
  void check_deadlines() {
    watching_ = false;
    stream_.check_deadlines(loop_now());
    stream_.retry_reading();
    if (stream_.needs_watch()) {
      stream_wants_watch();
    }
  }

  const DoorClientSettings settings_;
  asio::io_context& io_;
  PayloadPool& pool_;
  DoorClientObserver& observer_;
  HandlerMemory handler_memory_;
  RedialPause pause_;
  LoopTimer redial_;
  LoopTimer watch_;
  RequestTable requests_;
  std::size_t unanswered_max_ = 0;
  DoorStream stream_;
  std::shared_ptr<DoorDialer> dialer_;  // over the network
  bool welcomed_ = false;
  bool key_unknown_ = false;
  bool stopped_ = false;
  bool watching_ = false;
  bool flush_posted_ = false;
};

DoorClient::DoorClient(const DoorClientSettings& settings, const Ports& ports)
    : state_(std::make_shared<State>(settings, ports)) {
  state_->start();
}

DoorClient::~DoorClient() { state_->stop(); }

bool DoorClient::is_open() const { return state_->is_open(); }

bool DoorClient::is_key_unknown() const { return state_->is_key_unknown(); }

bool DoorClient::send(const DoorMessage& message) { return state_->send(message); }

void DoorClient::flush() { state_->flush(); }

std::size_t DoorClient::unanswered() const { return state_->unanswered(); }

void DoorClient::retry_reading() { state_->retry_reading(); }

}  // namespace mallard::transport::door
