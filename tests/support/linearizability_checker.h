// Is there one order of operations that explains what all clients of a key-value store were told, and agrees
// with time? A black box: nothing is known but what was asked, what was answered, and when; no index, log or
// leader is believed. (reliability.md H4 and 4.6)
//
// The rule (Herlihy and Wing, TOPLAS 1990): every call takes effect at one instant between its invocation and
// its return, and the answers are those that a map gives when the calls run in the order of these instants.
// A call whose outcome is unknown took effect at some instant after its invocation, however late, or never.
//
// The search is Wing and Gong's (1993), with Lowe's (2017) memory: what was done and the state that came of
// it are looked at once, whatever the order. Keys are independent of each other, and each is searched alone
// (Herlihy and Wing, theorem 1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/base/time.h"

namespace mallard::support {

enum class KeyOperation : std::uint8_t {
  put,        // makes the value `argument`
  get,        // answers `found` and `value`
  erase,      // answers in `found` whether there was a value
  increment,  // adds `amount` to the number, of which there is 0 where there is no value; answers `value`
};

// One request, sent once. Who repeats a request whose outcome is unknown records it once for each time,
// unless the store promises to run it once.
struct KeyCall {
  KeyOperation operation = KeyOperation::get;
  std::string key;
  std::string argument;
  std::uint64_t amount = 0;
  Instant invoked;
  Instant returned = Instant::never();  // never: the outcome is unknown, and what follows means nothing
  bool found = false;
  std::string value;
};

// How a counter's number is written as a value: 8 bytes, least significant first. A value of another size is
// no number, and nobody increments it.
[[nodiscard]] std::string number_value(std::uint64_t number);

enum class Linearity : std::uint8_t {
  linearizable,
  illegal,
  gave_up,  // the limit came first: nothing is known, and whoever asked has to fail
};

struct LinearityVerdict {
  Linearity linearity = Linearity::linearizable;
  std::string what;         // where it is not linearizable: the key, and the call that no order explains
  std::uint64_t steps = 0;  // of the search, all keys together
};

// Calls in any order; equal instants count as concurrent. `steps_max` bounds the search of each key: its time
// (about 0.1 us for each) and its memory (at most 48 bytes for each). It is a count and no time, so that a
// history has the same verdict everywhere. At most 8 clients at a time and some thousands of calls to a key
// are searched in a moment; sixteen clients on one key may need more steps than anybody has.
// States are remembered by 128 bits of a hash: two that collide could make a right history illegal, once in
// 2^80 searches; never the other way round.
[[nodiscard]] LinearityVerdict check_linearity(const std::vector<KeyCall>& calls,
                                               std::uint64_t steps_max = 5'000'000);

}  // namespace mallard::support
