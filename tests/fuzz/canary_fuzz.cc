// Proves that the fuzzing machinery finds things: this target has a defect, behind a comparison that random
// bytes do not pass, and the suite fails unless it is found.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::uint8_t, 4> secret{0x51, 0x55, 0x41, 0x4B};
  std::array<std::uint8_t, 4> copy{};
  if (size < copy.size()) return 0;
  std::memcpy(copy.data(), data, copy.size());
  if (copy != secret) return 0;
  // The defect: reads one byte beyond what was handed in.
  volatile const std::uint8_t* beyond = data;
  return beyond[size] == 0 ? 0 : 0;
}
