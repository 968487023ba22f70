// What benchmarks write to clusters, made anew whenever it is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "cli/kv/kv_client.h"
#include "config/base/result.h"

namespace mallard::cli {

struct BenchRecords {
  std::size_t count = 0;
  std::size_t bytes = 64;  // of a value

  // Keys rise with their number, from 0 on.
  [[nodiscard]] std::string key(std::size_t number) const;
  // Differs from those of other numbers, where there is room for it.
  [[nodiscard]] std::string value(std::size_t number) const;
};

// A full scan of what the replica at `place` itself has: it must be these records and nothing else. The error
// says what differs first.
[[nodiscard]] Result<void, std::string> compare_records(KvClient& client, std::size_t place,
                                                        const BenchRecords& records);

}  // namespace mallard::cli
