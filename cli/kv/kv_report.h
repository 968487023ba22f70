// Prints what came of a request, data to stdout and the rest to stderr, and says it as an exit status.
#pragma once

#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/kv/kv_client.h"
#include "cli/kv/kv_write.h"
#include "rsm/machine/kv_command.h"

namespace mallard::cli {

// What was asked, for the lines that name it.
struct KvQuestion {
  rsm::KvOperation operation = rsm::KvOperation::get;
  std::string keys;           // all that it touches, for people to read
  std::string configuration;  // over the network: the file that names the clients
  // txn: as KvTxnRequest says them.
  std::vector<std::string> conditions;
  std::vector<std::string> counters;
};

// An answer to a read, or one that is no doubt about a write.
ExitCode report_answer(const KvQuestion& question, const KvAnswer& answer);
// Nothing was executed, for nobody answered.
ExitCode report_silence(const KvClient& client);
// What is known of a write; likewise.
ExitCode report_write(const KvQuestion& question, const WriteReport& report, const KvClient& client);

}  // namespace mallard::cli
