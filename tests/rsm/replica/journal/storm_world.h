// One storm: a journal, its disk, and the model of what it promised. storm.cc lives its lives,
// storm_checks.cc judges how it comes back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/rsm/replica/journal/storm.h"
#include "tests/rsm/replica/journal/storm_damage.h"

namespace mallard::rsm::journal {

class Storm {
 public:
  explicit Storm(const StormOptions& options);
  [[nodiscard]] StormOutcome run();

 private:
  void live(std::uint64_t life);
  void act();
  void draw_faults(std::uint64_t life);
  void die();
  bool open();
  void check_opening();
  void append();
  void replace();
  void sync();
  void promise();
  void forget_front();
  void restart_after_snapshot();
  bool repair_all();
  void read_one();
  void check_dead();
  void damage_and_check();
  void check_damaged(const Damage& damage);
  void restore_old_directory();
  LogState read_log();
  EntryIndex commit_here() { return std::min(journal_->commit(), journal_->last()); }
  void complain(const char* checker, std::string what) {
    if (!outcome_.complaint) {
      outcome_.complaint = Verdict{checker, std::move(what)};
    }
  }
  void note(const Complaint& complaint) {
    if (!outcome_.complaint) {
      outcome_.complaint = complaint;
    }
  }
  // True if the result is there; false if the disk failed, as it was made to.
  template <class T>
  bool went_well(const JournalResult<T>& result) {
    if (!result && !disk_.has_failed()) {
      complain("I7", "without a fault: " + result.error().what);
    }
    if (result && (!disk_.names_are_durable())) {
      complain("I6", "acknowledged while a name in the directory is not durable");
    }
    return result.has_value();
  }
  FreshIdentity fresh() {
    FreshIdentity identity;
    identity.incarnation = Incarnation(++incarnations_);
    identity.store.bytes[0] = static_cast<std::byte>(incarnations_);
    return identity;
  }

  StormOptions options_;
  StormOutcome outcome_;
  Prng prng_;
  SimDisk disk_;
  JournalSettings settings_;
  JournalModel model_;
  std::unique_ptr<Journal> journal_;
  std::vector<DiskImage> copies_;     // of earlier lives
  std::vector<DiskImage> old_files_;  // likewise, and what each superblock was before a promise
  Witness witness_;
  std::uint64_t incarnations_ = 0;
  bool may_vote_ = false;
};

}  // namespace mallard::rsm::journal
