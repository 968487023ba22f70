// Which messages of a committed entry go over a link, and in which batches: a pure function of the entry and
// the link's filter, so that every replica numbers alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/bytes.h"

namespace mallard::bridge::file {

// One batch of an entry: those messages between `begin` and `end` (offsets in the entry's payload) that pass.
struct BatchCut {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint32_t bytes = 0;  // of the batch's payload
  std::uint16_t messages = 0;
};

class BatchCutter {
 public:
  // `include`: prefixes of keys that pass; empty: every message passes, keyed or not.
  explicit BatchCutter(std::vector<std::string> include) : include_(std::move(include)) {}

  // The next batch at or after `from`: as many passing messages as fit batch_bytes_max and
  // batch_messages_max. Nothing when no more pass. `payload` is an entry that is_well_formed().
  [[nodiscard]] std::optional<BatchCut> next(ByteView payload, std::size_t from) const;
  // Writes the batch's payload to `out`, which has cut.bytes bytes.
  void copy(ByteView payload, const BatchCut& cut, ByteSpan out) const;

  // Exactly `messages` messages, each as u32 length and 1 to message_bytes_max bytes.
  [[nodiscard]] static bool is_well_formed(ByteView payload, std::size_t messages);

 private:
  [[nodiscard]] bool passes(ByteView message) const;

  std::vector<std::string> include_;
};

}  // namespace mallard::bridge::file
