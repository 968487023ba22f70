// Writes to a source that Mallard runs, as a client at the doors of its replicas: one transaction for each
// entry, in one session, so that one that is repeated after a crash is executed once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/demo/demo_loader.h"
#include "cli/kv/kv_client.h"

namespace mallard::cli {

class ReplicaLoader final : public DemoLoader {
 public:
  // `directories`: of the source's replicas, by id.
  ReplicaLoader(const DemoWorkload& workload, const std::vector<std::filesystem::path>& directories,
                double messages_per_second)
      : DemoLoader(workload, messages_per_second), client_(directories) {}

  [[nodiscard]] Result<void, std::string> advance(Instant now, std::size_t hold_at, Instant until) override;
  [[nodiscard]] std::size_t leader() const override { return client_.last_place(); }

 private:
  void ask_for_session();
  void ask_for_entry();
  // What became of the request; the error is a sentence.
  [[nodiscard]] Result<void, std::string> take_answer();

  KvClient client_;
  bool under_way_ = false;
  std::uint64_t session_ = 0;  // 0: not open yet
};

}  // namespace mallard::cli
