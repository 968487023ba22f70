// `mallard kv`: uses a cluster that Mallard runs, through the local doors of its replicas or, from any
// machine, over the network.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/kv/kv_client.h"
#include "cli/kv/kv_text.h"
#include "cli/options.h"
#include "config/value_text.h"
#include "crypto/key_file.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_reply.h"

namespace mallard::cli {
namespace {

namespace door = transport::door;

constexpr Duration patience = Duration::seconds(10);
constexpr Duration last_word = Duration::seconds(1);  // of a replica that was asked shortly before the end
constexpr Duration glance =
    Duration::milliseconds(20);  // between two looks whether waiting still has a sense

struct KvOptions {
  std::vector<std::string> directories;
  std::string configuration;  // with cluster and identity: instead of directories
  std::string cluster;
  std::string identity;
  bool local = false;
  std::string key;
  std::string value;
  std::uint64_t amount = 1;
};

ByteView bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

ExitCode print_scan(ByteView body) {
  rsm::KvEntries entries(body);
  while (const auto entry = entries.next()) {
    fmt::print("{}\t{}\n", readable(entry->key), readable(entry->value));
  }
  if (entries.more()) {
    fmt::print(stderr, "mallard kv: there is more; scan longer prefixes\n");
  }
  return ExitCode::ok;
}

ExitCode print_reply(const rsm::KvCommand& command, ByteView bytes) {
  const auto reply = rsm::decode_reply(bytes);
  if (!reply) {
    fmt::print(stderr, "mallard kv: the replica's answer cannot be read; are both of one version?\n");
    return ExitCode::failed;
  }
  if (reply->status != rsm::KvStatus::ok) {
    fmt::print(stderr, "mallard kv: {}\n", explanation(reply->status));
    return reply->status == rsm::KvStatus::not_found ? ExitCode::not_found : ExitCode::failed;
  }
  switch (command.operation) {
    case rsm::KvOperation::get:
      fmt::print("{}\n", readable(reply->body));
      break;
    case rsm::KvOperation::increment:
      fmt::print("{}\n", ByteReader(reply->body).read<std::uint64_t>());
      break;
    case rsm::KvOperation::scan:
      return print_scan(reply->body);
    default:
      break;
  }
  return ExitCode::ok;
}

ExitCode print_answer(const KvOptions& options, const rsm::KvCommand& command, const KvAnswer& answer) {
  switch (answer.status) {
    case door::ReplyStatus::done:
      return print_reply(command, answer.bytes);
    case door::ReplyStatus::not_leader:
      fmt::print(stderr, "mallard kv: this replica does not lead; give --data of replica {} too\n",
                 answer.leader ? answer.leader->value : 0);
      return ExitCode::refused;
    case door::ReplyStatus::unknown_outcome:
      fmt::print(stderr, "mallard kv: the leader changed; whether it was executed is not known\n");
      return ExitCode::failed;
    case door::ReplyStatus::forbidden:
      fmt::print(stderr, "mallard kv: {} is not under the prefixes of this client; see `clients:` of {}\n",
                 config::shown(options.key), options.configuration);
      return ExitCode::refused;
    case door::ReplyStatus::busy:
    case door::ReplyStatus::not_ready:
    case door::ReplyStatus::refused:
      break;
  }
  fmt::print(stderr, "mallard kv: refused\n");
  return ExitCode::refused;
}

// Who asks, and through which doors.
struct Asker {
  std::unique_ptr<KvClient> client;
  std::optional<PublicKey> key;  // over the network
  bool is_listed = true;         // the file that we have names the key
};

// Opens the doors of a cluster's replicas over the network; what is wrong is printed.
std::optional<Asker> open_doors(const KvOptions& options, const crypto::KeyPair& key, ExitCode& exit_code) {
  const auto pairing = load_configuration(options.configuration, exit_code);
  const auto first = pairing ? find_replica(*pairing, options.cluster, 0, exit_code) : std::nullopt;
  if (!first) {
    return std::nullopt;
  }
  const config::ClusterSettings& cluster = pairing->clusters[first->cluster.value];
  if (cluster.kind != config::ClusterKind::cft) {
    fmt::print(stderr, "mallard kv: cluster {} is one that you run; ask it in its own way\n", cluster.name);
    exit_code = ExitCode::refused;
    return std::nullopt;
  }
  std::vector<door::RemoteDoor> doors;
  for (const config::ReplicaSettings& replica : cluster.replicas) {
    doors.push_back(
        {.host = replica.host, .port = replica.ports.clients, .replica = replica.keys.replica, .key = &key});
  }
  const bool is_listed = std::ranges::any_of(
      pairing->clients, [&key](const auto& client) { return client.key == key.public_key(); });
  return Asker{std::make_unique<KvClient>(doors), key.public_key(), is_listed};
}

// Nothing, and why is printed, when the options do not say where to ask.
std::optional<Asker> open_client(const KvOptions& options, ExitCode& exit_code) {
  if (!options.directories.empty()) {
    const std::vector<std::filesystem::path> directories(options.directories.begin(),
                                                         options.directories.end());
    return Asker{.client = std::make_unique<KvClient>(directories), .key = {}, .is_listed = true};
  }
  if (options.cluster.empty() || options.identity.empty() || options.configuration.empty()) {
    fmt::print(stderr,
               "mallard kv: say where: --data DIR of the replicas on this machine, or --config FILE, "
               "--cluster NAME and --key FILE from any machine\n");
    exit_code = ExitCode::usage;
    return std::nullopt;
  }
  const auto key = crypto::load_key_file(options.identity);
  if (!key) {
    fmt::print(stderr, "mallard kv: {}; {}\n", key.error().what, key.error().advice);
    exit_code = ExitCode::failed;
    return std::nullopt;
  }
  return open_doors(options, *key, exit_code);
}

// A cluster that starts or has lost its leader answers in a moment. Who is turned away by name, or is nobody
// by our own file while nobody listens, would wait for nothing.
bool wait_for_answer(const Asker& asker) {
  KvClient& client = *asker.client;
  const Instant end = transport::EventLoop::now() + patience;
  for (;;) {
    const Instant now = transport::EventLoop::now();
    if (client.turn(now + glance)) {
      return true;
    }
    const bool is_hopeless = client.is_shut_out() && (client.is_key_unknown() || !asker.is_listed);
    if (is_hopeless || now >= (client.is_asking() ? end + last_word : end)) {
      return false;
    }
  }
}

ExitCode print_silence(const KvOptions& options, const Asker& asker) {
  const std::string& why = asker.client->failure();
  fmt::print(stderr, "mallard kv: {}\n",
             why.empty() ? "no answer in 10 s; whether it was executed is not known" : why);
  if (!asker.client->is_shut_out() || (asker.is_listed && !asker.client->is_key_unknown())) {
    return ExitCode::failed;
  }
  const std::string key = config::public_key_text(*asker.key);
  if (!asker.is_listed) {
    fmt::print(stderr, "mallard kv: {} names no client with the key {}\n", options.configuration, key);
  }
  fmt::print(stderr,
             "mallard kv: put `- {{key: \"{}\", prefixes: [...]}}` under `clients:` of the file that the "
             "replicas run with, and start them again one after the other\n",
             key);
  return asker.client->is_key_unknown() ? ExitCode::refused : ExitCode::failed;
}

ExitCode run_command(const KvOptions& options, const rsm::KvCommand& command) {
  ExitCode exit_code = ExitCode::ok;
  const auto opened = open_client(options, exit_code);
  if (!opened) {
    return exit_code;
  }
  KvClient& client = *opened->client;
  if (options.local) {
    client.ask_locally(0, rsm::encode_command(command));
  } else {
    client.ask(rsm::encode_command(command),
               rsm::is_read_operation(command.operation) ? Repeat::always : Repeat::never);
  }
  if (!wait_for_answer(*opened)) {
    return print_silence(options, *opened);
  }
  return print_answer(options, command, *client.answer());
}

using Fill = void (*)(const KvOptions&, rsm::KvCommand&);

CLI::App* add_verb(CLI::App& group, const char* name, const char* help, Fill fill, ExitCode& exit_code) {
  CLI::App* verb = group.add_subcommand(name, help);
  const auto options = std::make_shared<KvOptions>();
  CLI::Option* data =
      verb->add_option("--data", options->directories,
                       "The directories of the cluster's replicas on this machine; one may do, if it leads")
          ->type_name("DIR")
          ->allow_extra_args(false);
  add_config_option(*verb, options->configuration)->required(false);
  verb->add_option("--cluster", options->cluster, "Instead of --data: the cluster, from any machine")
      ->type_name("NAME")
      ->excludes(data);
  verb->add_option("--key", options->identity, "With --cluster: the client's key file, DIR/client.key")
      ->type_name("FILE")
      ->excludes(data);
  const bool scans = std::string_view(name) == "scan";
  CLI::Option* key = verb->add_option("key", options->key, scans ? "Keys that begin with it" : "The key");
  if (!scans) {
    key->required();
  }
  if (std::string_view(name) == "put") {
    verb->add_option("value", options->value, "The value")->required();
  } else if (std::string_view(name) == "increment") {
    verb->add_option("amount", options->amount, "What is added; 1 if not given");
  }
  if (scans || std::string_view(name) == "get") {
    verb->add_flag("--local", options->local,
                   "What the first replica has now, whoever leads; it may lag behind");
  }
  verb->callback([options, fill, &exit_code] {
    rsm::KvCommand command;
    fill(*options, command);
    exit_code = run_command(*options, command);
  });
  return verb;
}

}  // namespace

void add_kv(CLI::App& program, ExitCode& exit_code) {
  CLI::App* group = program.add_subcommand("kv", "Read and write a cluster that Mallard runs");
  group->group(group_use);
  group->require_subcommand(1);
  add_verb(
      *group, "get", "Print a value",
      [](const KvOptions& options, rsm::KvCommand& command) {
        command.operation = rsm::KvOperation::get;
        command.write.key = bytes_of(options.key);
      },
      exit_code);
  add_verb(
      *group, "put", "Store a value",
      [](const KvOptions& options, rsm::KvCommand& command) {
        command.operation = rsm::KvOperation::put;
        command.write = {.key = bytes_of(options.key), .value = bytes_of(options.value)};
      },
      exit_code);
  add_verb(
      *group, "delete", "Remove a key",
      [](const KvOptions& options, rsm::KvCommand& command) {
        command.operation = rsm::KvOperation::erase;
        command.write.key = bytes_of(options.key);
      },
      exit_code);
  add_verb(
      *group, "increment", "Add to a number",
      [](const KvOptions& options, rsm::KvCommand& command) {
        command.operation = rsm::KvOperation::increment;
        command.write = {.key = bytes_of(options.key), .amount = options.amount};
      },
      exit_code);
  add_verb(
      *group, "scan", "Print keys and values",
      [](const KvOptions& options, rsm::KvCommand& command) {
        command.operation = rsm::KvOperation::scan;
        command.scan.prefix = bytes_of(options.key);
      },
      exit_code);
}

}  // namespace mallard::cli
