// Answers reads at any version.
#pragma once

#include <cstddef>

#include "rsm/machine/key_forest.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_versions.h"

namespace mallard::rsm {

class KvReader {
 public:
  explicit KvReader(const KeyForest& forest) : forest_(forest), walk_(forest) {}

  // Writes the reply to a get or scan to `reply`, which has room for reply_bytes_max; returns its length.
  [[nodiscard]] std::size_t answer(const KvVersion& version, const KvCommand& command, ByteSpan reply);

 private:
  [[nodiscard]] std::size_t scan(const KvVersion& version, const KvScan& scan, ByteSpan reply);

  const KeyForest& forest_;
  TreeWalk walk_;
};

}  // namespace mallard::rsm
