// The loop around a protocol core: one event in, every effect carried out, and whatever the effects bring up
// fed back until nothing is left. Production, simulator and replay run this same code.
#pragma once

#include <concepts>
#include <utility>

#include "config/base/invariant.h"
#include "config/base/time.h"
#include "config/contract/protocol_core.h"

namespace mallard::transport {

// What stands around a core.
// carry_out(): does what the core ordered, in the order in which it was ordered. It must not call back into
// the driver. next_event(): writes an event that came up meanwhile (an answer that is ready at once) to
// `event` and returns true;
//   false when there is none. Views in the event stay valid until the next call.
template <class Shell, class Core>
concept CoreShell = requires(Shell shell, const typename Core::Effects::value_type& effect,
                             typename Core::Event& event, Instant now) {
  {shell.carry_out(effect, now)};
  { shell.next_event(event) } -> std::same_as<bool>;
};

// Owns a core and the buffer that it writes its effects to. Not thread-safe. The shell outlives the driver.
template <class Core, class Shell>
class CoreDriver {
  static_assert(ProtocolCore<Core>);
  static_assert(Core::effects_per_step_max <= Core::Effects::capacity(),
                "every step finds the room it was promised");

 public:
  template <class... Arguments>
  explicit CoreDriver(Shell& shell, Arguments&&... for_core)
      : core_(std::forward<Arguments>(for_core)...), shell_(shell) {
    static_assert(CoreShell<Shell, Core>);
  }

  // One thing happened. Returns when the core and the shell are quiet.
  void step(const typename Core::Event& event, Instant now) {
    enter(now);
    core_.step(event, now, effects_);
    settle(now);
  }

  // Runs the core's deadline if it has come, once; returns whether it had.
  bool run_deadline(Instant now) {
    if (core_.next_deadline() > now) {
      return false;
    }
    enter(now);
    core_.on_deadline(now, effects_);
    settle(now);
    return true;
  }

  [[nodiscard]] Instant next_deadline() const { return core_.next_deadline(); }
  [[nodiscard]] const Core& core() const { return core_; }

 private:
  // A shell that calls back from carry_out() would mix the effects of two steps.
  void enter(Instant now) {
    MALLARD_INVARIANT(!running_);
    MALLARD_INVARIANT(now >= last_);
    running_ = true;
    last_ = now;
  }

  void settle(Instant now) {
    carry_out_all(now);
    while (shell_.next_event(event_)) {
      core_.step(event_, now, effects_);
      carry_out_all(now);
    }
    running_ = false;
  }

  void carry_out_all(Instant now) {
    for (const auto& effect : effects_) {
      shell_.carry_out(effect, now);
    }
    effects_.clear();
  }

  Core core_;
  Shell& shell_;
  typename Core::Effects effects_;
  typename Core::Event event_;
  Instant last_;
  bool running_ = false;
};

}  // namespace mallard::transport
