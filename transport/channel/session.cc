#include "transport/channel/session.h"

#include <asio/post.hpp>

#include <algorithm>
#include <utility>

#include "config/base/invariant.h"
#include "transport/channel/loop_clock.h"

namespace mallard::transport {
namespace {

constexpr std::size_t staging_bytes = 16U << 10;     // one TLS record
constexpr std::size_t direct_read_bytes_min = 4096;  // a shorter rest of a body goes through staging
// Keys are changed after this much, and a peer may do so twice as often.
constexpr std::uint64_t own_key_bytes_max = 1ULL << 30;
constexpr Duration own_key_time_max = Duration::seconds(3600);
constexpr std::uint64_t bytes_per_foreign_key_update = own_key_bytes_max / 2;
// What OpenSSL holds for a session beside its two record buffers; measured, rounded up.
constexpr std::uint64_t tls_session_bytes = 32U << 10;
constexpr std::uint64_t tls_write_buffer_bytes = 17U << 10;

}  // namespace

struct Session::Wait {
  std::shared_ptr<SessionOwner> keep;
  Session* session;
  std::uint64_t serial;
  Action action;

  using allocator_type = HandlerAllocator<std::byte>;
  [[nodiscard]] allocator_type get_allocator() const { return allocator_type(session->handler_memory_); }

  void operator()(std::error_code error = {}) const {
    if (serial != session->serial_ || session->state_ != State::open) {
      return;
    }
    if (error) {
      session->break_off(CloseReason::lost, "the connection broke");
      return;
    }
    (session->*action)();
  }
};

Session::Session(std::size_t peer, const Surroundings& surroundings, PeerCounters& counters)
    : peer_(peer),
      io_(surroundings.io),
      limits_(surroundings.limits),
      owner_(surroundings.owner),
      counters_(counters),
      socket_(surroundings.io.get_executor()),
      assembler_(surroundings.pool),
      writer_(surroundings.limits, surroundings.pool),
      staging_(staging_bytes),
      frame_deadline_(surroundings.limits.frame_deadline),
      write_deadline_(surroundings.limits.write_deadline) {}

std::uint64_t Session::memory_bytes(const ChannelLimits& limits) {
  return sizeof(Session) + FrameWriter::memory_bytes(limits) + staging_bytes + TlsStream::outgoing_bytes +
         TlsStream::read_ahead_bytes + tls_write_buffer_bytes + tls_session_bytes;
}

void Session::open(Socket socket, TlsStream stream) {
  MALLARD_INVARIANT(state_ == State::shut);
  ++serial_;
  state_ = State::open;
  socket_ = std::move(socket);
  stream_ = std::move(stream);
  stream_->keep_buffers();
  read_waits_ = read_held_ = write_waits_ = false;
  staged_begin_ = staged_end_ = 0;
  wire_in_counted_ = wire_out_counted_ = 0;
  key_minute_start_ = own_key_since_ = loop_now();
  key_updates_before_ = wire_in_before_ = own_key_from_ = 0;
}

void Session::start() {
  if (state_ == State::open) {
    read_turn();
  }
}

bool Session::push(ByteView head, PayloadRef body, Lane lane) {
  return state_ == State::open && writer_.push(head, body, lane);
}

void Session::read_turn() {
  read_waits_ = false;
  frames_left_ = limits_.frames_per_turn;
  bytes_left_ = limits_.bytes_per_turn;
  while (state_ == State::open && take_staged() && read_more()) {
  }
  if (state_ == State::open) {
    count_wire();
  }
}

bool Session::take_staged() {
  while (state_ == State::open && (staged_begin_ < staged_end_ || read_held_)) {
    if (frames_left_ == 0) {
      post(&Session::read_turn);
      return false;
    }
    const bool was_held = std::exchange(read_held_, false);
    const auto taken =
        assembler_.take(ByteView(staging_).subspan(staged_begin_, staged_end_ - staged_begin_));
    staged_begin_ += taken.bytes;
    switch (taken.step) {
      case FrameAssembler::Step::hungry:
        break;
      case FrameAssembler::Step::frame:
        deliver();
        break;
      case FrameAssembler::Step::no_slot:
        hold_reading(was_held);
        return false;
      case FrameAssembler::Step::malformed:
        break_off(CloseReason::malformed_frame, "malformed frame");
        break;
      case FrameAssembler::Step::oversized:
        break_off(CloseReason::oversized_frame, "oversized frame");
        break;
    }
  }
  return state_ == State::open;
}

bool Session::read_more() {
  if (frames_left_ == 0 || bytes_left_ == 0) {
    post(&Session::read_turn);
    return false;
  }
  const ByteSpan room = assembler_.body_room();
  const bool direct = room.size() >= direct_read_bytes_min;
  const TlsStream::Transfer transfer = stream_->read(direct ? room : ByteSpan(staging_));
  if (transfer.progress == TlsStream::Progress::wants_read ||
      transfer.progress == TlsStream::Progress::wants_write) {
    rest_reading();
    return false;
  }
  if (transfer.progress != TlsStream::Progress::done) {
    const bool patient = allow_key_updates(loop_now());
    patient ? break_off(transfer.progress) : break_off_for_key_updates();
    return false;
  }
  bytes_left_ -= std::min(bytes_left_, transfer.bytes);
  bytes_read_ += transfer.bytes;
  if (!direct) {
    staged_begin_ = 0;
    staged_end_ = transfer.bytes;
    return true;
  }
  return assembler_.filled(transfer.bytes) != FrameAssembler::Step::frame || deliver();
}

bool Session::deliver() {
  --frames_left_;
  ++counters_.frames_in;
  const ByteView head = assembler_.head();
  const PayloadRef body = assembler_.take_body();
  counters_.frame_bytes_in += frame_header_bytes + head.size() + body.bytes;
  owner_.session_received(peer_, head, body);
  return state_ == State::open;
}

// All that has come is read.
void Session::rest_reading() {
  const Instant now = loop_now();
  if (!allow_key_updates(now)) {
    break_off_for_key_updates();
    return;
  }
  if (assembler_.between_frames()) {
    frame_deadline_.rest();
  } else {
    frame_deadline_.observe(bytes_read_, now);
  }
  wait_for(true, &Session::on_readable);
}

// Our own lack of slots is not the peer's delay.
void Session::hold_reading(bool again) {
  read_held_ = true;
  counters_.reads_held += again ? 0U : 1U;
  frame_deadline_.rest();
}

void Session::retry_reading() {
  if (state_ == State::open && read_held_ && !read_waits_) {
    post(&Session::read_turn);
  }
}

bool Session::allow_key_updates(Instant now) {
  const std::uint64_t updates = stream_->key_updates() - key_updates_before_;
  const std::uint64_t bytes = stream_->wire_bytes_in() - wire_in_before_;
  if (updates > limits_.key_updates_per_minute + bytes / bytes_per_foreign_key_update) {
    return false;
  }
  if (now - key_minute_start_ >= Duration::seconds(60)) {
    key_minute_start_ = now;
    key_updates_before_ = stream_->key_updates();
    wire_in_before_ = stream_->wire_bytes_in();
  }
  return true;
}

void Session::break_off_for_key_updates() {
  break_off(CloseReason::too_many_key_updates, "the peer changes its keys too often");
}

void Session::update_own_key(Instant now) {
  const bool due = stream_->wire_bytes_out() - own_key_from_ >= own_key_bytes_max ||
                   now - own_key_since_ >= own_key_time_max;
  if (due) {
    stream_->update_key();
    own_key_from_ = stream_->wire_bytes_out();
    own_key_since_ = now;
  }
}

void Session::write_turn() {
  if (state_ != State::open || write_waits_) {
    return;
  }
  std::size_t left = limits_.bytes_per_turn;
  const std::uint64_t frames_before = writer_.frames_begun();
  const std::uint64_t bytes_before = writer_.bytes_begun();
  bool stuck = false;
  for (ByteView bytes = writer_.next(); !bytes.empty() && left > 0 && !stuck; bytes = writer_.next()) {
    const TlsStream::Transfer transfer = stream_->write(bytes);
    switch (transfer.progress) {
      case TlsStream::Progress::done:
        writer_.wrote(transfer.bytes);
        left -= std::min(left, transfer.bytes);
        break;
      case TlsStream::Progress::wants_read:
      case TlsStream::Progress::wants_write:
        stuck = true;
        break;
      default:
        break_off(transfer.progress);
        return;
    }
  }
  counters_.frames_out += writer_.frames_begun() - frames_before;
  counters_.frame_bytes_out += writer_.bytes_begun() - bytes_before;
  const TlsStream::Progress flushed = stream_->flush();
  if (flushed == TlsStream::Progress::broken) {
    break_off(flushed);
    return;
  }
  const Instant now = loop_now();
  count_wire();
  if (stuck || flushed == TlsStream::Progress::wants_write) {
    write_deadline_.observe(stream_->wire_bytes_out(), now);
    write_waits_ = true;
    wait_for(false, &Session::on_writable);
    return;
  }
  write_deadline_.rest();
  update_own_key(now);
  if (!writer_.empty()) {
    owner_.session_wants_turn();
  }
}

void Session::on_readable() { read_turn(); }

void Session::on_writable() {
  write_waits_ = false;
  write_turn();
}

void Session::wait_for(bool readable, Action action) {
  read_waits_ = read_waits_ || readable;
  socket_.async_wait(readable ? Socket::wait_read : Socket::wait_write,
                     Wait{owner_.shared_from_this(), this, serial_, action});
}

void Session::post(Action action) {
  read_waits_ = true;
  asio::post(io_.get_executor(), Wait{owner_.shared_from_this(), this, serial_, action});
}

void Session::check_deadlines(Instant now) {
  if (state_ != State::open) {
    return;
  }
  if (frame_deadline_.missed(now)) {
    break_off(CloseReason::frame_deadline, "the peer began a frame and did not go on");
  } else if (write_deadline_.missed(now)) {
    break_off(CloseReason::write_deadline, "the peer does not read");
  }
}

void Session::break_off(CloseReason reason, std::string_view detail) {
  if (state_ != State::open) {
    return;
  }
  count_wire();
  state_ = State::broken;
  owner_.session_broke(peer_, reason, detail);
}

void Session::break_off(TlsStream::Progress progress) {
  switch (progress) {
    case TlsStream::Progress::closed:
      break_off(CloseReason::by_peer, "closed by the peer");
      break;
    case TlsStream::Progress::refused:
      break_off(CloseReason::tls_failed, stream_->failure());
      break;
    default:
      break_off(CloseReason::lost, "the connection broke");
      break;
  }
}

void Session::count_wire() {
  counters_.wire_bytes_in +=
      stream_->wire_bytes_in() - std::exchange(wire_in_counted_, stream_->wire_bytes_in());
  counters_.wire_bytes_out +=
      stream_->wire_bytes_out() - std::exchange(wire_out_counted_, stream_->wire_bytes_out());
}

void Session::shut(bool politely) {
  if (state_ == State::shut) {
    return;
  }
  state_ = State::shut;
  if (politely) {
    stream_->say_goodbye();
  }
  std::error_code ignored;
  socket_.close(ignored);
  stream_.reset();
  counters_.frames_dropped += writer_.drop_all();
  assembler_.reset();
  frame_deadline_.rest();
  write_deadline_.rest();
}

}  // namespace mallard::transport
