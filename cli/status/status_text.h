// What `mallard status` and `mallard lag` show, made from what the processes answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "cli/status/process_status.h"

namespace mallard::cli {

// "0.4s", "12s", "3m05s", "2h13m", "5d03h".
[[nodiscard]] std::string duration_text(double seconds);

// "63,666".
[[nodiscard]] std::string count_text(std::uint64_t count);

// "512 B", "4.0 KiB", "1.3 GiB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// "0.05ms", "25ms", "2.5s"; "-" for 0.
[[nodiscard]] std::string latency_text(double milliseconds);

// One screen: gateways, replicas that Mallard runs and links, then what needs attention and what to do about
// it.
[[nodiscard]] std::string status_text(const LocalProcesses& local);

// What turns a terminal of so many rows into `text`, whatever it showed before: without a moment of nothing
// in between, lines cut at its right edge, and the last line telling how many there was no room for.
[[nodiscard]] std::string screen_text(std::string_view text, std::size_t rows);

// ok; degraded when a process does not answer, is not ready, lacks a peer, or has a link that is not active;
// not_found when no process answered.
[[nodiscard]] ExitCode status_exit_code(const LocalProcesses& local);

// One link of the pairing, from all gateways that answered.
struct LinkLag {
  std::string name;
  std::uint64_t committed_message = 0;  // the most that any gateway knows of
  std::uint64_t quacked_message = 0;    // the most at any source
  std::uint64_t applied_message = 0;    // the least at any destination that answered; 0 when none did
  std::uint64_t lag_messages = 0;       // the worst at any gateway, like the two below
  std::uint64_t lag_bytes = 0;
  double lag_seconds = 0;
  double quack_p99_ms = 0;  // the worst at any source, from the log to the QUACK
  double apply_p99_ms = 0;  // the worst at any destination, from arrival to storage
};

// In the order in which the links first appear.
[[nodiscard]] std::vector<LinkLag> link_lags(const LocalProcesses& local);

[[nodiscard]] std::string lag_text(const std::vector<LinkLag>& lags);

}  // namespace mallard::cli
