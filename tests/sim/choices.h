// Every random decision of a simulated run, drawn in one place: from the run's seed, or from a saved trace of
// earlier decisions. Streams are independent, so that a knob added to one does not shift the draws of
// another; value 0 is always the dullest choice, so that zeroing a trace makes a run simpler.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/base/prng.h"

namespace mallard::sim {

enum class Stream : std::uint8_t {
  options,
  schedule,
  network,
  disk,
  workload,
  faults,
  byzantine,
  certificates,
  stakes,
  end
};
inline constexpr std::size_t stream_count = static_cast<std::size_t>(Stream::end);
const char* name_of(Stream stream);

// The decisions of one run, in order, by stream.
using ChoiceTrace = std::array<std::vector<std::uint64_t>, stream_count>;

class Choices {
 public:
  explicit Choices(std::uint64_t seed);
  // Takes decisions from `trace`; where it has ended, decides 0. `trace` outlives this object.
  explicit Choices(const ChoiceTrace& trace);

  // Uniform in [0, n); n is at least 1.
  std::uint64_t draw(Stream stream, std::uint64_t n);
  // Uniform in [low, high], both included; 0 of the trace is `low`.
  std::uint64_t between(Stream stream, std::uint64_t low, std::uint64_t high) {
    return low + draw(stream, high - low + 1);
  }
  // True with probability parts / 1000; 0 of the trace is false.
  bool chance(Stream stream, std::uint64_t parts) { return draw(stream, 1000) + parts >= 1000; }

  // From now on every decision is kept.
  void record() { recording_ = true; }
  [[nodiscard]] const ChoiceTrace& recorded() const { return recorded_; }

 private:
  std::vector<Prng> generators_;
  const ChoiceTrace* replay_ = nullptr;
  std::array<std::size_t, stream_count> position_{};
  ChoiceTrace recorded_;
  bool recording_ = false;
};

}  // namespace mallard::sim
