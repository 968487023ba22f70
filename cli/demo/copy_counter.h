// Copies that the demo's source gateways sent, over all their lives, apart in fault periods and outside of
// them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/demo/demo_deployment.h"

namespace mallard::cli {

class CopyCounter {
 public:
  explicit CopyCounter(const DemoDeployment& deployment);

  // Reads every source gateway's counters. From here on copies are outside of fault periods, or inside.
  void begin_clean();
  void begin_fault();

  // Copies per message outside of fault periods: each message is sent for the first time by one source
  // replica, so what all of them sent again comes on top. 0 when nothing was sent.
  [[nodiscard]] double copies_per_message() const;
  // Resends, fault periods included.
  [[nodiscard]] std::uint64_t resends() const;
  // From the commit until the source knew that a correct replica of the destination has it, in milliseconds,
  // as the gateway saw it that has counted the most batches; 0 where none has.
  [[nodiscard]] double lag_ms_p50() const { return busiest().lag_ms_p50; }
  [[nodiscard]] double lag_ms_p99() const { return busiest().lag_ms_p99; }

 private:
  struct Sent {
    std::uint64_t first = 0;
    std::uint64_t again = 0;
  };
  struct Gateway {
    std::string incarnation;
    Sent last;                  // as counted last, in this life
    Sent total;                 // over all lives
    std::uint64_t batches = 0;  // whose lag it has counted in this life
    double lag_ms_p50 = 0;
    double lag_ms_p99 = 0;
  };

  // Adds what is new since the last reading to the period that is under way.
  void read();
  [[nodiscard]] const Gateway& busiest() const;

  const DemoDeployment& deployment_;
  std::vector<Gateway> gateways_;
  Sent clean_;
  bool in_clean_ = true;
};

}  // namespace mallard::cli
