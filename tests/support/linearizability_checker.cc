#include "tests/support/linearizability_checker.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "config/base/prng.h"

namespace mallard::support {
namespace {

constexpr std::size_t number_bytes = 8;
constexpr std::size_t nowhere = SIZE_MAX;

std::optional<std::uint64_t> number_of(const std::string& value) {
  if (value.size() != number_bytes) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < number_bytes; ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(value[i])} << (8 * i);
  }
  return number;
}

// Values of one key by number; 0: there is none. Equal values have equal numbers.
class Values {
 public:
  Values() { texts_.emplace_back(); }
  std::uint32_t number(const std::string& value) {
    const auto [place, is_new] = numbers_.try_emplace(value, static_cast<std::uint32_t>(texts_.size()));
    if (is_new) {
      texts_.push_back(value);
    }
    return place->second;
  }
  [[nodiscard]] const std::string& text(std::uint32_t number) const { return texts_[number]; }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::string> texts_;
};

// What the call makes of the state; nothing: it cannot have been answered so in this state.
std::optional<std::uint32_t> run(const KeyCall& call, std::uint32_t state, Values& values) {
  const bool is_known = call.returned != Instant::never();
  switch (call.operation) {
    case KeyOperation::put:
      return values.number(call.argument);
    case KeyOperation::get: {
      const bool fits = call.found ? state != 0 && values.text(state) == call.value : state == 0;
      return fits || !is_known ? std::optional(state) : std::nullopt;
    }
    case KeyOperation::erase:
      return call.found == (state != 0) || !is_known ? std::optional(0U) : std::nullopt;
    case KeyOperation::increment: {
      const auto before = state == 0 ? 0 : number_of(values.text(state));
      if (!before) {
        return std::nullopt;
      }
      const std::string after = number_value(*before + call.amount);
      return !is_known || after == call.value ? std::optional(values.number(after)) : std::nullopt;
    }
  }
  return std::nullopt;
}

struct Mark {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Mark&, const Mark&) = default;
  friend Mark operator^(const Mark& a, const Mark& b) { return {a.low ^ b.low, a.high ^ b.high}; }
};
struct MarkHash {
  std::size_t operator()(const Mark& mark) const { return mark.low; }
};

// Of a call or a state; the marks of all that was done and of the state, together by xor, are that of both.
Mark mark_of(std::string_view kind, std::uint64_t number) {
  Prng prng = Prng(1).child(kind, number);
  return {prng.next(), prng.next()};
}

// One key. Calls that returned stand in a list of their invocations and returns, by time; a call that was
// chosen is taken out of it. Those of unknown outcome stand apart, by invocation: they have to be chosen only
// where nothing else fits.
class KeySearch {
 public:
  KeySearch(const std::vector<const KeyCall*>& calls, std::uint64_t steps_max) : steps_max_(steps_max) {
    for (const KeyCall* call : calls) {
      (call->returned == Instant::never() ? open_ : closed_).push_back(call);
    }
    std::ranges::sort(open_, {}, &KeyCall::invoked);
    open_used_.resize(open_.size());
    link_events();
  }

  Linearity search() {
    std::size_t at = events_[head_].next;
    std::size_t open = 0;
    while (events_[head_].next != head_) {
      if (++steps_ > steps_max_) {
        return Linearity::gave_up;
      }
      const Event& event = events_[at];
      if (!event.is_return) {
        at = choose_closed(at) ? events_[head_].next : event.next;
        open = 0;
      } else if (choose_open(at, open)) {
        at = events_[head_].next;
        open = 0;
      } else if (!go_back(at, open)) {
        return Linearity::illegal;
      }
    }
    return Linearity::linearizable;
  }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  // The call that could not be explained where most of the others were.
  [[nodiscard]] const KeyCall* culprit() const { return culprit_; }

 private:
  struct Event {
    std::size_t call = nowhere;   // in closed_
    std::size_t other = nowhere;  // the invocation's return
    std::size_t next = 0;
    std::size_t before = 0;
    bool is_return = false;
  };
  struct Choice {
    std::size_t event = nowhere;  // the invocation, or the return up to which open calls were tried
    std::size_t open = nowhere;   // in open_
    std::uint32_t state = 0;      // before it
    Mark done;                    // before it
  };

  void link_events() {
    struct Place {
      Instant at;
      bool is_return;
      std::size_t call;
    };
    std::vector<Place> places;
    for (std::size_t i = 0; i < closed_.size(); ++i) {
      places.push_back({closed_[i]->invoked, false, i});
      places.push_back({closed_[i]->returned, true, i});
    }
    std::ranges::sort(places, {}, [](const Place& p) { return std::tuple(p.at, p.is_return, p.call); });
    head_ = places.size();
    events_.resize(places.size() + 1);
    std::vector<std::size_t> invocation(closed_.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      events_[i].call = places[i].call;
      events_[i].is_return = places[i].is_return;
      if (places[i].is_return) {
        events_[invocation[places[i].call]].other = i;
      } else {
        invocation[places[i].call] = i;
      }
    }
    for (std::size_t i = 0; i <= head_; ++i) {
      events_[i].next = i == head_ ? 0 : i + 1;
      events_[i].before = i == 0 ? head_ : i - 1;
    }
  }
  void take_out(std::size_t at) {
    events_[events_[at].before].next = events_[at].next;
    events_[events_[at].next].before = events_[at].before;
  }
  void put_back(std::size_t at) {
    events_[events_[at].before].next = at;
    events_[events_[at].next].before = at;
  }

  // Goes on from here with the call done, unless that was looked at before.
  bool enter(const Mark& call, std::uint32_t state, const Choice& choice) {
    const Mark done = done_ ^ call;
    if (!seen_.insert(done ^ mark_of("state", state)).second) {
      return false;
    }
    choices_.push_back(choice);
    done_ = done;
    state_ = state;
    return true;
  }
  bool choose_closed(std::size_t at) {
    const Event& event = events_[at];
    const auto after = run(*closed_[event.call], state_, values_);
    if (!after || !enter(mark_of("closed", event.call), *after, {at, nowhere, state_, done_})) {
      return false;
    }
    take_out(event.other);
    take_out(at);
    return true;
  }
  // The next one from `open` on that may come before the return `at`.
  bool choose_open(std::size_t at, std::size_t open) {
    const Instant until = closed_[events_[at].call]->returned;
    for (; open < open_.size() && open_[open]->invoked <= until; ++open) {
      if (open_used_[open]) {
        continue;
      }
      const auto after = run(*open_[open], state_, values_);
      // One that changes nothing may as well never have happened.
      if (after && *after != state_ && enter(mark_of("open", open), *after, {at, open, state_, done_})) {
        open_used_[open] = true;
        return true;
      }
    }
    return false;
  }
  // Takes the last choice back, and says where to go on instead. False: there was none.
  bool go_back(std::size_t& at, std::size_t& open) {
    if (culprit_ == nullptr || choices_.size() > most_explained_) {
      most_explained_ = choices_.size();
      culprit_ = closed_[events_[at].call];
    }
    if (choices_.empty()) {
      return false;
    }
    const Choice last = choices_.back();
    choices_.pop_back();
    state_ = last.state;
    done_ = last.done;
    if (last.open != nowhere) {
      open_used_[last.open] = false;
      at = last.event;
      open = last.open + 1;
    } else {
      put_back(last.event);
      put_back(events_[last.event].other);
      at = events_[last.event].next;
      open = 0;
    }
    return true;
  }

  std::uint64_t steps_max_;
  std::uint64_t steps_ = 0;
  std::vector<const KeyCall*> closed_;
  std::vector<const KeyCall*> open_;
  std::vector<bool> open_used_;
  std::vector<Event> events_;  // the last one is the head of the list
  std::size_t head_ = 0;
  Values values_;
  std::uint32_t state_ = 0;
  Mark done_;
  std::unordered_set<Mark, MarkHash> seen_;
  std::vector<Choice> choices_;
  std::size_t most_explained_ = 0;
  const KeyCall* culprit_ = nullptr;
};

std::string text_of(const std::string& value) {
  const auto number = number_of(value);
  return number ? std::to_string(*number) : "\"" + value.substr(0, 40) + "\"";
}

std::string describe(const KeyCall& call) {
  std::string text;
  switch (call.operation) {
    case KeyOperation::put:
      text = "put " + text_of(call.argument);
      break;
    case KeyOperation::get:
      text = call.found ? "get of " + text_of(call.value) : "get of nothing";
      break;
    case KeyOperation::erase:
      text = call.found ? "erase of a value" : "erase of nothing";
      break;
    case KeyOperation::increment:
      text = "increment by " + std::to_string(call.amount) + " to " + text_of(call.value);
      break;
  }
  return text + " from " + std::to_string(call.invoked.ns) + " to " + std::to_string(call.returned.ns) +
         " ns";
}

}  // namespace

std::string number_value(std::uint64_t number) {
  std::string value(number_bytes, '\0');
  for (std::size_t i = 0; i < number_bytes; ++i) {
    value[i] = static_cast<char>((number >> (8 * i)) & 0xffU);
  }
  return value;
}

LinearityVerdict check_linearity(const std::vector<KeyCall>& calls, std::uint64_t steps_max) {
  std::map<std::string, std::vector<const KeyCall*>> by_key;
  for (const KeyCall& call : calls) {
    by_key[call.key].push_back(&call);
  }
  LinearityVerdict verdict;
  for (const auto& [key, own] : by_key) {
    KeySearch search(own, steps_max);
    const Linearity linearity = search.search();
    verdict.steps += search.steps();
    if (linearity == Linearity::illegal) {
      verdict.linearity = linearity;
      verdict.what = "key " + key + ": no order explains the " + describe(*search.culprit());
      return verdict;
    }
    if (linearity == Linearity::gave_up) {
      verdict.linearity = linearity;
      verdict.what = "key " + key + ": gave up after " + std::to_string(steps_max) + " steps over " +
                     std::to_string(own.size()) + " calls";
    }
  }
  return verdict;
}

}  // namespace mallard::support
