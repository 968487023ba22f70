#include "rsm/replica/snapshot_taker.h"

#include <algorithm>

namespace mallard::rsm {
namespace {

// Of frames that are ordered with one turn.
constexpr std::size_t piece_bytes = 256U << 10;
// Of log since the newest snapshot.
constexpr std::uint64_t intervals_max = 3;
// The machine's digests are brought up to date this often, so that the hash of a snapshot is no long stop.
constexpr std::uint64_t hash_every_bytes = 256U << 10;
// Of entries that a turn executes before anybody looks at the interval (EngineSettings).
constexpr std::uint64_t turn_entries = 256;
constexpr std::uint64_t turn_bytes = 4U << 20;

}  // namespace

JournalRoom journal_room(const SnapshotSettings& settings, std::uint64_t ring_bytes) {
  constexpr std::uint64_t intervals = 2 * intervals_max;
  return {
      .bytes = intervals * settings.every_bytes + 2 * (ring_bytes + turn_bytes),
      .entries = intervals * settings.every_entries + 2 * (ring_bytes / cft::entry_alignment + turn_entries)};
}

SnapshotTaker::SnapshotTaker(const SnapshotSettings& settings, const Ports& ports, const KeptSnapshots& kept)
    : settings_(settings),
      ports_(ports),
      kept_(kept),
      extents_(ports.egress.links()),
      orders_(ports.journal.snapshot_orders()) {
  piece_.reserve(piece_bytes + frame_bytes_max);
}

void SnapshotTaker::abandon() {
  close_view();
  if (step_ != Step::keeping) {
    step_ = Step::idle;
  } else if (is_settled()) {
    note_kept();
  }
}

void SnapshotTaker::close_view() {
  if (view_ != ViewId{}) {
    ports_.machine.close_view(view_);
    view_ = {};
  }
}

void SnapshotTaker::note_kept() {
  kept_.keep(taking_);
  ++taken_;
  step_ = Step::idle;
}

bool SnapshotTaker::is_due(const LogPlace& at) const {
  const StoredSnapshot* newest = kept_.newest();
  const LogPlace from = newest == nullptr ? LogPlace{} : newest->place();
  return at.end.lsn - from.end.lsn >= settings_.every_bytes ||
         at.index.value - from.index.value >= settings_.every_entries ||
         (wanted_ && at.end.lsn > from.end.lsn);
}

bool SnapshotTaker::is_behind(const LogPlace& at) const {
  const StoredSnapshot* newest = kept_.newest();
  const LogPlace from = newest == nullptr ? LogPlace{} : newest->place();
  return (at.end.lsn - from.end.lsn) / intervals_max >= settings_.every_bytes ||
         (at.index.value - from.index.value) / intervals_max >= settings_.every_entries;
}

bool SnapshotTaker::turn(const LogStart& at) {
  if (at.place.end.lsn - hashed_at_ >= hash_every_bytes) {
    hashed_at_ = at.place.end.lsn;
    static_cast<void>(ports_.machine.state_hash(ViewId{}));
  }
  if (!is_settled()) {
    return false;
  }
  if (step_ == Step::keeping) {
    note_kept();
  }
  piece_.clear();
  if (step_ == Step::idle && (!is_due(at.place) || !begin(at))) {
    return false;
  }
  if (step_ == Step::links) {
    add_links();
  }
  if (step_ == Step::state) {
    add_state();
  }
  if (piece_.empty()) {
    return false;  // the view was lost: the next turn begins anew
  }
  ports_.journal.write_snapshot(piece_, first_);
  ++orders_;
  first_ = false;
  if (step_ == Step::keeping) {
    finish();
  }
  return true;
}

bool SnapshotTaker::begin(const LogStart& at) {
  const auto view = ports_.machine.open_view();
  if (!view) {
    return false;
  }
  view_ = *view;
  const auto hash = ports_.machine.state_hash(view_);
  if (!hash) {
    abandon();
    return false;
  }
  wanted_ = false;
  taking_ = {};
  taking_.slot = kept_.next_slot();
  taking_.head = {.end = at.place.end,
                  .members = at.members,
                  .state = {.index = ports_.machine.applied(), .hash = *hash}};
  taking_.end = {at.place.index, journal::Term(at.place.end.ballot.value)};
  for (std::size_t i = 0; i < extents_.size(); ++i) {
    extents_[i] = ports_.egress.extent(LinkIndex(static_cast<std::uint16_t>(i)));
    taking_.head.links = static_cast<std::uint16_t>(taking_.head.links + (extents_[i].newest.value > 0));
  }
  frames_.begin();
  written_ = 0;
  first_ = true;
  add(FrameKind::head, write_head(taking_.head, frames_.payload()));
  step_ = Step::links;
  link_ = 0;
  batch_ = {};
  cursor_ = {};
  return true;
}

void SnapshotTaker::add(FrameKind kind, std::size_t payload_bytes) {
  const ByteView frame = frames_.seal(kind, payload_bytes);
  piece_.insert(piece_.end(), frame.begin(), frame.end());
  written_ += frame.size();
}

void SnapshotTaker::start_link(std::size_t link) {
  const LinkIndex index(static_cast<std::uint16_t>(link));
  const EgressExtent& extent = extents_[link];
  add(FrameKind::link,
      write_link({index, extent.generation, extent.newest, extent.newest_message}, frames_.payload()));
  batch_ = extent.oldest_readable;
}

// What is forgotten meanwhile, or belongs to a newer generation, is not needed: the log behind the snapshot
// brings the newer.
void SnapshotTaker::add_links() {
  while (piece_.size() < piece_bytes) {
    if (link_ == extents_.size()) {
      step_ = Step::state;
      return;
    }
    const LinkIndex link(static_cast<std::uint16_t>(link_));
    const EgressExtent& then = extents_[link_];
    const EgressExtent now = ports_.egress.extent(link);
    if (batch_ == BatchNumber() && then.newest.value > 0) {
      start_link(link_);
    }
    batch_ = std::max(batch_, now.oldest_readable);
    const auto batch = now.generation == then.generation && batch_ <= then.newest
                           ? ports_.egress.find(link, batch_)
                           : std::nullopt;
    if (!batch) {
      ++link_;
      batch_ = {};
      continue;
    }
    const std::size_t head = write_batch(link, *batch, frames_.payload());
    ports_.egress.copy(link, batch_, frames_.payload().subspan(head, batch->bytes));
    add(FrameKind::batch, head + batch->bytes);
    batch_ = batch_.next();
  }
}

void SnapshotTaker::add_state() {
  while (piece_.size() < piece_bytes) {
    const auto chunk = ports_.machine.export_chunk(view_, cursor_, frames_.payload().first(chunk_bytes_max));
    if (!chunk) {
      abandon();
      piece_.clear();
      wanted_ = true;
      return;
    }
    add(FrameKind::state, chunk->bytes);
    cursor_ = chunk->next;
    if (chunk->last) {
      taking_.bytes = written_;
      taking_.peers_digest = frames_.chain();
      add(FrameKind::end, write_end(taking_.end, frames_.payload()));
      taking_.digest = frames_.chain();
      close_view();
      step_ = Step::keeping;
      return;
    }
  }
}

void SnapshotTaker::finish() {
  const StoredSnapshot* newest = kept_.newest();
  ports_.journal.keep_snapshot(
      {.slot = taking_.slot,
       .position = taking_.position(),
       .forget_through = newest == nullptr ? journal::EntryIndex() : newest->end.index});
  ++orders_;
}

}  // namespace mallard::rsm
