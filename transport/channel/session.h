// One peer's channel while it is up: reads frames, writes frames, keeps deadlines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/payload_pool.h"
#include "config/base/time.h"
#include "transport/channel/channel_counters.h"
#include "transport/channel/channel_limits.h"
#include "transport/channel/frame_assembler.h"
#include "transport/channel/frame_writer.h"
#include "transport/channel/handler_memory.h"
#include "transport/channel/progress_deadline.h"
#include "transport/channel/socket.h"
#include "transport/channel/tls_stream.h"

namespace mallard::transport {

// What a session tells its owner, from the io_context or from a call into the session. `peer` is the
// session's number.
class SessionOwner : public std::enable_shared_from_this<SessionOwner> {
 public:
  virtual ~SessionOwner() = default;
  virtual void session_received(std::size_t peer, ByteView head, PayloadRef body) = 0;
  // The session does nothing any more; the owner shuts it when it is out of the call.
  virtual void session_broke(std::size_t peer, CloseReason reason, std::string_view detail) = 0;
  // There are bytes to write and the socket has not been asked yet.
  virtual void session_wants_turn() = 0;
};

// A place for one channel after another. All memory but TLS's is allocated at construction.
class Session {
 public:
  // Everything outlives the session, which the owner owns.
  struct Surroundings {
    asio::io_context& io;
    PayloadPool& pool;
    const ChannelLimits& limits;
    SessionOwner& owner;
  };
  // `peer` is its number with the owner; `counters` are the peer's.
  Session(std::size_t peer, const Surroundings& surroundings, PeerCounters& counters);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The session is shut. After this the owner tells its observer, then calls start().
  void open(Socket socket, TlsStream stream);
  void start();
  [[nodiscard]] bool is_open() const { return state_ == State::open; }

  // False when the session is not open or the lane is full.
  [[nodiscard]] bool push(ByteView head, PayloadRef body, Lane lane);
  // Writes what is queued, as far as the socket takes it.
  void write_turn();
  // The pool may have slots again.
  void retry_reading();
  // Every 100 ms or so.
  void check_deadlines(Instant now);

  // Ends the channel for a reason of the owner's: session_broke() follows at once.
  void break_off(CloseReason reason, std::string_view detail);

  // Closes the socket and drops what is queued. `politely`: tells the peer that this is meant.
  void shut(bool politely);

  [[nodiscard]] bool has_unwritten() const { return !writer_.empty(); }
  [[nodiscard]] std::size_t queued_frames() const { return writer_.queued_frames(); }
  [[nodiscard]] std::size_t queued_bytes() const { return writer_.queued_bytes(); }

  [[nodiscard]] static std::uint64_t memory_bytes(const ChannelLimits& limits);

 private:
  enum class State : std::uint8_t { shut, open, broken };
  using Action = void (Session::*)();
  struct Wait;  // what Asio calls back

  void read_turn();
  // Yields false when the turn is over.
  bool take_staged();
  bool read_more();
  bool deliver();
  void rest_reading();
  void hold_reading(bool again);
  bool allow_key_updates(Instant now);
  void break_off_for_key_updates();
  void update_own_key(Instant now);
  void on_readable();
  void on_writable();
  void wait_for(bool readable, Action action);
  void post(Action action);
  void break_off(TlsStream::Progress progress);
  void count_wire();

  const std::size_t peer_;
  asio::io_context& io_;
  const ChannelLimits& limits_;
  SessionOwner& owner_;
  PeerCounters& counters_;
  HandlerMemory handler_memory_;

  State state_ = State::shut;
  std::uint64_t serial_ = 0;  // of the channel; what waited for an earlier one is ignored
  Socket socket_;
  std::optional<TlsStream> stream_;
  FrameAssembler assembler_;
  FrameWriter writer_;
  std::vector<std::byte> staging_;  // small frames on their way from TLS to the assembler
  std::size_t staged_begin_ = 0;
  std::size_t staged_end_ = 0;
  std::size_t frames_left_ = 0;  // of this turn
  std::size_t bytes_left_ = 0;
  std::uint64_t bytes_read_ = 0;  // out of TLS
  bool read_waits_ = false;       // a wait or a post will call read_turn()
  bool read_held_ = false;        // the pool had no slot
  bool write_waits_ = false;      // a wait will call write_turn()
  ProgressDeadline frame_deadline_;
  ProgressDeadline write_deadline_;
  std::uint64_t wire_in_counted_ = 0;
  std::uint64_t wire_out_counted_ = 0;
  Instant key_minute_start_;  // of the peer's key updates
  std::uint64_t key_updates_before_ = 0;
  std::uint64_t wire_in_before_ = 0;
  Instant own_key_since_;
  std::uint64_t own_key_from_ = 0;  // bytes written before it
};

}  // namespace mallard::transport
