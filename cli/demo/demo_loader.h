// Writes the demo's messages to the source, at a steady pace, and remembers what was acknowledged when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/demo/demo_workload.h"
#include "config/base/result.h"
#include "config/base/time.h"

namespace mallard::cli {

class DemoLoader {
 public:
  virtual ~DemoLoader() = default;

  // Writes what is due at `now`, but no message from `hold_at` on; may take until `until`.
  [[nodiscard]] virtual Result<void, std::string> advance(Instant now, std::size_t hold_at,
                                                          Instant until) = 0;
  // Makes everything durable that is not yet.
  [[nodiscard]] virtual Result<void, std::string> finish() { return {}; }
  // The place of the source's leader, where it has one.
  [[nodiscard]] virtual std::size_t leader() const { return 0; }

  [[nodiscard]] bool finished() const { return entries() == workload_.entries(); }
  // That were acknowledged.
  [[nodiscard]] std::size_t messages() const {
    return entries() == 0 ? 0 : workload_.entry_end(entries() - 1);
  }
  [[nodiscard]] std::size_t entries() const { return committed_at_.size(); }
  // When an entry, from 0, was acknowledged.
  [[nodiscard]] Instant committed_at(std::size_t entry) const { return committed_at_[entry]; }
  [[nodiscard]] Instant started() const { return started_; }
  // The longest time between two acknowledgements while there was something to write.
  [[nodiscard]] Duration longest_stall() const { return longest_stall_; }

 protected:
  // `workload` outlives the loader.
  DemoLoader(const DemoWorkload& workload, double messages_per_second);

  [[nodiscard]] const DemoWorkload& workload() const { return workload_; }
  // Whether the next entry is due. A pace that has fallen behind starts over: a stall must not end in a
  // burst.
  [[nodiscard]] bool is_due(Instant now, std::size_t hold_at);
  void committed(Instant now);

 private:
  const DemoWorkload& workload_;
  double rate_;
  Instant started_;
  Instant paced_from_;              // the pace counts from here ...
  std::size_t paced_messages_ = 0;  // ... with so many done before
  std::vector<Instant> committed_at_;
  Instant waits_since_;  // an entry has been due since then
  bool waits_ = false;
  Duration longest_stall_;
};

}  // namespace mallard::cli
