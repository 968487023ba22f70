// What must hold between the settings of a pairing, whoever filled them in.
#pragma once

#include <string>
#include <vector>

#include "config/pairing.h"

namespace mallard::config {

// A relation that does not hold.
struct BrokenRelation {
  // The settings that it is about, the one to point at first, as paths:
  // "clusters.east.replicas[0].ports.bridge". Replicas and links are counted by their place in the vectors of
  // `Pairing`.
  std::vector<std::string> settings;
  std::string what;    // a phrase without a final stop
  std::string advice;  // what to do about it
};

// All of them, in the order of the file. Checked are: names and replica ids are unique and ids leave no gap;
// every key appears once; weights sum below 2^63 and carry the fault budget (n >= 2u + r + 1, r <= u); what
// an engine is asked for it can keep; no two sockets share a port of one host; no link ends where it starts;
// no circle of mirror links passes the same key.
[[nodiscard]] std::vector<BrokenRelation> check_relations(const Pairing& pairing);

}  // namespace mallard::config
