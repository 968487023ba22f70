// What every protocol in Mallard looks like from outside: a value that turns one event and the time into
// effects.
#pragma once

#include <concepts>
#include <cstddef>

#include "config/base/time.h"

namespace mallard {

// A deterministic state machine. It holds no clock, socket, thread, lock or random source and does not
// allocate after construction; the same events at the same instants give the same effects. `now` never goes
// back between calls. `effects` is the caller's, is empty at each call, and has room for effects_per_step_max
// entries.
template <class Core>
concept ProtocolCore = requires(Core core, const Core frozen, const typename Core::Event& event,
                                typename Core::Effects& effects, Instant now) {
  { core.step(event, now, effects) }
  noexcept;  // one thing happened
  { core.on_deadline(now, effects) }
  noexcept;  // the instant asked for has come
  { frozen.next_deadline() }
  noexcept->std::same_as<Instant>;  // Instant::never() when idle
  { Core::effects_per_step_max } -> std::convertible_to<std::size_t>;
};

}  // namespace mallard
