#include "transport/door/door_stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <asio/posix/descriptor_base.hpp>
#include <asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "config/base/invariant.h"
#include "transport/channel/loop_clock.h"

namespace mallard::transport::door {
namespace {

constexpr std::size_t staging_bytes = 16U << 10;
// A shorter rest of a body goes through staging, with what follows it.
constexpr std::size_t direct_read_bytes_min = 4096;
constexpr std::size_t pieces_per_write = 64;
constexpr std::size_t record_bytes = 16U << 10;
// Of a caller over the network, since it came: nobody needs more (RFC 8446, 5.5).
constexpr std::uint64_t key_updates_max = 64;
constexpr std::uint64_t bytes_per_key_update = 512ULL << 20;

}  // namespace

struct DoorStream::Wait {
  std::shared_ptr<DoorStreamOwner> keep;
  DoorStream* stream;
  std::uint64_t serial;
  State in;
  Action action;

  using allocator_type = HandlerAllocator<std::byte>;
  [[nodiscard]] allocator_type get_allocator() const { return allocator_type(stream->handler_memory_); }

  // An error of a wait shows itself in the call that it was for.
  void operator()(std::error_code /*error*/ = {}) const {
    if (serial == stream->serial_ && stream->state_ == in) {
      (stream->*action)();
    }
  }
};

DoorStream::DoorStream(std::size_t place, const Surroundings& surroundings)
    : place_(place),
      io_(surroundings.io),
      pool_(surroundings.pool),
      limits_(surroundings.limits),
      owner_(surroundings.owner),
      socket_(surroundings.io.get_executor()),
      assembler_(surroundings.pool),
      queue_(surroundings.limits, surroundings.pool),
      staging_(staging_bytes),
      record_(surroundings.over_network ? record_bytes : 0),
      frame_deadline_(surroundings.limits.frame_deadline),
      write_deadline_(surroundings.limits.write_deadline) {}

void DoorStream::open(FileDescriptor socket) {
  begin(std::move(socket));
  wait_for(true, &DoorStream::read_turn);
}

void DoorStream::open(FileDescriptor socket, TlsStream tls, BodyBudget* budget) {
  MALLARD_INVARIANT(!record_.empty());
  begin(std::move(socket));
  tls_.emplace(std::move(tls));
  tls_->keep_buffers();
  budget_ = budget;
  if (budget != nullptr) {
    assembler_.charge(*budget);
  }
  post(&DoorStream::read_turn);  // TLS may hold what the socket does not have any more
}

void DoorStream::begin(FileDescriptor socket) {
  MALLARD_INVARIANT(state_ == State::shut);
  ++serial_;
  state_ = State::open;
  std::error_code ignored;
  socket_.assign(socket.release(), ignored);
  staged_begin_ = staged_end_ = 0;
  drained_ = read_waits_ = held_ = write_waits_ = room_wanted_ = false;
  hello_deadline_ = loop_now() + limits_.hello_deadline;
  frame_deadline_.rest();
  write_deadline_.rest();
  bytes_written_ = bytes_read_ = 0;
  owner_.stream_wants_watch();
}

void DoorStream::allow_bodies() { assembler_.limit_bodies(limits_.body_bytes); }

void DoorStream::hello_done() { hello_deadline_ = Instant::never(); }

std::uint64_t DoorStream::memory_bytes(const StreamLimits& limits, bool over_network) {
  // OpenSSL's own: a buffer to read ahead, one for a record to write, and its state.
  constexpr std::uint64_t tls_bytes =
      record_bytes + TlsStream::outgoing_bytes + TlsStream::read_ahead_bytes + (34U << 10);
  return sizeof(DoorStream) + staging_bytes + DoorQueue::memory_bytes(limits) +
         (over_network ? tls_bytes : 0);
}

bool DoorStream::push(const DoorMessage& message, std::size_t kept) {
  if (state_ != State::open) {
    return false;
  }
  const bool was_empty = queue_.empty();
  if (!queue_.push(message, kept)) {
    room_wanted_ = true;
    return false;
  }
  if (was_empty && !write_waits_ && !reading_) {
    owner_.stream_wants_turn(place_);
  }
  return true;
}

void DoorStream::read_turn() {
  read_waits_ = false;
  drained_ = false;
  reading_ = true;
  frames_left_ = limits_.frames_per_turn;
  bytes_left_ = limits_.bytes_per_turn;
  while (state_ == State::open && take_staged() && read_more()) {
  }
  reading_ = false;
  write_turn();  // what the owner answered meanwhile
}

// Yields false when the turn is over.
bool DoorStream::take_staged() {
  while (state_ == State::open && (staged_begin_ < staged_end_ || held_)) {
    if (!owner_.stream_may_read(place_)) {
      frame_deadline_.rest();  // our own delay is not the peer's
      return false;
    }
    if (frames_left_ == 0) {
      post(&DoorStream::read_turn);
      return false;
    }
    held_ = false;
    const auto taken =
        assembler_.take(ByteView(staging_).subspan(staged_begin_, staged_end_ - staged_begin_));
    staged_begin_ += taken.bytes;
    switch (taken.step) {
      case DoorAssembler::Step::hungry:
        break;
      case DoorAssembler::Step::frame:
        deliver();
        break;
      case DoorAssembler::Step::no_slot:
        held_ = true;
        frame_deadline_.rest();
        owner_.stream_wants_slot();
        owner_.stream_wants_watch();
        return false;
      case DoorAssembler::Step::malformed:
        end(DoorEnd::malformed);
        break;
    }
  }
  return state_ == State::open;
}

bool DoorStream::read_more() {
  if (!owner_.stream_may_read(place_)) {
    frame_deadline_.rest();
    return false;
  }
  if (drained_) {
    rest_reading();
    return false;
  }
  if (frames_left_ == 0 || bytes_left_ == 0) {
    post(&DoorStream::read_turn);
    return false;
  }
  return tls_ ? read_secured() : read_local();
}

bool DoorStream::read_local() {
  ByteSpan room = assembler_.body_room();
  if (room.size() < direct_read_bytes_min) {
    room = {};
  }
  std::array<iovec, 2> into{{{.iov_base = room.data(), .iov_len = room.size()},
                             {.iov_base = staging_.data(), .iov_len = staging_.size()}}};
  const ssize_t result = ::readv(socket_.native_handle(), into.data(), into.size());
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) {
    drained_ = errno == EAGAIN;
    return true;
  }
  if (result <= 0) {
    end(DoorEnd::by_peer);
    return false;
  }
  const auto count = static_cast<std::size_t>(result);
  drained_ = count < room.size() + staging_.size();
  bytes_left_ -= std::min(bytes_left_, count);
  bytes_read_ += count;
  const std::size_t direct = std::min(count, room.size());
  staged_begin_ = 0;
  staged_end_ = count - direct;
  return direct == 0 || assembler_.filled(direct) != DoorAssembler::Step::frame || deliver();
}

bool DoorStream::read_secured() {
  const TlsStream::Transfer transfer = tls_->read(staging_);
  switch (transfer.progress) {
    case TlsStream::Progress::done:
      break;
    case TlsStream::Progress::wants_read:
      drained_ = true;
      return true;
    case TlsStream::Progress::wants_write:  // the peer asks for new keys and takes nothing that is sent
      end(DoorEnd::write_deadline);
      return false;
    case TlsStream::Progress::refused:
      end(tls_->peer_refused_certificate() ? DoorEnd::unknown_key : DoorEnd::malformed);
      return false;
    default:
      end(DoorEnd::by_peer);
      return false;
  }
  staged_begin_ = 0;
  staged_end_ = transfer.bytes;
  bytes_left_ -= std::min(bytes_left_, transfer.bytes);
  bytes_read_ += transfer.bytes;
  if (tls_->key_updates() > key_updates_max + bytes_read_ / bytes_per_key_update) {
    end(DoorEnd::not_allowed);
    return false;
  }
  return true;
}

bool DoorStream::deliver() {
  frames_left_ -= std::min<std::size_t>(frames_left_, 1);
  const PayloadRef body = assembler_.take_body();
  const auto message = decode_message(assembler_.head(), body);
  if (!message) {
    pool_.release(body);
    if (budget_ != nullptr) {
      budget_->give_back(body.bytes);
    }
    end(DoorEnd::malformed);
    return false;
  }
  owner_.stream_received(place_, *message);
  return state_ == State::open;
}

// All that has come is read.
void DoorStream::rest_reading() {
  if (assembler_.between_frames()) {
    frame_deadline_.rest();
  } else {
    frame_deadline_.observe(bytes_read_, loop_now());
    owner_.stream_wants_watch();
  }
  wait_for(true, &DoorStream::read_turn);
}

void DoorStream::resume_reading() {
  if (state_ == State::open && !read_waits_) {
    post(&DoorStream::read_turn);
  }
}

void DoorStream::retry_reading() {
  if (held_) {
    resume_reading();
  }
}

void DoorStream::write_turn() {
  if (state_ != State::open || write_waits_ || !has_unwritten()) {
    return;
  }
  const bool was_long = queue_.is_long();
  const bool stuck = !write_some();
  if (state_ != State::open) {
    return;
  }
  if (stuck) {
    write_deadline_.observe(bytes_written_, loop_now());
    write_waits_ = true;
    owner_.stream_wants_watch();
    wait_for(false, &DoorStream::on_writable);
  } else {
    write_deadline_.rest();
  }
  if (queue_.is_long()) {
    return;
  }
  if (was_long) {
    resume_reading();
  }
  if (std::exchange(room_wanted_, false)) {
    asio::post(io_.get_executor(),
               Wait{owner_.shared_from_this(), this, serial_, State::open, &DoorStream::tell_room});
  }
}

bool DoorStream::has_unwritten() const { return !queue_.empty() || (tls_ && tls_->unsent_bytes() > 0); }

// Until the queue is empty; false when the socket takes no more.
bool DoorStream::write_some() { return tls_ ? write_secured() : write_local(); }

bool DoorStream::write_local() {
  std::array<iovec, pieces_per_write> pieces{};
  while (!queue_.empty()) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = queue_.gather(pieces);
    const ssize_t result = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    if (result < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno != EAGAIN && state_ == State::open) {
        end(DoorEnd::by_peer);
      }
      return false;
    }
    bytes_written_ += static_cast<std::uint64_t>(result);
    queue_.written(static_cast<std::size_t>(result));
  }
  return true;
}

// What TLS did not take is offered again with the same bytes first: the queue only grows behind them.
bool DoorStream::write_secured() {
  auto progress = TlsStream::Progress::done;
  std::array<iovec, pieces_per_write> pieces{};
  while (!queue_.empty() && progress == TlsStream::Progress::done) {
    std::size_t filled = 0;
    const std::size_t count = queue_.gather(pieces);
    for (std::size_t i = 0; i < count && filled < record_.size(); ++i) {
      const std::size_t bytes = std::min(pieces[i].iov_len, record_.size() - filled);
      std::memcpy(record_.data() + filled, pieces[i].iov_base, bytes);
      filled += bytes;
    }
    const TlsStream::Transfer transfer = tls_->write(ByteView(record_).first(filled));
    progress = transfer.progress;
    queue_.written(transfer.bytes);
  }
  if (progress == TlsStream::Progress::done) {
    progress = tls_->flush();
  }
  bytes_written_ = tls_->wire_bytes_out();
  if (progress != TlsStream::Progress::done && progress != TlsStream::Progress::wants_write &&
      state_ == State::open) {
    end(DoorEnd::by_peer);
  }
  return progress == TlsStream::Progress::done;
}

void DoorStream::on_writable() {
  write_waits_ = false;
  write_turn();
}

void DoorStream::tell_room() { owner_.stream_has_room(place_); }

void DoorStream::wait_for(bool readable, Action action) {
  read_waits_ = read_waits_ || readable;
  socket_.async_wait(
      readable ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write,
      Wait{owner_.shared_from_this(), this, serial_, State::open, action});
}

void DoorStream::post(Action action) {
  read_waits_ = true;
  asio::post(io_.get_executor(), Wait{owner_.shared_from_this(), this, serial_, State::open, action});
}

bool DoorStream::needs_watch() const {
  const bool frame_begun = frame_deadline_.missed(Instant::never() - Duration{1});
  return state_ == State::open &&
         (hello_deadline_ != Instant::never() || frame_begun || write_waits_ || held_);
}

void DoorStream::check_deadlines(Instant now) {
  if (state_ != State::open) {
    return;
  }
  if (now >= hello_deadline_) {
    end(DoorEnd::hello_deadline);
  } else if (frame_deadline_.missed(now)) {
    end(DoorEnd::frame_deadline);
  } else if (write_deadline_.missed(now)) {
    end(DoorEnd::write_deadline);
  }
}

void DoorStream::end(DoorEnd reason) {
  if (state_ != State::open) {
    return;
  }
  state_ = State::ended;
  end_ = reason;
  if (reason != DoorEnd::by_peer) {
    static_cast<void>(write_some());
    if (tls_) {
      tls_->say_goodbye();
    }
  }
  close_socket();
  asio::post(io_.get_executor(),
             Wait{owner_.shared_from_this(), this, serial_, State::ended, &DoorStream::tell_end});
}

void DoorStream::tell_end() {
  state_ = State::shut;
  owner_.stream_ended(place_, end_);
}

void DoorStream::shut() {
  ++serial_;
  state_ = State::shut;
  close_socket();
}

void DoorStream::close_socket() {
  tls_.reset();
  std::error_code ignored;
  socket_.close(ignored);
  queue_.clear();
  assembler_.reset();
  budget_ = nullptr;
  staged_begin_ = staged_end_ = 0;
  held_ = false;
}

}  // namespace mallard::transport::door
