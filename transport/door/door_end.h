// Why a connection through the door ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mallard::transport::door {

enum class DoorEnd : std::uint8_t {
  by_owner,        // close()
  by_peer,         // it closed the connection, or its process ended
  malformed,       // no message of this language
  not_allowed,     // a message that the peer may not say, or not now
  hello_deadline,  // no Hello, or no Welcome
  frame_deadline,  // a frame began and did not go on
  write_deadline,  // the peer does not read
  no_version,      // no version that both sides speak
  no_place,        // too many connections of this role
  replaced,        // a newer gateway took the place
  unknown_key,     // over the network: the replica does not know our key
};
inline constexpr std::size_t door_ends = 11;

// A label for metrics and logs: the name of the enumerator.
[[nodiscard]] constexpr std::string_view door_end_name(DoorEnd end) {
  constexpr std::string_view names[door_ends] = {
      "by_owner",       "by_peer",    "malformed", "not_allowed", "hello_deadline", "frame_deadline",
      "write_deadline", "no_version", "no_place",  "replaced",    "unknown_key"};
  return names[static_cast<std::size_t>(end)];
}

}  // namespace mallard::transport::door
