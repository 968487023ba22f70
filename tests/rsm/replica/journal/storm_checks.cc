// How a journal must come back: the checkers of a storm.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/rsm/replica/journal/storm_world.h"

namespace mallard::rsm::journal {

LogState Storm::read_log() {
  LogState log{.front = journal_->front(), .ids = {}};
  for (EntryIndex index = journal_->front().next(); index <= journal_->last(); index = index.next()) {
    const auto entry = journal_->read(index);
    if (!entry) {
      if (entry.error() != ReadFault::damaged) {
        complain("I2", fmt::format("entry {} is there and cannot be read", index.value));
      }
      log.ids.push_back(damaged_id);
      continue;
    }
    const auto id = id_of(*entry);
    if (!id || entry->index != index) {
      complain("I4", fmt::format("entry {} is served with bytes that nobody wrote there", index.value));
      log.ids.push_back(damaged_id);
      continue;
    }
    log.ids.push_back(*id);
  }
  return log;
}

void Storm::check_opening() {
  const Recovered& recovered = journal_->recovered();
  const LogState found = read_log();
  if (recovered.amnesia == AmnesiaCause::fresh_store) {
    if (witness_.incarnation != Incarnation()) {
      complain("I1", "the store has vanished");
    }
  } else if (recovered.amnesia != AmnesiaCause::none) {
    complain("I7",
             fmt::format("a crash alone is called a loss, of kind {}", static_cast<int>(recovered.amnesia)));
  } else {
    note(model_.check_log(found, false));
    note(model_.check_promises(journal_->promises()));
    if (witness_.incarnation != Incarnation() &&
        (journal_->is_older_than(witness_) || journal_->witness().incarnation != witness_.incarnation)) {
      complain("I9", fmt::format("a store that lost nothing counts as an old copy: generation {} after {}",
                                 journal_->witness().generation, witness_.generation));
    }
  }
  if (journal_->commit() > journal_->last()) {
    complain("I2", fmt::format("{} entries came back and {} count as decided", journal_->last().value,
                               journal_->commit().value));
  }
  if (recovered.bytes_cut != 0) {
    ++outcome_.marks.tails_cut;
  }
  if (found != model_.acknowledged() && found.front == model_.acknowledged().front) {
    ++outcome_.marks.unsynced_kept;
  }
  model_.adopt(found, journal_->promises());
  witness_ = journal_->witness();
}

void Storm::check_dead() {
  ++outcome_.marks.disk_failures;
  const MadeEntry entry = make_entry(1, journal_->last().next(), 20);
  Promises promises = journal_->promises();
  ++promises.grant;
  const bool silent = journal_->append(entry.view()) == AppendOutcome::dead && !journal_->sync() &&
                      !journal_->promise(promises) && !journal_->prepare_segment() && !journal_->sync() &&
                      journal_->failure();
  if (!silent) {
    complain("I5", "the journal goes on after its disk failed");
  }
  if (disk_.changes_after_failure() != 0) {
    complain("I5", "the disk is written to after a write or sync of it failed");
  }
}

bool Storm::repair_all() {
  const LogState before = model_.acknowledged();
  while (journal_->entries_damaged() != 0 && !outcome_.complaint) {
    for (const DamagedRange& range : journal_->damaged()) {
      for (EntryIndex index = range.from; index <= range.to; index = index.next()) {
        const std::uint64_t id = before.ids.at(index.value - before.front.value - 1);
        const MadeEntry entry = make_entry(id, index, model_.body_bytes_of(id));
        AppendOutcome outcome = journal_->repair(entry.view());
        if (outcome == AppendOutcome::group_full) {
          (void)went_well(journal_->sync());
          outcome = journal_->repair(entry.view());
        }
        if (outcome == AppendOutcome::journal_full) {
          return false;  // too little room for so much damage: a snapshot from a peer helps
        }
        if (outcome != AppendOutcome::accepted) {
          complain("I3", fmt::format("the repair of {} is refused with {}", index.value,
                                     static_cast<int>(outcome)));
          return false;
        }
        if (journal_->durable() >= index) {
          complain("I3", fmt::format("entry {} counts as durable before its repair is", index.value));
        }
        ++outcome_.marks.repairs;
      }
    }
    (void)went_well(journal_->sync());
  }
  if (!outcome_.complaint && (read_log() != before || journal_->durable() != before.last())) {
    complain("I3", "a repaired log is not what it was");
  }
  witness_ = journal_->witness();
  return true;
}

void Storm::damage_and_check() {
  if (prng_.below(3) == 0 || options_.crash_at) {
    return;
  }
  if (prng_.below(2) == 0) {
    append();
    sync();
  }
  journal_.reset();
  disk_.restart(SimDisk::Loss::none);
  const DiskImage good = disk_.image();
  if (prng_.below(8) == 0 && copies_.size() > 1) {
    restore_old_directory();
  } else {
    const Damage damage = draw_damage(prng_, good, old_files_);
    DiskImage bad = good;
    apply_damage(damage, bad);
    disk_.restore(bad);
    if (damage.kind == DamageKind::unreadable_sector) {
      disk_.make_unreadable(damage.file, damage.offset);
    }
    check_damaged(damage);
  }
  // The lives to come start from a disk that is well, in the state that is known to the model.
  if (outcome_.complaint || journal_) {
    return;
  }
  disk_.restore(good);
  (void)open();
}

void Storm::check_damaged(const Damage& damage) {
  auto opened = Journal::open(disk_, settings_, fresh());
  if (!opened) {
    if (opened.error().fault != JournalFault::damaged) {
      complain("I7", "damage has no name: " + opened.error().what);
    }
    ++outcome_.marks.stores_refused;
    return;
  }
  journal_ = std::move(*opened);
  const LogState found = read_log();
  const AmnesiaCause amnesia = journal_->recovered().amnesia;
  const std::string story = describe(damage);
  if (amnesia != AmnesiaCause::none) {
    outcome_.marks.tails_lost += amnesia == AmnesiaCause::tail_lost ? 1U : 0U;
    outcome_.marks.superblocks_lost += amnesia == AmnesiaCause::superblock_lost ? 1U : 0U;
    outcome_.marks.superblocks_regressed += amnesia == AmnesiaCause::superblock_regressed ? 1U : 0U;
    if (journal_->promises().may_vote || journal_->witness().incarnation == witness_.incarnation) {
      complain("I9", story + ": the store may vote on");
    }
    // One changed byte of a superblock, or one of its sectors, forgets nothing.
    if (amnesia == AmnesiaCause::superblock_lost &&
        !(is_of_superblock(damage) && takes_whole_files(damage))) {
      complain("I8", story + ": promises count as lost");
    }
  } else if (may_need_witness(damage) && journal_->is_older_than(witness_)) {
    ++outcome_.marks.old_copies_noticed;
    if (!journal_->become_amnesiac(fresh().incarnation) || journal_->promises().may_vote) {
      complain("I9", story + ": an old copy may vote on");
    }
  } else {
    if (damage.kind == DamageKind::old_file) {
      model_.on_old_file(found.front);
    }
    Complaint complaint = model_.check_log(found, true);
    if (complaint) {
      // A whole file that is lost or old, or what a disk wrote elsewhere, is another promise than a changed
      // byte.
      complaint->checker = takes_whole_files(damage) || may_need_witness(damage) ? "I7" : "I3";
      complaint->what = story + ": " + complaint->what;
    }
    note(complaint);
    const Promises& promises = journal_->promises();
    // An old file may bring back a promise that was written and never given.
    if (damage.kind != DamageKind::old_file || promises.term < model_.promises().term ||
        promises.grant < model_.promises().grant) {
      note(model_.check_promises(promises));
    } else {
      model_.adopt(model_.acknowledged(), promises);
    }
    outcome_.marks.damaged_middles += journal_->entries_damaged() != 0 ? 1U : 0U;
    if (!outcome_.complaint) {
      const EntryIndex first_damaged =
          journal_->damaged().empty() ? journal_->last().next() : journal_->damaged()[0].from;
      if (journal_->durable() >= first_damaged) {
        complain("I3", story + ": a damaged entry may be acknowledged");
      }
      if (repair_all()) {
        return;
      }
    }
  }
  journal_.reset();
}

void Storm::restore_old_directory() {
  disk_.restore(copies_[prng_.below(copies_.size() - 1)]);
  auto opened = Journal::open(disk_, settings_, fresh());
  if (!opened) {
    complain("I9", "an old copy cannot be opened: " + opened.error().what);
    return;
  }
  journal_ = std::move(*opened);
  (void)read_log();
  if (journal_->recovered().amnesia == AmnesiaCause::none && !journal_->is_older_than(witness_)) {
    complain("I9", fmt::format("an old copy passes for the store: generation {}, seen was {}",
                               journal_->witness().generation, witness_.generation));
  }
  ++outcome_.marks.old_copies_noticed;
  journal_.reset();
}

}  // namespace mallard::rsm::journal
