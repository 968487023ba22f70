#include "tests/sim/shrink.h"

#include <algorithm>
#include <fstream>

namespace mallard::sim {
namespace {

class Shrinker {
 public:
  Shrinker(std::uint64_t seed, std::uint64_t runs_max) : seed_(seed), runs_max_(runs_max) {}

  std::optional<Shrunk> run() {
    Choices choices(seed_);
    choices.record();
    Marks marks;
    best_.outcome = run_world(choices, {}, marks, nullptr);
    if (best_.outcome.failure.checker.empty()) {
      return std::nullopt;
    }
    best_.trace = choices.recorded();
    best_.reduction.events_max = best_.outcome.events;
    leave_out();
    dull();
    best_.runs = runs_;
    return best_;
  }

 private:
  // Keeps the smaller run if the same checker still fails in it.
  bool attempt(const Reduction& reduction, const ChoiceTrace& trace) {
    if (runs_ >= runs_max_) {
      return false;
    }
    ++runs_;
    Choices choices(trace);
    choices.record();
    Marks marks;
    const Outcome outcome = run_world(choices, reduction, marks, nullptr);
    if (outcome.failure.checker != best_.outcome.failure.checker) {
      return false;
    }
    best_ = {.reduction = reduction, .trace = choices.recorded(), .outcome = outcome};
    return true;
  }

  void leave_out() {
    for (std::size_t kind = 0; kind < fault_count; ++kind) {
      Reduction less = best_.reduction;
      less.faults_off |= 1U << kind;
      attempt(less, best_.trace);
    }
    Reduction calm = best_.reduction;
    calm.calm_network = true;
    attempt(calm, best_.trace);
    for (std::size_t links = 1; links <= 2; ++links) {
      Reduction fewer = best_.reduction;
      fewer.links_max = links;
      if (attempt(fewer, best_.trace)) {
        break;
      }
    }
    for (BatchIndex batches = 1; batches < 512; batches *= 2) {
      Reduction fewer = best_.reduction;
      fewer.batches_max = batches;
      if (attempt(fewer, best_.trace)) {
        break;
      }
    }
  }

  // Zeroes, then removes, blocks of decisions, from large to small.
  void dull() {
    for (std::size_t stream = 0; stream < stream_count; ++stream) {
      for (std::size_t block = std::max<std::size_t>(1, best_.trace[stream].size() / 2); block >= 8;
           block /= 4) {
        for (std::size_t at = 0; at < best_.trace[stream].size() && runs_ < runs_max_; at += block) {
          ChoiceTrace duller = best_.trace;
          auto& choices = duller[stream];
          const auto begin = choices.begin() + static_cast<std::ptrdiff_t>(at);
          const auto end =
              choices.begin() + static_cast<std::ptrdiff_t>(std::min(at + block, choices.size()));
          if (std::any_of(begin, end, [](std::uint64_t value) { return value != 0; })) {
            std::fill(begin, end, 0U);
            attempt(best_.reduction, duller);
          }
        }
      }
    }
    for (std::vector<std::uint64_t>& choices : best_.trace) {
      while (!choices.empty() && choices.back() == 0) {
        choices.pop_back();  // where a trace has ended, it decides 0
      }
    }
  }

  std::uint64_t seed_;
  std::uint64_t runs_max_;
  std::uint64_t runs_ = 0;
  Shrunk best_;
};

}  // namespace

std::optional<Shrunk> shrink(std::uint64_t seed, std::uint64_t runs_max) {
  return Shrinker(seed, runs_max).run();
}

bool save_choices(const std::string& path, const Reduction& reduction, const ChoiceTrace& trace) {
  std::ofstream out(path);
  out << reduction.faults_off << ' ' << reduction.calm_network << ' ' << reduction.batches_max << ' '
      << reduction.events_max << ' ' << reduction.links_max << '\n';
  for (std::size_t stream = 0; stream < stream_count; ++stream) {
    out << name_of(static_cast<Stream>(stream)) << ' ' << trace[stream].size() << '\n';
    for (const std::uint64_t value : trace[stream]) {
      out << value << '\n';
    }
  }
  return out.good();
}

bool load_choices(const std::string& path, Reduction& reduction, ChoiceTrace& trace) {
  std::ifstream in(path);
  in >> reduction.faults_off >> reduction.calm_network >> reduction.batches_max >> reduction.events_max >>
      reduction.links_max;
  for (std::size_t stream = 0; stream < stream_count; ++stream) {
    std::string name;
    std::size_t count = 0;
    in >> name >> count;
    if (!in || name != name_of(static_cast<Stream>(stream))) {
      return false;
    }
    for (std::size_t i = 0; i < count && in; ++i) {
      trace[stream].emplace_back();
      in >> trace[stream].back();
    }
  }
  return static_cast<bool>(in);
}

}  // namespace mallard::sim
