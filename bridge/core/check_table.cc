#include "bridge/core/check_table.h"

#include <algorithm>

#include "config/base/invariant.h"

namespace mallard::bridge {

CheckTable::CheckTable(std::size_t peers)
    : share_checks_(std::max<std::size_t>(1, checks_max / peers)),
      share_bytes_(std::max<std::uint64_t>(batch_bytes_max + proof_bytes_max, bytes_max / peers)),
      entries_(checks_max) {}

CheckTable::Opening CheckTable::open(ReplicaAddress from, const StoredBatch& batch) {
  if (open_ == checks_max || bytes_ + batch.payload.bytes > bytes_max) {
    return {Outcome::no_room};
  }
  std::size_t free = checks_max;
  std::size_t seen = 0;
  std::size_t checks_of_peer = 0;
  std::uint64_t bytes_of_peer = 0;
  for (std::size_t i = 0; i < entries_.size() && (free == checks_max || seen < open_); ++i) {
    const Entry& entry = entries_[i];
    if (!entry.open) {
      free = std::min(free, i);
      continue;
    }
    ++seen;
    if (entry.check.from != from) {
      continue;
    }
    if (entry.check.batch.header.batch == batch.header.batch) {
      return {Outcome::duplicate};
    }
    ++checks_of_peer;
    bytes_of_peer += entry.check.batch.payload.bytes;
  }
  if (checks_of_peer >= share_checks_ || bytes_of_peer + batch.payload.bytes > share_bytes_) {
    return {Outcome::no_room};
  }
  entries_[free] = {.open = true, .check = {from, batch}};
  ++open_;
  bytes_ += batch.payload.bytes;
  return {Outcome::opened, static_cast<std::uint32_t>(free)};
}

CheckTable::Check CheckTable::close(std::uint32_t check) {
  MALLARD_INVARIANT(check < entries_.size() && entries_[check].open);
  Entry& entry = entries_[check];
  entry.open = false;
  --open_;
  bytes_ -= entry.check.batch.payload.bytes;
  return entry.check;
}

}  // namespace mallard::bridge
