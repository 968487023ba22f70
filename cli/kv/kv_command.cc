// `mallard kv`: uses a cluster that Mallard runs, through the local door of one of its replicas.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/kv/kv_client.h"
#include "cli/kv/kv_text.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_reply.h"

namespace mallard::cli {
namespace {

namespace door = transport::door;

constexpr Duration patience = Duration::seconds(10);

struct KvOptions {
  std::vector<std::string> directories;
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

ExitCode print_answer(const rsm::KvCommand& command, const KvAnswer& answer) {
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
    case door::ReplyStatus::busy:
    case door::ReplyStatus::refused:
      break;
  }
  fmt::print(stderr, "mallard kv: refused\n");
  return ExitCode::refused;
}

ExitCode run_command(const KvOptions& options, const rsm::KvCommand& command) {
  KvClient client({options.directories.begin(), options.directories.end()});
  if (options.local) {
    client.ask_locally(0, rsm::encode_command(command));
  } else {
    client.ask(rsm::encode_command(command),
               rsm::is_read_operation(command.operation) ? Repeat::always : Repeat::never);
  }
  if (!client.turn(transport::EventLoop::now() + patience)) {
    fmt::print(stderr, "mallard kv: {}\n",
               client.failure().empty() ? "no answer in 10 s; whether it was executed is not known"
                                        : client.failure());
    return ExitCode::failed;
  }
  return print_answer(command, *client.answer());
}

using Fill = void (*)(const KvOptions&, rsm::KvCommand&);

CLI::App* add_verb(CLI::App& group, const char* name, const char* help, Fill fill, ExitCode& exit_code) {
  CLI::App* verb = group.add_subcommand(name, help);
  const auto options = std::make_shared<KvOptions>();
  verb->add_option("--data", options->directories,
                   "The directories of the cluster's replicas on this machine; one may do, if it leads")
      ->required()
      ->type_name("DIR")
      ->allow_extra_args(false);
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
