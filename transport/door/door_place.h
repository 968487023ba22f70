// One of the server's places for connections: who is there, and what he may.
#pragma once

#include <cstddef>
#include <cstdint>

#include "transport/door/door_server.h"
#include "transport/door/door_stream.h"
#include "transport/door/request_table.h"

namespace mallard::transport::door {

struct PlaceLimits {
  const StreamLimits& stream;  // outlives the place
  std::uint32_t unanswered = 0;
  std::uint64_t unanswered_bytes = 0;
  bool over_network = false;
};

struct DoorPlace {
  DoorPlace(std::size_t number, const DoorStream::Surroundings& surroundings, const PlaceLimits& its_limits)
      : limits(its_limits),
        stream(number, surroundings),
        requests(its_limits.unanswered),
        place(static_cast<std::uint32_t>(number)) {}

  [[nodiscard]] DoorConnection name() const { return {.place = place, .life = life}; }
  // Whether the next message may be read.
  [[nodiscard]] bool may_read() const {
    return !paused && !requests.full() && requests.bytes() <= limits.unanswered_bytes &&
           !stream.queue().is_long();
  }
  // False when it is a request whose number is not new.
  [[nodiscard]] bool open_request(const DoorMessage& message) {
    if (const auto* const submit = std::get_if<Submit>(&message)) {
      return requests.open(submit->request, submit->command.bytes);
    }
    const auto* const load = std::get_if<Load>(&message);
    return load == nullptr || requests.open(load->request, 0);
  }
  // Somebody comes; the caller fills in who it is.
  DoorPeer& take() {
    used = true;
    paused = false;
    ++life;
    peer = {};
    return peer;
  }

  const PlaceLimits limits;
  DoorStream stream;
  RequestTable requests;
  DoorPeer peer;
  std::uint32_t place;
  std::uint32_t life = 0;
  bool used = false;  // from take() to the end of the stream
  bool welcomed = false;
  bool paused = false;
};

}  // namespace mallard::transport::door
