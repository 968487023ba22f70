// Writes a version of the state as a row of chunks.
#pragma once

#include "config/contract/machine.h"
#include "rsm/machine/key_forest.h"
#include "rsm/machine/kv_versions.h"
#include "rsm/machine/state_chunk.h"

namespace mallard::rsm {

class StateExport {
 public:
  explicit StateExport(const KeyForest& forest) : forest_(forest), walk_(forest) {}

  // As Machine::export_chunk(); `hash` is that of the version. A cursor that does not fit the version is
  // chunk_unexpected.
  [[nodiscard]] Result<ExportedChunk, MachineFault> chunk(const KvVersion& version, const StateDigest& hash,
                                                          ByteView cursor, ByteSpan out);

 private:
  // Goes to the first entry that is not complete at the place; false if the place is not in the version.
  [[nodiscard]] bool seek(const KvVersion& version, const ChunkPlace& place);
  // Goes to the next entry of both trees, if there is one.
  void settle(const KvVersion& version);

  const KeyForest& forest_;
  TreeWalk walk_;
  Section section_ = Section::system;
  std::uint32_t offset_ = 0;  // into the value at which the walk is
};

}  // namespace mallard::rsm
