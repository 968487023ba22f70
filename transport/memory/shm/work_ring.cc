#include "transport/memory/shm/work_ring.h"

#include <array>

#include "transport/memory/shm/word_copy.h"

namespace mallard::memory {

void WorkRing::put(std::uint64_t sequence, const RingWork& work) {
  const std::array<std::uint64_t, 7> fields{static_cast<std::uint64_t>(work.kind) << 32 | work.region,
                                            work.grant,
                                            work.offset,
                                            work.bytes,
                                            work.payload_at,
                                            work.expected,
                                            work.desired};
  const std::size_t slot = slot_at(sequence);
  copy_in(memory_.subspan(slot + word_bytes, sizeof(fields)), std::as_bytes(std::span(fields)));
  store_word(memory_, slot, sequence);
}

bool WorkRing::take(std::uint64_t sequence, RingWork& work) const {
  const std::size_t slot = slot_at(sequence);
  if (load_word(memory_, slot) != sequence) return false;
  std::array<std::uint64_t, 7> fields{};
  copy_out(std::as_writable_bytes(std::span(fields)), memory_.subspan(slot + word_bytes, sizeof(fields)));
  work = RingWork{static_cast<std::uint32_t>(fields[0] >> 32),
                  static_cast<std::uint32_t>(fields[0]),
                  fields[1],
                  fields[2],
                  fields[3],
                  fields[4],
                  fields[5],
                  fields[6]};
  return true;
}

void WorkRing::put_outcome(std::uint64_t sequence, RingOutcome outcome) {
  const std::size_t place = slot_at(sequence) + line;
  store_word(memory_, place + word_bytes, static_cast<std::uint64_t>(outcome.status));
  store_word(memory_, place + 2 * word_bytes, outcome.previous);
  store_word(memory_, place, sequence);
}

bool WorkRing::take_outcome(std::uint64_t sequence, RingOutcome& outcome) const {
  const std::size_t place = slot_at(sequence) + line;
  if (load_word(memory_, place) != sequence) return false;
  const std::uint64_t status = load_word(memory_, place + word_bytes);
  // An agent that writes something else is not to be believed anything.
  outcome.status = status <= static_cast<std::uint64_t>(WorkStatus::flushed) ? static_cast<WorkStatus>(status)
                                                                             : WorkStatus::unknown;
  outcome.previous = load_word(memory_, place + 2 * word_bytes);
  return true;
}

}  // namespace mallard::memory
