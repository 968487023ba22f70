// `mallard keys generate|show DIR`: the identities of one process, as the YAML file names them.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

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
  OutputFormat format = OutputFormat::table;
};

void report(const crypto::KeyProblem& problem) {
  fmt::print(stderr, "{}; {}\n", problem.what, problem.advice);
}

// Lines that can be put under `keys:` of the YAML file, or one JSON object.
void print(const crypto::PublicKeys& keys, OutputFormat format) {
  nlohmann::ordered_json object;
  std::string lines;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string_view role = crypto::key_role_name(crypto::key_roles[i]);
    const std::string text = config::public_key_text(keys[i]);
    object[std::string(role)] = text;
    lines += fmt::format("{}: \"{}\"\n", role, text);
  }
  fmt::print("{}", format == OutputFormat::json ? object.dump() + "\n" : lines);
}

ExitCode generate(const KeysOptions& options) {
  const auto keys = crypto::generate_keys(options.directory);
  if (!keys) {
    report(keys.error());
    const bool has_keys =
        std::any_of(crypto::key_roles.begin(), crypto::key_roles.end(), [&](crypto::KeyRole role) {
          std::error_code ignored;
          return std::filesystem::exists(crypto::key_file_path(options.directory, role), ignored);
        });
    return has_keys ? ExitCode::refused : ExitCode::failed;
  }
  print(*keys, options.format);
  return ExitCode::ok;
}

ExitCode show(const KeysOptions& options) {
  crypto::PublicKeys keys;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto pair = crypto::load_key(options.directory, crypto::key_roles[i]);
    if (!pair) {
      report(pair.error());
      return ExitCode::failed;
    }
    keys[i] = pair->public_key();
  }
  print(keys, options.format);
  return ExitCode::ok;
}

void add_verb(CLI::App& keys, const char* name, const char* purpose, ExitCode& exit_code,
              ExitCode (*run)(const KeysOptions&)) {
  CLI::App* verb = keys.add_subcommand(name, purpose);
  const auto options = std::make_shared<KeysOptions>();
  verb->add_option("DIR", options->directory, "The process's directory (its --data)")
      ->type_name("")
      ->required();
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
