// `mallard keys generate|show DIR`: the identities of one process, as the YAML file names them.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "config/value_text.h"
#include "crypto/key_file.h"

namespace mallard::cli {
namespace {

struct KeysOptions {
  std::string directory;
  bool client = false;
  OutputFormat format = OutputFormat::table;
};

void report(const crypto::KeyProblem& problem) {
  fmt::print(stderr, "{}; {}\n", problem.what, problem.advice);
}

std::vector<crypto::KeyRole> roles_of(const KeysOptions& options) {
  return options.client ? std::vector<crypto::KeyRole>{crypto::KeyRole::client}
                        : std::vector<crypto::KeyRole>(crypto::key_roles.begin(), crypto::key_roles.end());
}

// Lines that can be put under `keys:`, or under `clients:`, of the YAML file, or one JSON object.
void print(const std::vector<PublicKey>& keys, const KeysOptions& options) {
  nlohmann::ordered_json object;
  std::string lines;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string name(options.client ? "key" : crypto::key_role_name(crypto::key_roles[i]));
    const std::string text = config::public_key_text(keys[i]);
    object[name] = text;
    lines += fmt::format("{}: \"{}\"\n", name, text);
  }
  fmt::print("{}", options.format == OutputFormat::json ? object.dump() + "\n" : lines);
}

Result<std::vector<PublicKey>, crypto::KeyProblem> make(const KeysOptions& options) {
  if (options.client) {
    return crypto::generate_client_key(options.directory).map([](const PublicKey& key) {
      return std::vector<PublicKey>{key};
    });
  }
  return crypto::generate_keys(options.directory).map([](const crypto::PublicKeys& keys) {
    return std::vector<PublicKey>(keys.begin(), keys.end());
  });
}

ExitCode generate(const KeysOptions& options) {
  const auto keys = make(options);
  if (!keys) {
    report(keys.error());
    const auto roles = roles_of(options);
    const bool has_keys = std::any_of(roles.begin(), roles.end(), [&](crypto::KeyRole role) {
      std::error_code ignored;
      return std::filesystem::exists(crypto::key_file_path(options.directory, role), ignored);
    });
    return has_keys ? ExitCode::refused : ExitCode::failed;
  }
  print(*keys, options);
  return ExitCode::ok;
}

ExitCode show(const KeysOptions& options) {
  std::vector<PublicKey> keys;
  for (const crypto::KeyRole role : roles_of(options)) {
    const auto pair = crypto::load_key(options.directory, role);
    if (!pair) {
      report(pair.error());
      return ExitCode::failed;
    }
    keys.push_back(pair->public_key());
  }
  print(keys, options);
  return ExitCode::ok;
}

void add_verb(CLI::App& keys, const char* name, const char* purpose, ExitCode& exit_code,
              ExitCode (*run)(const KeysOptions&)) {
  CLI::App* verb = keys.add_subcommand(name, purpose);
  const auto options = std::make_shared<KeysOptions>();
  verb->add_option("DIR", options->directory, "The process's directory (its --data), or a client's")
      ->type_name("")
      ->required();
  verb->add_flag("--client", options->client, "Of a client: one key, for `clients:` of the file");
  add_output_option(*verb, options->format);
  verb->callback([options, run, &exit_code] { exit_code = run(*options); });
}

}  // namespace

void add_keys(CLI::App& program, ExitCode& exit_code) {
  CLI::App* keys = program.add_subcommand("keys", "Make and show the identities of a process");
  keys->group(group_configure);
  keys->require_subcommand(1);
  add_verb(*keys, "generate", "Make a process's three key pairs and print the public halves", exit_code,
           generate);
  add_verb(*keys, "show", "Print the public halves of a process's keys", exit_code, show);
}

}  // namespace mallard::cli
