// What one link of a certify core has counted since start. Plain numbers; the shell exports them.
#pragma once

#include <cstdint>

namespace mallard::rsm::certify {

struct CertifyCounters {
  std::uint64_t batches = 0;         // that became durable here
  std::uint64_t batches_signed = 0;  // once more after each start of the link
  std::uint64_t batches_certified = 0;
  std::uint64_t marks_ordered = 0;
  std::uint64_t shares_sent = 0;      // unasked, each counted once however many it went to
  std::uint64_t shares_answered = 0;  // because they were asked for
  std::uint64_t shares_taken = 0;
  std::uint64_t shares_repeated = 0;        // of a batch of which the sender's is here
  std::uint64_t shares_outside = 0;         // of batches before or beyond the window
  std::uint64_t shares_out_of_context = 0;  // and requests: of another numbering or epoch, or of no member
  std::uint64_t shares_checked = 0;
  std::uint64_t shares_refused = 0;  // their signature is not the sender's
  std::uint64_t contradictions = 0;
  std::uint64_t asks_sent = 0;
  std::uint64_t asks_refused = 0;  // more often than any correct replica asks
  std::uint64_t answers_late = 0;  // to orders of an earlier life of the link
};

}  // namespace mallard::rsm::certify
