// What a client of whole replicas waits for a write.
#pragma once

#include <cstdint>
#include <string>

#include "config/base/result.h"
#include "config/base/time.h"
#include "config/pairing.h"

namespace mallard::cli {

struct ClientSettings {
  config::Durability durability = config::Durability::replicated;
  std::uint16_t replicas = 3;
  std::uint32_t bytes = 64;
  Duration time;
};

struct ClientFigures {
  std::uint64_t put_ns_p50 = 0;
  std::uint64_t put_ns_p99 = 0;
};

// One client at the door of `mallard replica` processes puts one value after the other, each under a key of
// its own. Counts if every replica then has all of them, byte for byte. The error is a sentence.
[[nodiscard]] Result<ClientFigures, std::string> run_client(const ClientSettings& settings,
                                                            const volatile int& interrupted);

}  // namespace mallard::cli
