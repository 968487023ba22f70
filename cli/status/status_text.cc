#include "cli/status/status_text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "cli/table.h"

namespace mallard::cli {
namespace {

constexpr Table::Align right = Table::Align::right;

std::string name_of(const ReplicaStatus& replica) {
  return fmt::format("{} {}", replica.cluster, replica.id);
}

bool is_gateway(const ReplicaStatus& replica) { return replica.kind == ProcessKind::gateway; }

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::size_t peers_up(const ProcessStatus& status) {
  return static_cast<std::size_t>(std::count_if(status.peers.begin(), status.peers.end(),
                                                [](const PeerStatus& peer) { return peer.is_up; }));
}

// One line for each thing that needs attention.
std::string attention_text(const ReplicaStatus& replica) {
  const std::string name = is_gateway(replica) ? name_of(replica) : "replica " + name_of(replica);
  if (!replica.answer) {
    return fmt::format("{}: {}; start it with `mallard {} --cluster {} --id {} --data DIR`\n", name,
                       replica.answer.error(), is_gateway(replica) ? "gateway" : "replica", replica.cluster,
                       replica.id);
  }
  std::string text;
  if (!replica.answer->engine.last_error.empty()) {
    text += fmt::format("{}: last error: {}\n", name, replica.answer->engine.last_error);
  }
  if (!replica.answer->is_ready) {
    text += fmt::format("{}: not ready: {}\n", name, replica.answer->not_ready_because);
  }
  for (const LinkStatus& link : replica.answer->links) {
    if (!link.last_error.empty()) {
      text += fmt::format("{}: {}: last error: {}\n", name, link.name, link.last_error);
    }
    if (!link.next.empty()) {
      text += fmt::format("{}: {}: next: {}\n", name, link.name, link.next);
    }
  }
  for (const PeerStatus& peer : replica.answer->peers) {
    if (!peer.is_up) {
      text += fmt::format("{}: no channel to {} {} since {}{}{}\n", name, peer.cluster, peer.id,
                          duration_text(peer.since_seconds), peer.last_error.empty() ? "" : ": ",
                          peer.last_error);
    }
  }
  return text;
}

bool needs_attention(const ProcessStatus& status) {
  return !status.is_ready || peers_up(status) < status.peers.size() || !status.engine.last_error.empty() ||
         std::any_of(status.links.begin(), status.links.end(), [](const LinkStatus& link) {
           return link.state != "active" || !link.last_error.empty() || !link.next.empty();
         });
}

std::string processes_table(const LocalProcesses& local) {
  Table table({{"GATEWAY"}, {"STATE"}, {"UP FOR", right}, {"PEERS UP", right}, {"ADMIN PORT", right}});
  for (const ReplicaStatus& replica : local.replicas) {
    if (!is_gateway(replica)) continue;
    if (replica.answer) {
      table.add_row({name_of(replica), replica.answer->is_ready ? "ready" : "not ready",
                     duration_text(replica.answer->uptime_seconds),
                     fmt::format("{}/{}", peers_up(*replica.answer), replica.answer->peers.size()),
                     fmt::to_string(replica.admin_port)});
    } else {
      table.add_row({name_of(replica), "no answer", "-", "-", fmt::to_string(replica.admin_port)});
    }
  }
  return table.text();
}

// Nothing where Mallard runs no cluster.
std::string replicas_table(const LocalProcesses& local) {
  if (std::all_of(local.replicas.begin(), local.replicas.end(), is_gateway)) {
    return {};
  }
  Table table({{"REPLICA"},
               {"STATE"},
               {"ROLE"},
               {"SINCE", right},
               {"UP FOR", right},
               {"TERM", right},
               {"EPOCH", right},
               {"COMMITTED", right},
               {"DURABLE", right},
               {"APPLIED", right},
               {"ADMIN PORT", right},
               {"WAITS FOR"}});
  for (const ReplicaStatus& replica : local.replicas) {
    const std::string port = fmt::to_string(replica.admin_port);
    if (is_gateway(replica)) continue;
    if (!replica.answer) {
      table.add_row({name_of(replica), "no answer", "-", "-", "-", "-", "-", "-", "-", "-", port, "-"});
      continue;
    }
    const EngineStatus& engine = replica.answer->engine;
    table.add_row({name_of(replica), engine.state, engine.leads ? "leader" : "follower",
                   duration_text(engine.state_seconds), duration_text(replica.answer->uptime_seconds),
                   count_text(engine.term), count_text(engine.epoch), count_text(engine.committed),
                   count_text(engine.durable), count_text(engine.applied), port,
                   or_dash(engine.waiting_for)});
  }
  return "\n" + table.text();
}

std::string links_table(const LocalProcesses& local) {
  Table table({{"LINK"},
               {"AT"},
               {"AS"},
               {"STATE"},
               {"SINCE", right},
               {"MESSAGES", right},
               {"LAG", right},
               {"BEHIND", right},
               {"BYTES", right},
               {"WAITS FOR"}});
  for (const ReplicaStatus& replica : local.replicas) {
    if (!replica.answer) continue;
    for (const LinkStatus& link : replica.answer->links) {
      table.add_row({link.name, name_of(replica), link.is_source ? "source" : "destination", link.state,
                     duration_text(link.state_seconds), count_text(link.done_message),
                     duration_text(link.lag_seconds), count_text(link.lag_messages),
                     bytes_text(link.lag_bytes), or_dash(link.waiting_for)});
    }
  }
  return table.text();
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 10) {
    return fmt::format("{:.1f}s", std::max(seconds, 0.0));
  }
  const auto whole = static_cast<std::uint64_t>(std::min(seconds, 1e15));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  if (whole < 86'400) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
  return fmt::format("{}d{:02}h", whole / 86'400, whole / 3600 % 24);
}

std::string count_text(std::uint64_t count) {
  std::string text = fmt::to_string(count);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string latency_text(double milliseconds) {
  if (milliseconds <= 0) return "-";
  return milliseconds < 1000 ? fmt::format("{:g}ms", milliseconds)
                             : fmt::format("{:g}s", milliseconds / 1000);
}

std::string status_text(const LocalProcesses& local) {
  std::string attention;
  for (const ReplicaStatus& replica : local.replicas) {
    attention += attention_text(replica);
  }
  const std::string separator = attention.empty() ? "" : "\n";
  return processes_table(local) + replicas_table(local) + "\n" + links_table(local) + separator + attention;
}

std::string screen_text(std::string_view text, std::size_t rows) {
  constexpr std::string_view home = "\033[H";
  constexpr std::string_view clear_line = "\033[K\n";
  constexpr std::string_view clear_below = "\033[J";
  constexpr std::string_view cut_lines = "\033[?7l";
  constexpr std::string_view wrap_lines = "\033[?7h";
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  // The cursor waits in the last row.
  const std::size_t room = std::max<std::size_t>(rows, 3) - 1;
  const std::size_t shown = lines <= room ? lines : room - 1;
  std::string screen(home);
  screen += cut_lines;
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t end = text.find('\n');
    screen.append(text.substr(0, end)).append(clear_line);
    text.remove_prefix(end + 1);
  }
  if (shown < lines) {
    screen.append(fmt::format("... {} more lines", lines - shown)).append(clear_line);
  }
  return screen.append(clear_below).append(wrap_lines);
}

ExitCode status_exit_code(const LocalProcesses& local) {
  const auto has_answer = [](const ReplicaStatus& replica) { return replica.answer.has_value(); };
  if (std::none_of(local.replicas.begin(), local.replicas.end(), has_answer)) {
    return ExitCode::not_found;
  }
  const bool degraded = std::any_of(
      local.replicas.begin(), local.replicas.end(),
      [](const ReplicaStatus& replica) { return !replica.answer || needs_attention(*replica.answer); });
  return degraded ? ExitCode::degraded : ExitCode::ok;
}

std::vector<LinkLag> link_lags(const LocalProcesses& local) {
  std::vector<LinkLag> lags;
  std::vector<bool> has_destination;
  for (const ReplicaStatus& replica : local.replicas) {
    for (const LinkStatus& link : replica.answer ? replica.answer->links : std::vector<LinkStatus>{}) {
      const auto same = [&](const LinkLag& lag) { return lag.name == link.name; };
      auto at = static_cast<std::size_t>(std::find_if(lags.begin(), lags.end(), same) - lags.begin());
      if (at == lags.size()) {
        lags.push_back({.name = link.name});
        has_destination.push_back(false);
      }
      LinkLag& lag = lags[at];
      lag.committed_message = std::max(lag.committed_message, link.committed_message);
      if (link.is_source) {
        lag.quacked_message = std::max(lag.quacked_message, link.done_message);
        lag.quack_p99_ms = std::max(lag.quack_p99_ms, link.latency_p99_ms);
      } else {
        lag.applied_message =
            has_destination[at] ? std::min(lag.applied_message, link.done_message) : link.done_message;
        has_destination[at] = true;
        lag.apply_p99_ms = std::max(lag.apply_p99_ms, link.latency_p99_ms);
      }
      lag.lag_messages = std::max(lag.lag_messages, link.lag_messages);
      lag.lag_bytes = std::max(lag.lag_bytes, link.lag_bytes);
      lag.lag_seconds = std::max(lag.lag_seconds, link.lag_seconds);
    }
  }
  return lags;
}

std::string lag_text(const std::vector<LinkLag>& lags) {
  Table table({{"LINK"},
               {"COMMITTED", right},
               {"QUACKED", right},
               {"APPLIED", right},
               {"LAG", right},
               {"BEHIND", right},
               {"BYTES", right},
               {"QUACK P99", right},
               {"APPLY P99", right}});
  for (const LinkLag& lag : lags) {
    table.add_row({lag.name, count_text(lag.committed_message), count_text(lag.quacked_message),
                   count_text(lag.applied_message), duration_text(lag.lag_seconds),
                   count_text(lag.lag_messages), bytes_text(lag.lag_bytes), latency_text(lag.quack_p99_ms),
                   latency_text(lag.apply_p99_ms)});
  }
  return table.text();
}

}  // namespace mallard::cli
