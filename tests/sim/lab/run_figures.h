// What one run came to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mallard::lab {

// Times in milliseconds, from the moment at which the first replica of the source takes a batch from its log;
// those of a delivery count once for each batch, those of a QUACK once for each replica of the source.
struct RunFigures {
  double messages_per_second = 0;       // delivered at every correct replica (one-shot: at its one)
  double closed_form = 0;               // the most that this shape can carry, without faults
  double copies_per_message = 0;        // between the clusters
  double header_bytes_per_message = 0;  // heads of the frames with batches between the clusters
  double resends_per_message = 0;
  std::optional<double> quack_ms_p50;  // nothing where a strategy has no QUACK
  std::optional<double> quack_ms_p99;
  std::optional<double> delivery_ms_p50;
  std::optional<double> delivery_ms_p99;
  double cpu_ns_per_message = 0;  // of all replicas together
  std::uint64_t window_bytes = 0;
  double event_ns = 0;  // what an event cost in this run
  double simulated_s = 0;
  std::uint64_t frames = 0;  // sent by all replicas
  std::string problem;       // why the run does not count; empty if it does
};

}  // namespace mallard::lab
