// The disk of one replica: what its journal and its snapshots would hold, and what of it is synced.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/prng.h"
#include "config/base/time.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/core/cft/effect.h"
#include "rsm/core/cft/members.h"

namespace mallard::sim::cft {

class SimJournal {
 public:
  explicit SimJournal(const rsm::cft::Members& members) : members_(members) {}

  // Orders; done at an instant of the caller's choice that does not go back.
  void order_entries(rsm::cft::JournalTicket ticket, rsm::cft::Lsn from, std::vector<std::byte> bytes,
                     Instant done_at);
  void order_promise(rsm::cft::JournalTicket ticket, rsm::cft::Ballot promise, Instant done_at);
  [[nodiscard]] Instant next_done() const;
  // Syncs what is due; the newest ticket that was synced, or 0.
  rsm::cft::JournalTicket advance(Instant now);
  // The replica died: what was not synced is lost or there, in order, the last of it torn. What is
  // left ends with a whole entry.
  void crash(Prng& prng);
  // Everything up to a decided mark is in a snapshot; the journal begins there.
  void snapshot(const rsm::cft::LogMark& stable, const rsm::cft::Members& members);

  // What a restart finds.
  [[nodiscard]] const rsm::cft::LogMark& base() const { return base_; }
  [[nodiscard]] const rsm::cft::Members& members() const { return members_; }
  [[nodiscard]] rsm::cft::Ballot promise() const { return promise_; }
  [[nodiscard]] ByteView bytes() const { return bytes_; }  // the log from base() on

 private:
  struct Order {
    rsm::cft::JournalTicket ticket = 0;
    rsm::cft::Ballot promise;
    rsm::cft::Lsn from = 0;
    std::vector<std::byte> bytes;
    Instant done_at;
  };
  void apply(const Order& order, std::size_t bytes);
  void cut_tail();

  rsm::cft::LogMark base_;
  rsm::cft::Members members_;
  rsm::cft::Ballot promise_;
  std::vector<std::byte> bytes_;
  std::deque<Order> orders_;
};

}  // namespace mallard::sim::cft
