// Works that the engine ordered of one link, with the bytes that they carry.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/contract/one_sided.h"
#include "rsm/core/cft/card.h"
#include "rsm/core/cft/effect.h"

namespace mallard::rsm {

class WorkOutbox {
 public:
  // At most `depth` works are ordered and not reported at any time. Allocates here.
  explicit WorkOutbox(std::size_t depth);

  // Takes the order over; flush() posts it. `log` and `scratch` are own regions; a card is already in card().
  void add(const cft::Post& order, ByteView log, ByteSpan scratch);
  // Where the card of the next order is written. The core has at most one under way.
  [[nodiscard]] ByteSpan card() { return card_; }
  // Posts what waits, in chains, as far as the link has room.
  void flush(memory::Link& link);
  // Forgets what waits: the link is reset.
  void clear() { waiting_.clear(); }

 private:
  std::vector<memory::Work> waiting_;                                 // in order
  std::vector<std::array<std::byte, 2 * memory::word_bytes>> words_;  // used in turn
  std::size_t next_words_ = 0;
  alignas(8) std::array<std::byte, cft::card_bytes> card_{};
};

}  // namespace mallard::rsm
