#include "transport/door/client_listener.h"

#include <algorithm>
#include <asio/posix/descriptor_base.hpp>
#include <utility>

#include "transport/channel/loop_clock.h"
#include "transport/channel/socket_options.h"

namespace mallard::transport::door {
namespace {

constexpr int backlog = 1024;  // what comes while the loop sleeps
constexpr std::chrono::milliseconds watch_interval{100};

ChannelLimits gate_limits(const ClientListenerLimits& limits) {
  ChannelLimits gate;
  gate.accepts_per_second = limits.accepts_per_second;
  gate.accepts_per_second_and_prefix = limits.accepts_per_second_and_prefix;
  return gate;
}

}  // namespace

// A connection that has proved nothing yet.
struct ClientListener::Entrant {
  explicit Entrant(asio::io_context& io) : socket(io.get_executor()) {}
  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> socket;
  std::optional<TlsStream> tls;
  std::uint64_t serial = 0;  // what waited for an earlier connection is ignored
  bool used = false;
  bool is_ready = false;
  Instant since;
  HandlerMemory handler_memory;
};

struct ClientListener::Wait {
  std::shared_ptr<ClientListener> self;
  Entrant* entrant;
  std::uint64_t serial;
  using allocator_type = HandlerAllocator<std::byte>;
  [[nodiscard]] allocator_type get_allocator() const { return allocator_type(entrant->handler_memory); }
  // An error of a wait shows itself in the call that it was for.
  void operator()(std::error_code /*error*/) const {
    if (!self->stopped_ && entrant->used && serial == entrant->serial) {
      self->on_ready(*entrant);
    }
  }
};

ClientListener::ClientListener(asio::io_context& io, const crypto::KeyPair& key,
                               std::vector<PublicKey> clients, const ClientListenerLimits& limits)
    : context_(key),
      clients_(std::move(clients)),
      limits_(limits),
      acceptor_(io),
      watch_(io.get_executor()),
      work_(io.get_executor()),
      gate_(gate_limits(limits)) {
  for (std::uint32_t i = 0; i < limits.handshakes; ++i) {
    entrants_.push_back(std::make_unique<Entrant>(io));
  }
  ready_.reserve(limits.handshakes);
}

ClientListener::~ClientListener() = default;

std::error_code ClientListener::open(const std::string& host, std::uint16_t port) {
  return acceptor_.open(host, port, backlog);
}

void ClientListener::start(Arrived arrived) {
  arrived_ = std::move(arrived);
  acceptor_.start(shared_from_this(), [this](FileDescriptor socket, const asio::ip::tcp::endpoint& source) {
    admit(std::move(socket), source);
  });
}

void ClientListener::stop() {
  stopped_ = true;
  arrived_ = {};
  acceptor_.stop();
  watch_.cancel();
  work_.cancel();
  for (const auto& entrant : entrants_) {
    drop(*entrant);
  }
}

void ClientListener::admit(FileDescriptor socket, const asio::ip::tcp::endpoint& source) {
  ++counters_.accepted;
  if (!gate_.admit(neighbourhood_of(source.address()), loop_now())) {
    ++counters_.refused_by_rate;
    abandon_on_close(socket.number());
    return;
  }
  if (!prepare_socket(socket.number())) {
    ++counters_.handshakes_failed;
    return;
  }
  Entrant& entrant = place_for_one();
  ++pending_;
  ++entrant.serial;
  entrant.used = true;
  entrant.since = loop_now();
  std::error_code ignored;
  entrant.socket.assign(socket.release(), ignored);
  watch();
  wait_for(entrant, true);
}

ClientListener::Entrant& ClientListener::place_for_one() {
  Entrant* oldest = entrants_.front().get();
  for (const auto& entrant : entrants_) {
    if (!entrant->used) {
      return *entrant;
    }
    if (entrant->since < oldest->since) {
      oldest = entrant.get();
    }
  }
  ++counters_.evicted;
  abandon_on_close(oldest->socket.native_handle());
  drop(*oldest);
  return *oldest;
}

// ---- Handshakes ----------------------------------------------------------------------------------------

void ClientListener::wait_for(Entrant& entrant, bool readable) {
  entrant.socket.async_wait(
      readable ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write,
      Wait{shared_from_this(), &entrant, entrant.serial});
}

void ClientListener::on_ready(Entrant& entrant) {
  if (!std::exchange(entrant.is_ready, true)) {
    ready_.push_back(&entrant);
  }
  work();
}

// Keys are exchanged and signatures made here, on the thread that serves everybody else.
void ClientListener::work() {
  if (work_waits_ || ready_.empty()) {
    return;
  }
  const Instant begun = loop_now();
  if (begun >= work_at_) {
    Entrant& next = *ready_.front();
    ready_.erase(ready_.begin());
    next.is_ready = false;
    shake_hands(next);
    const Instant ended = loop_now();
    work_at_ = ended + (ended - begun) * (limits_.time_share - 1);
  }
  if (!ready_.empty() && !stopped_) {
    work_waits_ = true;
    work_.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(work_at_.ns)));
    work_.async_wait([self = shared_from_this()](std::error_code error) {
      self->work_waits_ = false;
      if (!error && !self->stopped_) {
        self->work();
      }
    });
  }
}

void ClientListener::shake_hands(Entrant& entrant) {
  if (!entrant.tls) {
    entrant.tls.emplace(context_, entrant.socket.native_handle(), TlsStream::Role::listener, clients_);
  }
  const TlsStream::Progress progress = entrant.tls->handshake(limits_.handshake_bytes);
  switch (progress) {
    case TlsStream::Progress::wants_read:
    case TlsStream::Progress::wants_write:
      wait_for(entrant, progress == TlsStream::Progress::wants_read);
      return;
    case TlsStream::Progress::done: {
      ++counters_.handshakes_done;
      const std::size_t client = entrant.tls->proved();
      TlsStream tls = std::move(*entrant.tls);
      FileDescriptor socket(entrant.socket.release());
      drop(entrant);
      arrived_(std::move(socket), std::move(tls), client);
      return;
    }
    default:
      ++(entrant.tls->refused_unknown_key() ? counters_.unknown_keys : counters_.handshakes_failed);
      drop(entrant);
  }
}

void ClientListener::drop(Entrant& entrant) {
  if (!std::exchange(entrant.used, false)) {
    return;
  }
  --pending_;
  if (std::exchange(entrant.is_ready, false)) {
    std::erase(ready_, &entrant);
  }
  entrant.tls.reset();
  std::error_code ignored;
  entrant.socket.close(ignored);
}

void ClientListener::watch() {
  if (!std::exchange(watching_, true)) {
    watch_.expires_after(watch_interval);
    watch_.async_wait([self = shared_from_this()](std::error_code error) {
      if (!error && !self->stopped_) {
        self->check_deadlines();
      }
    });
  }
}

void ClientListener::check_deadlines() {
  watching_ = false;
  const Instant now = loop_now();
  for (const auto& entrant : entrants_) {
    if (entrant->used && now - entrant->since >= limits_.handshake_deadline) {
      ++counters_.handshake_deadlines;
      abandon_on_close(entrant->socket.native_handle());
      drop(*entrant);
    }
  }
  if (pending_ > 0) {
    watch();
  }
}

}  // namespace mallard::transport::door
