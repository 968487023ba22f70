// What a journal promised so far, and what it may be after a crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rsm/replica/journal/journal.h"

namespace mallard::rsm::journal {

// One checker's complaint; the names are those of reliability.md 2.9.
struct Verdict {
  std::string checker;  // "I1" ... "I9"
  std::string what;
};
using Complaint = std::optional<Verdict>;

// An entry is made from its number alone, so that what is read back needs no memory of what was written.
struct MadeEntry {
  std::uint64_t id = 0;  // 0: none
  EntryIndex index;
  Term term;
  Epoch epoch;
  std::vector<std::byte> body;  // at least 16 bytes: id and index first, then bytes that are not 0

  [[nodiscard]] Entry view() const { return {.index = index, .term = term, .epoch = epoch, .body = body}; }
};
[[nodiscard]] MadeEntry make_entry(std::uint64_t id, EntryIndex index, std::size_t body_bytes);
// The id of an entry that was read; nothing if it is not one that make_entry() made for this index.
[[nodiscard]] std::optional<std::uint64_t> id_of(const Entry& entry);

// The entries after the front, as ids.
struct LogState {
  EntryIndex front;
  std::vector<std::uint64_t> ids;

  [[nodiscard]] EntryIndex last() const { return EntryIndex(front.value + ids.size()); }
  void put(EntryIndex index, std::uint64_t id);
  void drop_front(EntryIndex to);
  friend bool operator==(const LogState&, const LogState&) = default;
};

// Damaged entries read as this.
inline constexpr std::uint64_t damaged_id = UINT64_MAX;

// Keeps every state that a crash at this moment may leave.
class JournalModel {
 public:
  JournalModel();

  // The log with everything that was appended.
  [[nodiscard]] const LogState& newest() const { return states_.back(); }
  // The log that was acknowledged.
  [[nodiscard]] const LogState& acknowledged() const { return states_.front(); }
  [[nodiscard]] const Promises& promises() const { return promises_.back(); }
  [[nodiscard]] std::size_t body_bytes_of(std::uint64_t id) const { return sizes_.at(id); }

  [[nodiscard]] MadeEntry make(EntryIndex index, std::size_t body_bytes);
  void on_append(const MadeEntry& entry) { change().put(entry.index, entry.id); }
  void on_synced();
  // A promise, or the front, is about to change, and has changed durably.
  void on_promise(const Promises& promises) { promises_.push_back(promises); }
  void on_promised() { promises_.erase(promises_.begin(), promises_.end() - 1); }
  void on_truncate(EntryIndex front) {
    fronts_.push_back(front);
    tried_fronts_.push_back(front);
  }
  // An old file may bring back a front whose write failed; what lies before it is in a snapshot.
  void on_old_file(EntryIndex front);
  void on_truncated();
  // The log restarts after `front`.
  void on_restart(EntryIndex front);

  // `found`: what the journal holds after it was opened again; entries that it calls damaged are damaged_id.
  // Complains about I1 and I2; with `may_be_damaged` about I3 where more is wrong than is called damaged.
  [[nodiscard]] Complaint check_log(const LogState& found, bool may_be_damaged) const;
  [[nodiscard]] Complaint check_promises(const Promises& found) const;
  // What was found is what was acknowledged from here on.
  void adopt(const LogState& found, const Promises& promises);

 private:
  LogState& change();
  [[nodiscard]] bool matches(const LogState& found, const LogState& expected) const;

  std::vector<LogState> states_;    // acknowledged first, then one more per append that is not synced
  std::vector<EntryIndex> fronts_;  // the durable one first, then the one that is being written
  std::vector<EntryIndex> tried_fronts_;
  std::vector<Promises> promises_;  // likewise
  std::vector<std::size_t> sizes_;  // by id
};

}  // namespace mallard::rsm::journal
