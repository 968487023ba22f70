// `mallard validate`: every problem of a pairing's file, or what follows from it.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bridge/core/share_walk.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/table.h"
#include "config/value_text.h"
#include "config/weights.h"
#include "config/yaml/load_pairing.h"

namespace mallard::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ValidateOptions {
  std::string path;
  OutputFormat format = OutputFormat::table;
};

// What follows from the settings of one cluster.
struct ClusterReport {
  const config::ClusterSettings& settings;
  Weight total;
  Weight quack;
  Weight duplicate_quack;
};

// What follows from the settings of one link and its two clusters.
struct LinkReport {
  const std::string& from;
  const std::string& to;
  std::size_t copies_max;  // R_max: no batch is sent more often within one round
};

ClusterReport report_of(const config::ClusterSettings& cluster) {
  return {cluster, config::total_weight(cluster).value_or(0), config::quack_threshold(cluster.faults),
          config::duplicate_quack_threshold(cluster.faults)};
}

bridge::ClusterView view_of(const config::ClusterSettings& cluster) {
  bridge::ClusterView view;
  view.u = cluster.faults.u;
  view.r = cluster.faults.r;
  for (const config::ReplicaSettings& replica : cluster.replicas) {
    view.weights.push_back(replica.stake);
  }
  return view;
}

LinkReport report_of(const config::Pairing& pairing, const config::LinkSettings& link) {
  const config::ClusterSettings& from = pairing.clusters[link.from.value];
  const config::ClusterSettings& to = pairing.clusters[link.to.value];
  return {from.name, to.name, bridge::ShareWalk(view_of(from), view_of(to)).longest()};
}

std::string clusters_table(const config::Pairing& pairing) {
  constexpr Table::Align right = Table::Align::right;
  Table table({{"CLUSTER"},
               {"REPLICAS", right},
               {"N", right},
               {"U", right},
               {"R", right},
               {"QUACK AT", right},
               {"DUPLICATE QUACK AT", right}});
  for (const config::ClusterSettings& cluster : pairing.clusters) {
    const ClusterReport report = report_of(cluster);
    table.add_row({cluster.name, fmt::to_string(cluster.replicas.size()), fmt::to_string(report.total),
                   fmt::to_string(cluster.faults.u), fmt::to_string(cluster.faults.r),
                   fmt::to_string(report.quack), fmt::to_string(report.duplicate_quack)});
  }
  return table.text();
}

// What an acknowledged write of each cluster that Mallard runs survives.
std::string durability_lines(const config::Pairing& pairing) {
  std::string lines;
  for (const config::ClusterSettings& cluster : pairing.clusters) {
    if (cluster.kind == config::ClusterKind::cft) {
      const bool on_disk = cluster.durability == config::Durability::disk;
      lines +=
          fmt::format("{}: durability {}: {}\n", cluster.name, config::word_of(cluster.durability),
                      on_disk ? "a power loss of all replicas loses no acknowledged write"
                              : "a power loss of more than u replicas at once loses acknowledged writes");
    }
  }
  return lines.empty() ? lines : "\n" + lines;
}

// Replicas whose pages are not for this machine only, each with its ports, and what that means.
std::string open_admin_lines(const config::Pairing& pairing) {
  std::string lines;
  for (const config::ClusterSettings& cluster : pairing.clusters) {
    for (const config::ReplicaSettings& replica : cluster.replicas) {
      if (!config::is_loopback(replica.admin_address)) {
        const bool has_replica = cluster.kind == config::ClusterKind::cft;
        lines += fmt::format("{} {}: status and metrics at {}, port {}{}\n", cluster.name, replica.id.value,
                             replica.admin_address, replica.ports.admin,
                             has_replica ? fmt::format(" and {}", replica.ports.replica_admin) : "");
      }
    }
  }
  return lines.empty()
             ? lines
             : "\n" + lines +
                   "these ports are open to the network: who reaches them may read, without a password or "
                   "encryption, the\nnames of clusters and links, positions, peers and errors, but no keys "
                   "or values, and can change nothing; let a\nfirewall admit nobody but your monitoring\n";
}

std::string links_table(const config::Pairing& pairing) {
  constexpr Table::Align right = Table::Align::right;
  Table table(
      {{"LINK"}, {"FROM"}, {"TO"}, {"APPLY"}, {"MESSAGES", right}, {"BYTES", right}, {"R_MAX", right}});
  for (const config::LinkSettings& link : pairing.links) {
    const LinkReport report = report_of(pairing, link);
    table.add_row({link.name, report.from, report.to, "mirror", fmt::to_string(link.window.messages),
                   config::size_text(link.window.bytes), fmt::to_string(report.copies_max)});
  }
  return table.text();
}

// Who may come in from other machines, and to what.
std::string clients_table(const config::Pairing& pairing) {
  Table table({{"CLIENT"}, {"PREFIXES"}});
  for (const config::ClientSettings& client : pairing.clients) {
    std::string prefixes;
    for (const std::string& prefix : client.prefixes) {
      prefixes += (prefixes.empty() ? "" : ", ") + prefix;
    }
    table.add_row(
        {config::public_key_text(client.key), client.prefixes.empty() ? "every key" : std::move(prefixes)});
  }
  return pairing.clients.empty() ? "" : "\n" + table.text();
}

// The ids of replicas whose status and metrics are not for their own machine only.
Json open_admin_of(const config::ClusterSettings& cluster) {
  Json ids = Json::array();
  for (const config::ReplicaSettings& replica : cluster.replicas) {
    if (!config::is_loopback(replica.admin_address)) {
      ids.push_back(replica.id.value);
    }
  }
  return ids;
}

Json to_json(const config::Pairing& pairing) {
  Json clusters = Json::array();
  for (const config::ClusterSettings& cluster : pairing.clusters) {
    const ClusterReport report = report_of(cluster);
    const bool has_engine = cluster.kind == config::ClusterKind::cft;
    clusters.push_back(
        {{"name", cluster.name},
         {"engine", has_engine ? Json("cft") : Json(nullptr)},
         {"durability", has_engine ? Json(config::word_of(cluster.durability)) : Json(nullptr)},
         {"replicas", cluster.replicas.size()},
         {"open_admin", open_admin_of(cluster)},
         {"n", report.total},
         {"u", cluster.faults.u},
         {"r", cluster.faults.r},
         {"quack_threshold", report.quack},
         {"duplicate_quack_threshold", report.duplicate_quack}});
  }
  Json links = Json::array();
  for (const config::LinkSettings& link : pairing.links) {
    const LinkReport report = report_of(pairing, link);
    links.push_back({{"name", link.name},
                     {"from", report.from},
                     {"to", report.to},
                     {"apply", "mirror"},
                     {"window", {{"messages", link.window.messages}, {"bytes", link.window.bytes}}},
                     {"r_max", report.copies_max}});
  }
  Json clients = Json::array();
  for (const config::ClientSettings& client : pairing.clients) {
    clients.push_back({{"key", config::public_key_text(client.key)}, {"prefixes", client.prefixes}});
  }
  return {{"valid", true},
          {"clusters", std::move(clusters)},
          {"links", std::move(links)},
          {"clients", std::move(clients)}};
}

Json to_json(const std::vector<config::ConfigProblem>& problems) {
  Json list = Json::array();
  for (const config::ConfigProblem& problem : problems) {
    list.push_back({{"file", problem.file},
                    {"line", problem.place.line},
                    {"column", problem.place.column},
                    {"what", problem.what},
                    {"advice", problem.advice}});
  }
  return {{"valid", false}, {"problems", std::move(list)}};
}

// JSON text; what is not UTF-8 (a file's name may be anything) is replaced instead of refused.
std::string text_of(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

// Placeholders are no problem of the file, but nobody can run with them.
void warn_of_placeholders(const config::Pairing& pairing) {
  std::size_t placeholders = 0;
  for (const config::ClusterSettings& cluster : pairing.clusters) {
    for (const config::ReplicaSettings& replica : cluster.replicas) {
      for (const PublicKey& key : {replica.keys.gateway, replica.keys.replica, replica.keys.signing}) {
        placeholders += config::is_placeholder(key) ? 1U : 0U;
      }
    }
  }
  for (const config::ClientSettings& client : pairing.clients) {
    placeholders += config::is_placeholder(client.key) ? 1U : 0U;
  }
  for (const config::OperatorSettings& person : pairing.operators) {
    placeholders += config::is_placeholder(person.key) ? 1U : 0U;
  }
  if (placeholders > 0) {
    fmt::print(
        stderr,
        "note: {} keys are the template's, which nobody holds; make real ones with `mallard keys generate`\n",
        placeholders);
  }
}

ExitCode validate(const ValidateOptions& options) {
  const auto pairing = config::load_pairing(options.path);
  const bool as_json = options.format == OutputFormat::json;
  if (!pairing) {
    if (as_json) {
      fmt::print("{}\n", text_of(to_json(pairing.error())));
      return ExitCode::bad_configuration;
    }
    for (const config::ConfigProblem& problem : pairing.error()) {
      fmt::print("{}\n", config::to_text(problem));
    }
    return ExitCode::bad_configuration;
  }
  warn_of_placeholders(*pairing);
  if (as_json) {
    fmt::print("{}\n", text_of(to_json(*pairing)));
  } else {
    fmt::print("{}{}{}{}{}{}", clusters_table(*pairing), durability_lines(*pairing),
               open_admin_lines(*pairing), pairing->links.empty() ? "" : "\n",
               pairing->links.empty() ? std::string() : links_table(*pairing), clients_table(*pairing));
  }
  return ExitCode::ok;
}

}  // namespace

void add_validate(CLI::App& program, ExitCode& exit_code) {
  CLI::App* command =
      program.add_subcommand("validate", "Show every problem of the YAML file, or what follows from it");
  const auto options = std::make_shared<ValidateOptions>();
  add_config_option(*command, options->path, "FILE,--config");
  add_output_option(*command, options->format);
  command->group(group_configure);
  command->callback([options, &exit_code] { exit_code = validate(*options); });
}

}  // namespace mallard::cli
