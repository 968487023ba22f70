// The copies of batches whose certificates are being checked. Each copy has a check of its own: a forged one
// must not shut out the true one. And each peer has only its share of the table, in checks and in bytes, so
// that a flood of forgeries does not shut out the copies of others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/frame.h"
#include "config/base/ids.h"
#include "config/base/limits.h"

namespace mallard::bridge {

class CheckTable {
 public:
  static constexpr std::size_t checks_max = 128;
  // Payload under check at once, of all peers.
  static constexpr std::uint64_t bytes_max = 8 * batch_bytes_max;

  struct Check {
    ReplicaAddress from;
    StoredBatch batch;
  };
  enum class Outcome : std::uint8_t {
    opened,
    duplicate,  // this peer's copy of this batch is being checked already
    no_room,    // the table is full, or this peer's share of it
  };
  struct Opening {
    Outcome outcome = Outcome::no_room;
    std::uint32_t check = 0;  // names the check when opened
  };

  // `peers` is how many replicas copies can come from, at least 1. The only allocation happens here.
  explicit CheckTable(std::size_t peers);

  // The reference to the payload stays with the caller.
  [[nodiscard]] Opening open(ReplicaAddress from, const StoredBatch& batch);
  // Ends an open check and returns what it was about.
  Check close(std::uint32_t check);

 private:
  struct Entry {
    bool open = false;
    Check check;
  };

  std::size_t share_checks_;
  std::uint64_t share_bytes_;
  std::vector<Entry> entries_;
  std::size_t open_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace mallard::bridge
