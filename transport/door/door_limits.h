// What a connection through the door may use.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/time.h"
#include "transport/door/door_message.h"

namespace mallard::transport::door {

struct StreamLimits {
  std::uint32_t queue_frames = 256;                 // that wait for the peer to read; more are refused
  std::uint64_t queue_body_bytes = 16U << 20;       // of their bodies, beyond the first
  std::uint32_t body_bytes = body_bytes_max;        // of one that comes in; more is malformed
  std::uint32_t frames_per_turn = 128;              // read from one peer before the others have their turn
  std::uint32_t bytes_per_turn = 1U << 20;          // likewise
  Duration hello_deadline = Duration::seconds(3);   // from the connection to Hello, or to Welcome
  Duration frame_deadline = Duration::seconds(3);   // for each 64 KiB of a frame that has begun
  Duration write_deadline = Duration::seconds(10);  // for each 64 KiB that the peer does not take
};

struct DoorServerLimits {
  std::uint32_t clients = 64;
  std::uint32_t operations = 4;
  std::uint32_t pending = 32;     // that have not said Hello; further ones are closed at once
  std::uint32_t unanswered = 64;  // Submits, or Loads, of one connection; at most a quarter of queue_frames
  std::uint64_t unanswered_bytes = 8U << 20;  // of their commands, beyond the first
  StreamLimits stream;
};

// Of connections over the network, before and after somebody has proved to be a client.
struct ClientListenerLimits {
  std::uint32_t handshakes = 256;  // at a time, silent ones too: one more ends the oldest
  Duration handshake_deadline = Duration::seconds(3);
  std::uint32_t handshake_bytes = 16U << 10;         // of TLS handshake from the caller
  std::uint32_t accepts_per_second = 1024;           // further ones are closed at once
  std::uint32_t accepts_per_second_and_prefix = 64;  // per IPv4 /24 or IPv6 /64
  // Handshakes take at most one part in so many of the loop's time: their signatures would be felt.
  std::int64_t time_share = 8;
};

struct ClientDoorLimits {
  ClientListenerLimits listener;
  std::uint32_t connections = 128;  // of all clients; memory for them is allocated up front
  std::uint32_t connections_per_client = 16;
  std::uint32_t unanswered = 16;         // Submits of one connection; at most a quarter of queue_frames
  std::uint64_t body_bytes = 24U << 20;  // of commands that come in or are unanswered, of all clients
  std::uint64_t body_bytes_per_client = 4U << 20;  // likewise of one; at least stream.body_bytes
  StreamLimits stream{.queue_frames = 64,
                      .queue_body_bytes = 1U << 20,
                      .body_bytes = command_bytes_max,
                      .frames_per_turn = 16,
                      .bytes_per_turn = 256U << 10};
};

struct DoorClientLimits {
  std::uint32_t unanswered = 64;                       // Submits; the server may allow less
  Duration redial_first = Duration::milliseconds(20);  // doubles, with jitter
  Duration redial_last = Duration::seconds(1);
  StreamLimits stream;
};

}  // namespace mallard::transport::door
