#include "tests/sim/choices.h"

#include "config/base/invariant.h"

namespace mallard::sim {
namespace {

constexpr std::array<const char*, stream_count> stream_names{
    "options", "schedule", "network", "disk", "workload", "faults", "byzantine", "certificates", "stakes"};

}  // namespace

const char* name_of(Stream stream) { return stream_names.at(static_cast<std::size_t>(stream)); }

Choices::Choices(std::uint64_t seed) {
  const Prng root(seed);
  generators_.reserve(stream_count);
  for (const char* name : stream_names) {
    generators_.push_back(root.child(name));
  }
}

Choices::Choices(const ChoiceTrace& trace) : replay_(&trace) {}

std::uint64_t Choices::draw(Stream stream, std::uint64_t n) {
  MALLARD_INVARIANT(n > 0);
  if (n == 1) {
    return 0;
  }
  const auto index = static_cast<std::size_t>(stream);
  std::uint64_t value = 0;
  if (replay_ == nullptr) {
    value = generators_[index].below(n);
  } else if (position_[index] < (*replay_)[index].size()) {
    value = (*replay_)[index][position_[index]++] % n;
  }
  if (recording_) {
    recorded_[index].push_back(value);
  }
  return value;
}

}  // namespace mallard::sim
