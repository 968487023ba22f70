// One measured run: a log of equal messages goes from one cluster to another, all gateways real processes on
// this machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace mallard::bench {

struct RunSettings {
  std::uint16_t from = 4;  // replicas
  std::uint16_t to = 4;
  std::size_t message_bytes = 100;
  std::uint64_t messages = 0;
  std::uint64_t messages_per_entry = 1;  // and so per batch, as long as they fit one
  bool live = false;  // the log grows while it is sent; else it is all there before the clock runs
  std::uint32_t window_messages = 65'536;
  std::uint64_t window_bytes = 64ULL << 20;
};

struct RunFigures {
  double seconds = 0;  // from the first delivery at any replica to the last at all of them, durable
  double messages_per_second =
      0;  // of the link: each message counts once, however many replicas it was delivered to
  double processor_seconds = 0;  // of all gateways together, in that time
  double cpu_ns_per_message = 0;
  double pss_mib_max = 0;  // of the largest gateway at the end
  std::string problem;  // why the run does not count; empty: every replica was delivered every message, once,
                        // in order
};

// Starts everything, waits for the end, checks every byte. Throws std::runtime_error where it cannot start.
[[nodiscard]] RunFigures run_loopback(const RunSettings& settings);

}  // namespace mallard::bench
