#include "tests/rsm/replica/journal/storm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tests/rsm/replica/journal/storm_world.h"

namespace mallard::rsm::journal {

namespace {

constexpr std::uint64_t lives_max = 6;
constexpr std::uint64_t actions_per_life = 60;

JournalSettings draw_settings(Prng& prng) {
  JournalSettings settings;
  settings.segment_bytes = static_cast<std::uint32_t>(prng.between(4, 12) * 4096);
  settings.segments_max = static_cast<std::uint32_t>(prng.between(4, 8));
  settings.entries_max = static_cast<std::uint32_t>(prng.between(30, 200));
  settings.group_bytes_max = static_cast<std::uint32_t>(prng.between(2, 3) * 4096);
  settings.body_bytes_max = settings.group_bytes_max - 4096;
  return settings;
}

}  // namespace

void Storm::draw_faults(std::uint64_t life) {
  if (options_.crash_at) {
    if (life == 0) {
      disk_.crash_after(*options_.crash_at);
    }
  } else if (prng_.below(4) != 0) {
    disk_.crash_after(prng_.below(prng_.below(2) == 0 ? 12 : 150));
  } else if (prng_.below(2) == 0) {
    disk_.fail_after(prng_.below(100), prng_.below(2) == 0 ? DiskFault::full : DiskFault::broken);
  }
}

void Storm::live(std::uint64_t life) {
  const std::uint64_t before = disk_.changes();
  draw_faults(life);
  if (open()) {
    for (std::uint64_t i = 0; i < actions_per_life && !outcome_.complaint && !disk_.has_failed(); ++i) {
      act();
    }
    if (life == 0) {
      outcome_.changes = disk_.changes() - before;
    }
    if (!outcome_.complaint) {
      if (disk_.has_failed()) {
        check_dead();
      } else {
        sync();
      }
    }
  } else if (disk_.has_failed()) {
    ++outcome_.marks.crashes_in_opening;
  }
  die();
  if (!outcome_.complaint && open()) {
    damage_and_check();
  }
}

void Storm::die() {
  journal_.reset();
  if (disk_.has_failed()) {
    ++outcome_.marks.crashes;
  }
  SimDisk::Loss loss = options_.loss;
  if (!options_.crash_at) {
    constexpr std::array losses{SimDisk::Loss::none, SimDisk::Loss::everything, SimDisk::Loss::some};
    loss = losses[prng_.below(losses.size())];
  }
  disk_.restart(loss);
  copies_.push_back(disk_.image());
  old_files_.push_back(copies_.back());
}

bool Storm::open() {
  auto opened = Journal::open(disk_, settings_, fresh());
  if (!went_well(opened)) {
    return false;
  }
  journal_ = std::move(*opened);
  check_opening();
  return !outcome_.complaint;
}

void Storm::act() {
  const std::uint64_t choice = prng_.below(100);
  if (choice < 45) {
    append();
  } else if (choice < 65) {
    sync();
  } else if (choice < 72) {
    journal_->set_commit(EntryIndex(prng_.between(0, journal_->last().value)));
  } else if (choice < 79) {
    replace();
  } else if (choice < 86) {
    promise();
  } else if (choice < 92) {
    forget_front();
  } else if (choice < 95) {
    (void)went_well(journal_->prepare_segment());
  } else if (choice < 99) {
    read_one();
  } else {
    restart_after_snapshot();
  }
}

void Storm::append() {
  const std::uint64_t count = prng_.between(1, 6);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t size =
        prng_.below(prng_.below(4) == 0 ? settings_.body_bytes_max + 1 : std::uint64_t{300});
    const MadeEntry entry =
        model_.make(journal_->last().next(), std::min<std::size_t>(size, settings_.body_bytes_max));
    const AppendOutcome outcome = journal_->append(entry.view());
    if (outcome == AppendOutcome::accepted) {
      model_.on_append(entry);
    } else if (outcome == AppendOutcome::group_full) {
      sync();
      return;
    } else if (outcome == AppendOutcome::journal_full) {
      sync();
      if (!disk_.has_failed()) {
        journal_->set_commit(journal_->durable());
        forget_front();
      }
      return;
    } else {
      complain("I2", fmt::format("the next entry is refused with {}", static_cast<int>(outcome)));
      return;
    }
  }
}

void Storm::replace() {
  const EntryIndex low = std::max(commit_here(), journal_->front()).next();
  if (low > journal_->last()) {
    return;
  }
  const EntryIndex index(prng_.between(low.value, journal_->last().value));
  const MadeEntry entry = model_.make(index, prng_.below(200));
  const AppendOutcome outcome = journal_->append(entry.view());
  if (outcome == AppendOutcome::accepted) {
    model_.on_append(entry);
    ++outcome_.marks.suffixes_replaced;
  } else if (outcome != AppendOutcome::group_full && outcome != AppendOutcome::journal_full) {
    complain("I2", fmt::format("a replacement is refused with {}", static_cast<int>(outcome)));
  }
}

void Storm::sync() {
  const auto synced = journal_->sync();
  if (!went_well(synced)) {
    return;
  }
  model_.on_synced();
  if (*synced != model_.acknowledged().last()) {
    complain("I1",
             fmt::format("sync acknowledges {} of {}", synced->value, model_.acknowledged().last().value));
  }
  witness_ = journal_->witness();
}

void Storm::promise() {
  Promises next = journal_->promises();
  next.term = Term(next.term.value + prng_.below(2));
  next.grant += prng_.below(3);
  next.voted_for = static_cast<std::uint16_t>(prng_.below(4));
  next.may_vote = true;
  DiskImage superblocks = disk_.image();
  std::erase_if(superblocks, [](const auto& file) { return !file.first.starts_with("superblock"); });
  old_files_.push_back(std::move(superblocks));
  model_.on_promise(next);
  if (went_well(journal_->promise(next))) {
    model_.on_promised();
    witness_ = journal_->witness();
    note(check_superblocks(disk_.image(), journal_->witness().generation));
  }
}

void Storm::forget_front() {
  const EntryIndex through = std::min(commit_here(), journal_->durable());
  if (through <= journal_->snapshot().index || through <= journal_->front()) {
    return;
  }
  const EntryIndex index(
      prng_.between(std::max(journal_->front(), journal_->snapshot().index).value + 1, through.value));
  if (!went_well(journal_->set_snapshot({.index = index, .term = journal_->term_of(index), .digest = {}}))) {
    return;
  }
  witness_ = journal_->witness();
  const std::size_t files = disk_.image().size();
  model_.on_truncate(index);
  if (went_well(journal_->truncate_front(index))) {
    model_.on_truncated();
    witness_ = journal_->witness();
    outcome_.marks.segments_recycled += disk_.image().size() < files ? 1U : 0U;
  }
}

void Storm::restart_after_snapshot() {
  const EntryIndex index(journal_->last().value + prng_.below(20));
  if (index == EntryIndex()) {
    return;
  }
  model_.on_restart(index);
  if (went_well(journal_->restart_after({.index = index, .term = Term(1), .digest = {}}))) {
    model_.adopt({.front = index, .ids = {}}, journal_->promises());
    witness_ = journal_->witness();
    ++outcome_.marks.restarts;
    if (journal_->commit() != index) {
      complain("I2", fmt::format("behind {} entries through {} count as decided", index.value,
                                 journal_->commit().value));
    }
  }
}

void Storm::read_one() {
  const LogState& acknowledged = model_.newest();
  if (acknowledged.ids.empty()) {
    return;
  }
  const EntryIndex index(prng_.between(acknowledged.front.value + 1, acknowledged.last().value));
  const auto entry = journal_->read(index);
  if (!entry) {
    if (entry.error() == ReadFault::damaged || index <= journal_->durable()) {
      complain("I4", fmt::format("entry {} cannot be read back", index.value));
    }
  } else if (id_of(*entry) != acknowledged.ids[index.value - acknowledged.front.value - 1]) {
    complain("I4", fmt::format("entry {} is served with bytes of another", index.value));
  }
}

Storm::Storm(const StormOptions& options)
    : options_(options),
      prng_(options.seed),
      disk_(prng_.child("disk").next()),
      settings_(draw_settings(prng_)) {}

StormOutcome Storm::run() {
  for (std::uint64_t life = 0; life < lives_max && !outcome_.complaint; ++life) {
    live(life);
  }
  return outcome_;
}

void StormMarks::add(const StormMarks& other) {
  crashes += other.crashes;
  crashes_in_opening += other.crashes_in_opening;
  tails_cut += other.tails_cut;
  unsynced_kept += other.unsynced_kept;
  suffixes_replaced += other.suffixes_replaced;
  repairs += other.repairs;
  segments_recycled += other.segments_recycled;
  restarts += other.restarts;
  disk_failures += other.disk_failures;
  damaged_middles += other.damaged_middles;
  tails_lost += other.tails_lost;
  superblocks_lost += other.superblocks_lost;
  superblocks_regressed += other.superblocks_regressed;
  stores_refused += other.stores_refused;
  old_copies_noticed += other.old_copies_noticed;
}

StormOutcome run_storm(const StormOptions& options) { return Storm(options).run(); }

}  // namespace mallard::rsm::journal
