// What `mallard replica` and `mallard gateway` have in common: who the process is, and what every process of
// a deployment does before it opens anything.
#pragma once

#include <cstdint>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
}  // namespace CLI

namespace mallard::cli {

struct ProcessOptions {
  std::string configuration;
  std::string cluster;
  std::uint64_t id = 0;
  std::string directory;
};

// `--config`, `--cluster`, `--id` and `--data`, of which all must be given. `contents` says what the
// directory holds.
void add_process_options(CLI::App& command, ProcessOptions& options, const std::string& contents);

// Keys must not end up in a core dump; a peer that closes a socket must not end the process; what is logged
// goes to stderr. Once per process, before threads are started.
void prepare_process();

}  // namespace mallard::cli
