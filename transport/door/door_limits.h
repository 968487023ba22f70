// What a connection through the door may use.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/time.h"

namespace mallard::transport::door {

struct StreamLimits {
  std::uint32_t queue_frames = 256;                 // that wait for the peer to read; more are refused
  std::uint64_t queue_body_bytes = 16U << 20;       // of their bodies, beyond the first
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

struct DoorClientLimits {
  std::uint32_t unanswered = 64;                       // Submits; the server may allow less
  Duration redial_first = Duration::milliseconds(20);  // doubles, with jitter
  Duration redial_last = Duration::seconds(1);
  StreamLimits stream;
};

}  // namespace mallard::transport::door
