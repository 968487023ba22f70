// `mallard kv`: uses a cluster that Mallard runs, through the local doors of its replicas or, from any
// machine, over the network.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/kv/kv_place.h"
#include "cli/kv/kv_report.h"
#include "cli/kv/kv_text.h"
#include "cli/kv/kv_txn_words.h"
#include "cli/kv/kv_watch.h"
#include "cli/kv/kv_write.h"
#include "cli/options.h"
#include "config/value_text.h"
#include "rsm/machine/kv_command.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

constexpr Duration patience = Duration::seconds(10);

struct KvOptions {
  KvPlace place;
  bool local = false;
  std::uint64_t session = 0;
  std::string key;
  std::string value;
  std::uint64_t amount = 1;
};

ByteView bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

ExitCode read(KvClient& client, const rsm::KvCommand& command, const KvQuestion& question, bool locally) {
  if (locally) {
    client.ask_locally(0, rsm::encode_command(command));
  } else {
    client.ask(rsm::encode_command(command), Repeat::always);
  }
  return client.turn(transport::EventLoop::now() + patience) ? report_answer(question, *client.answer())
                                                             : report_silence(client);
}

ExitCode run_command(const KvOptions& options, rsm::KvCommand command) {
  if (!rsm::decode_command(rsm::encode_command(command))) {
    fmt::print(stderr, "mallard kv: {}\n", explanation(rsm::KvStatus::malformed));
    return ExitCode::usage;
  }
  ExitCode exit_code = ExitCode::ok;
  const auto client = open_client(options.place, exit_code);
  if (client == nullptr) {
    return exit_code;
  }
  const KvQuestion question{.operation = command.operation,
                            .keys = config::shown(options.key),
                            .configuration = options.place.configuration};
  if (rsm::is_read_operation(command.operation)) {
    return read(*client, command, question, options.local);
  }
  const auto tagged = [&command](const rsm::SessionTag& tag) {
    command.session = tag;
    return rsm::encode_command(command);
  };
  const WriteReport report =
      write_once(*client, tagged, options.session, transport::EventLoop::now() + patience);
  return report_write(question, report, *client);
}

struct TxnOptions {
  KvPlace place;
  std::uint64_t session = 0;
  KvTxnWords words;
};

ExitCode run_txn(const TxnOptions& options) {
  const auto request = KvTxnRequest::of(options.words);
  if (!request) {
    fmt::print(stderr, "mallard kv: {}\n", request.error());
    return ExitCode::usage;
  }
  ExitCode exit_code = ExitCode::ok;
  const auto client = open_client(options.place, exit_code);
  if (client == nullptr) {
    return exit_code;
  }
  const auto tagged = [&request](const rsm::SessionTag& tag) { return request->encode(tag); };
  const WriteReport report =
      write_once(*client, tagged, options.session, transport::EventLoop::now() + patience);
  const KvQuestion question{.operation = rsm::KvOperation::txn,
                            .keys = "a key of the transaction",
                            .configuration = options.place.configuration,
                            .conditions = request->conditions(),
                            .counters = request->counters()};
  return report_write(question, report, *client);
}

void add_place_options(CLI::App& verb, KvPlace& place) {
  CLI::Option* data =
      verb.add_option("--data", place.directories,
                      "The directories of the cluster's replicas on this machine; one may do, if it leads")
          ->type_name("DIR")
          ->allow_extra_args(false);
  add_config_option(verb, place.configuration)->required(false);
  verb.add_option("--cluster", place.cluster, "Instead of --data: the cluster, from any machine")
      ->type_name("NAME")
      ->excludes(data);
  verb.add_option("--key", place.identity, "With --cluster: the client's key file, DIR/client.key")
      ->type_name("FILE")
      ->excludes(data);
}

void add_session_option(CLI::App& verb, std::uint64_t& session) {
  verb.add_option("--session", session,
                  "Asks a write again whose outcome was not known: the number that was printed then")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
}

using Fill = void (*)(const KvOptions&, rsm::KvCommand&);

CLI::App* add_verb(CLI::App& group, const char* name, const char* help, Fill fill, ExitCode& exit_code) {
  CLI::App* verb = group.add_subcommand(name, help);
  const auto options = std::make_shared<KvOptions>();
  add_place_options(*verb, options->place);
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
  } else {
    add_session_option(*verb, options->session);
  }
  verb->callback([options, fill, &exit_code] {
    rsm::KvCommand command;
    fill(*options, command);
    exit_code = run_command(*options, command);
  });
  return verb;
}

struct WatchOptions {
  KvPlace place;
  KvWatchSettings settings;
};

void add_watch(CLI::App& group, ExitCode& exit_code) {
  CLI::App* verb = group.add_subcommand("watch", "Print what happens to keys, until it is ended");
  const auto options = std::make_shared<WatchOptions>();
  KvWatchSettings& settings = options->settings;
  verb->add_option("prefix", settings.prefix, "Keys that begin with it");
  verb->add_option("--from", settings.from,
                   "Begins with what was decided at this index; else with what comes")
      ->type_name("INDEX")
      ->check(CLI::PositiveNumber);
  verb->add_flag("--local", settings.local,
                 "What the first replica has executed, whoever leads; it may lag behind");
  add_place_options(*verb, options->place);
  verb->footer(
      "A line for each change: its index, put or delete, the key, the value. What `txn` or a batch of a "
      "link\n"
      "changes has one index. After the last line that was dealt with, go on with --from and its index + 1.\n"
      "Replicas keep some megabytes of changes: who asks for older ones is told so, with exit status 5.");
  verb->callback([options, &exit_code] {
    options->settings.configuration = options->place.configuration;
    if (const auto client = open_client(options->place, exit_code)) {
      exit_code = KvWatch(*client, options->settings).run();
    }
  });
}

void add_txn(CLI::App& group, ExitCode& exit_code) {
  CLI::App* verb = group.add_subcommand("txn", "Compare keys and write keys, all of it or nothing");
  const auto options = std::make_shared<TxnOptions>();
  KvTxnWords& words = options->words;
  const auto add = [verb](const char* name, std::vector<std::string>& values, const char* form,
                          const char* help) {
    verb->add_option(name, values, help)->type_name(form)->allow_extra_args(false);
  };
  add("--if", words.equal, "KEY=VALUE", "Write only if the key has this value; split at the first =");
  add("--if-number", words.equal_number, "KEY=N", "Only if the key is a counter that stands at N");
  add("--if-absent", words.absent, "KEY", "Only if there is no such key");
  add("--if-present", words.present, "KEY", "Only if there is such a key");
  add("--put", words.puts, "KEY=VALUE", "Store a value");
  add("--delete", words.deletes, "KEY", "Remove a key, if it is there");
  add("--increment", words.increments, "KEY[=N]", "Add to a number; 1 if not given");
  add_place_options(*verb, options->place);
  add_session_option(*verb, options->session);
  verb->footer(
      "Each of these may come several times. Either all conditions hold and all writes are executed, or\n"
      "nothing is and the exit status is 5. A link carries the writes as one.\n"
      "Example: mallard kv txn --if owner=me --delete owner --increment turns --data DIR");
  verb->callback([options, &exit_code] { exit_code = run_txn(*options); });
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
  add_watch(*group, exit_code);
  add_txn(*group, exit_code);
}

}  // namespace mallard::cli
