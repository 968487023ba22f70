// Puts a state together from chunks, which may come from anybody. Memory stays within the limits whatever
// they say.
#pragma once

#include <cstdint>
#include <vector>

#include "config/contract/machine.h"
#include "rsm/machine/kv_versions.h"
#include "rsm/machine/state_chunk.h"

namespace mallard::rsm {

class StateImport {
 public:
  struct Limits {
    std::uint64_t user_units = 0;
    std::uint64_t system_units = 0;
  };

  StateImport(KvVersions& versions, const Limits& limits);

  // The live version must be empty.
  void begin(const StateIdentity& state);
  [[nodiscard]] bool is_open() const { return open_; }
  void end() { open_ = false; }

  // As Machine::import_chunk(), except that who calls compares the hash of the whole and ends the import.
  [[nodiscard]] Result<bool, MachineFault> take(ByteView chunk);
  [[nodiscard]] const StateIdentity& state() const { return state_; }
  [[nodiscard]] const ExportCursor& cursor() const { return cursor_; }
  [[nodiscard]] std::uint64_t user_units() const { return user_units_; }
  [[nodiscard]] std::uint64_t user_entries() const { return user_entries_; }

 private:
  // False if it cannot be part of any state within the limits.
  [[nodiscard]] bool take_part(const ChunkPart& part);
  [[nodiscard]] bool continues(const ChunkPart& part, const ChunkPlace& place) const;
  [[nodiscard]] bool store(const ChunkPart& part, ByteView value);

  KvVersions& versions_;
  Limits limits_;
  bool open_ = false;
  StateIdentity state_;
  ExportCursor cursor_;
  std::vector<std::byte> value_;   // of an entry that is not complete
  std::uint32_t value_bytes_ = 0;  // of which it will have so many
  std::uint64_t user_units_ = 0;
  std::uint64_t user_entries_ = 0;
  std::uint64_t system_units_ = 0;
};

}  // namespace mallard::rsm
