// What hostile peers do to a gateway. Each function attacks until `stop` is set, dialing anew whenever it is
// thrown out, and says how often it did what it does: an attack that did nothing proves nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "tests/integration/deployment/deployment.h"
#include "tests/integration/hostile/hostile_seat.h"

namespace mallard::integration {

using Stop = std::atomic<bool>;

// On a seat that every correct gateway dials (the last replica of the last cluster):

// Takes channels and never reads from them. Counts channels.
std::uint64_t stay_silent(HostileSeat& seat, const Stop& stop);
// Reads everything and never says a word. Counts channels.
std::uint64_t never_acknowledge(HostileSeat& seat, const Stop& stop);
// Acknowledges batches that nobody has committed, again and again. Counts acknowledgements.
std::uint64_t acknowledge_the_future(HostileSeat& seat, const Stop& stop);

// On a seat whose holder dials the gateways of `to`:

// Sends the largest batches there are, all of them far beyond the window. Counts batches.
std::uint64_t send_the_future(const HostileSeat& seat, const std::vector<ReplicaAddress>& to,
                              const Stop& stop);
// Begins the largest frame and gives one byte of it every 100 ms. Counts bytes.
std::uint64_t drip(const HostileSeat& seat, const std::vector<ReplicaAddress>& to, const Stop& stop);
// Opens one channel after the other, leaving half a frame in each. Counts channels.
std::uint64_t open_and_hang(const HostileSeat& seat, const std::vector<ReplicaAddress>& to, const Stop& stop);

// On a seat inside its own cluster, whose holder dials the gateways of `to`:

// Asks for the same old batches again and again, as many at a time as a frame can name; from every other
// gateway it never reads the answers. Counts batches asked for.
std::uint64_t pull_endlessly(const HostileSeat& seat, const std::vector<ReplicaAddress>& to,
                             const Stop& stop);

// On the machine itself, at admin ports: more requests at a time than are answered or wait, each of them a
// byte every 100 ms, or a header line without end. Counts requests begun.
std::uint64_t drip_requests(const std::vector<std::uint16_t>& ports, const Stop& stop);

// Without any key, from many addresses: connections that say nothing, that say garbage, and that begin a TLS
// handshake and hang; up to `open_at_once` at a time, `connections` in all. Counts connections.
std::uint64_t flood(const std::vector<std::uint16_t>& ports, std::size_t open_at_once,
                    std::uint64_t connections, const Stop& stop);

}  // namespace mallard::integration
