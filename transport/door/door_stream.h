// One connection through the door while it is open: reads frames, writes frames, keeps deadlines. The same at
// both ends.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include "config/base/payload_pool.h"
#include "config/base/time.h"
#include "transport/channel/handler_memory.h"
#include "transport/channel/progress_deadline.h"
#include "transport/channel/tls_stream.h"
#include "transport/door/door_assembler.h"
#include "transport/door/door_end.h"
#include "transport/door/door_limits.h"
#include "transport/door/door_queue.h"
#include "transport/door/door_socket.h"

namespace mallard::transport::door {

// What a stream tells its owner, only ever from the io_context. `place` is the stream's number.
class DoorStreamOwner : public std::enable_shared_from_this<DoorStreamOwner> {
 public:
  virtual ~DoorStreamOwner() = default;
  // The owner takes over one reference to the message's body.
  virtual void stream_received(std::size_t place, const DoorMessage& message) = 0;
  // Whether the next message may be read; asked before each. resume_reading() after it changed.
  virtual bool stream_may_read(std::size_t place) = 0;
  // push() refused something, and now there is room for half of the queue.
  virtual void stream_has_room(std::size_t place) = 0;
  // The stream is shut; told once for each open().
  virtual void stream_ended(std::size_t place, DoorEnd end) = 0;
  // There is a deadline to keep, or a slot to wait for: call check_deadlines() and retry_reading() every 100
  // ms or so while needs_watch().
  virtual void stream_wants_watch() = 0;
  // There are bytes to write: call write_turn() soon. May come from inside push().
  virtual void stream_wants_turn(std::size_t place) = 0;
  // The pool had no slot for a body: call retry_reading() as soon as it may have one.
  virtual void stream_wants_slot() = 0;
};

// A place for one connection after another. All memory is allocated at construction.
class DoorStream {
 public:
  // Everything outlives the stream, which the owner owns.
  struct Surroundings {
    asio::io_context& io;
    PayloadPool& pool;
    const StreamLimits& limits;
    DoorStreamOwner& owner;
    bool over_network = false;  // connections carry TLS
  };
  DoorStream(std::size_t place, const Surroundings& surroundings);
  DoorStream(const DoorStream&) = delete;
  DoorStream& operator=(const DoorStream&) = delete;

  // The stream is shut, and stream_ended() has told so. `socket` is connected and non-blocking. Bodies are
  // malformed until allow_bodies(); the hello must be done until hello_deadline.
  void open(FileDescriptor socket);
  // The same over the network, after the handshake; `tls` stands on the socket. Where `budget` is not null
  // the bodies of messages count against it, until the owner gives back what came with stream_received().
  void open(FileDescriptor socket, TlsStream tls, BodyBudget* budget);
  void allow_bodies();
  void hello_done();
  [[nodiscard]] bool is_open() const { return state_ == State::open; }

  // False when the stream is not open or the queue has no more than `kept` places (DoorQueue::push()).
  [[nodiscard]] bool push(const DoorMessage& message, std::size_t kept);
  // Writes what is queued, as far as the socket takes it.
  void write_turn();
  // stream_may_read() may say otherwise now.
  void resume_reading();
  // The pool may have slots again.
  void retry_reading();

  void check_deadlines(Instant now);
  [[nodiscard]] bool needs_watch() const;

  // Closes the connection and drops what is queued, after one more try to write it; stream_ended() follows.
  void end(DoorEnd reason);
  // The same at once, for a destructor: nothing is told.
  void shut();

  [[nodiscard]] const DoorQueue& queue() const { return queue_; }
  [[nodiscard]] static std::uint64_t memory_bytes(const StreamLimits& limits, bool over_network = false);

 private:
  enum class State : std::uint8_t { shut, open, ended };
  using Action = void (DoorStream::*)();
  using Socket = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
  struct Wait;  // what Asio calls back

  void begin(FileDescriptor socket);
  void read_turn();
  bool take_staged();
  bool read_more();
  bool read_local();
  bool read_secured();
  bool deliver();
  void rest_reading();
  void on_writable();
  void tell_room();
  void tell_end();
  [[nodiscard]] bool write_some();
  [[nodiscard]] bool write_local();
  [[nodiscard]] bool write_secured();
  [[nodiscard]] bool has_unwritten() const;
  void close_socket();
  void wait_for(bool readable, Action action);
  void post(Action action);

  const std::size_t place_;
  asio::io_context& io_;
  PayloadPool& pool_;
  const StreamLimits& limits_;
  DoorStreamOwner& owner_;
  HandlerMemory handler_memory_;

  State state_ = State::shut;
  DoorEnd end_ = DoorEnd::by_owner;
  std::uint64_t serial_ = 0;  // of the connection; what waited for an earlier one is ignored
  Socket socket_;
  std::optional<TlsStream> tls_;
  BodyBudget* budget_ = nullptr;
  DoorAssembler assembler_;
  DoorQueue queue_;
  std::vector<std::byte> staging_;  // what follows the body that is read into place
  std::vector<std::byte> record_;   // over the network: messages on their way into one TLS record
  std::size_t staged_begin_ = 0;
  std::size_t staged_end_ = 0;
  std::size_t frames_left_ = 0;  // of this turn
  std::size_t bytes_left_ = 0;
  bool drained_ = false;      // the socket had no more than what was read
  bool reading_ = false;      // in read_turn(), which ends with a write_turn()
  bool read_waits_ = false;   // a wait or a post will call read_turn()
  bool held_ = false;         // the pool had no slot
  bool write_waits_ = false;  // a wait will call write_turn()
  bool room_wanted_ = false;
  Instant hello_deadline_ = Instant::never();
  ProgressDeadline frame_deadline_;
  ProgressDeadline write_deadline_;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
};

}  // namespace mallard::transport::door
