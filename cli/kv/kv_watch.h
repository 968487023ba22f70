// `mallard kv watch`: prints what happens to the keys under a prefix, in the order of the log. It asks again
// and again for the changes from an index on, so that the cluster keeps nothing for it: a watcher that is
// slow, or away for a while, goes on where it was, or is told that this is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/kv/kv_client.h"
#include "config/base/time.h"
#include "rsm/machine/kv_reply.h"

namespace mallard::cli {

struct KvWatchSettings {
  std::string prefix;
  std::uint64_t from = 0;     // the index to begin at; 0: what happens from now on
  bool local = false;         // what the first replica has executed, whoever leads; it may lag behind
  std::string configuration;  // over the network: the file that names the clients
  Duration patience = Duration::seconds(10);  // without an answer
};

class KvWatch {
 public:
  // The client outlives the watch.
  KvWatch(KvClient& client, const KvWatchSettings& settings)
      : client_(client), settings_(settings), from_(settings.from) {}

  // Prints a line for each change to stdout until it cannot go on; why is printed to stderr, and from where
  // on it could.
  ExitCode run();

 private:
  // Of the changes from `from_` on.
  [[nodiscard]] std::vector<std::byte> question() const;
  // False when stdout takes no more.
  bool print(const rsm::KvReply& page);
  // Whether one of the replicas still has what the one that leads has not, and it was printed.
  bool look_elsewhere();
  [[nodiscard]] ExitCode report_silence() const;
  [[nodiscard]] ExitCode report_cut(const rsm::KvReply& reply) const;

  KvClient& client_;
  KvWatchSettings settings_;
  std::uint64_t from_;
};

}  // namespace mallard::cli
