#include "rsm/replica/snapshot_fetch.h"

namespace mallard::rsm {

void SnapshotFetch::stop() {
  snapshot_ = {};
  bytes_ = 0;
  offset_ = 0;
  complete_ = false;
  asked_ = false;
  peer_.reset();
  ask_at_ = Instant();
}

bool SnapshotFetch::turn(cft::Lsn at_least, memory::ProcessIndex first, Instant now) {
  if (complete_) {
    return false;
  }
  if (asked_ && now >= deadline_) {
    ++counters_.timeouts;
    next_peer(now);
  }
  if (asked_ || now < ask_at_) {
    return false;
  }
  if (!peer_) {
    peer_ = first;
  }
  if (*peer_ == settings_.self || peer_->value >= settings_.replicas) {
    next_peer(now);
  }
  ask(at_least, now);
  return true;
}

void SnapshotFetch::ask(cft::Lsn at_least, Instant now) {
  asked_ = true;
  deadline_ = now + settings_.patience;
  if (!ports_.peers.send(*peer_, SnapshotWanted{at_least, snapshot_, offset_})) {
    next_peer(now);
    ask_at_ = now + settings_.pause;
  }
}

void SnapshotFetch::next_peer(Instant now) {
  asked_ = false;
  ask_at_ = now;
  const auto after = [this](std::size_t peer) { return peer + 1 < settings_.replicas ? peer + 1 : 0; };
  std::size_t next = peer_ ? after(peer_->value) : 0;
  if (next == settings_.self.value) {
    next = after(next);
  }
  peer_ = memory::ProcessIndex(static_cast<std::uint16_t>(next));
}

void SnapshotFetch::on_piece(memory::ProcessIndex from, const SnapshotPiece& piece, Instant now) {
  const ByteView bytes = ports_.pool.view(piece.body);
  const bool continues = piece.snapshot == snapshot_ && piece.offset == offset_ && piece.bytes == bytes_;
  const bool begins = piece.offset == 0 && piece.bytes > 0 && piece.bytes <= settings_.bytes_max &&
                      piece.snapshot != snapshot_;
  if (asked_ && !complete_ && peer_ == from) {
    asked_ = false;
    ask_at_ = now;
    if (bytes.empty()) {
      next_peer(now);
      ask_at_ = now + settings_.pause;
    } else if (!continues && !begins) {
      next_peer(now);
    } else {
      if (begins) {
        begin(piece);
      }
      ++counters_.pieces;
      if (verify(bytes)) {
        ports_.journal.write_snapshot(bytes, offset_ == 0);
        ++orders_;
        offset_ += bytes.size();
        complete_ = offset_ == bytes_;
      } else {
        ++counters_.damaged;
        const auto failed = peer_;
        stop();
        peer_ = failed;
        next_peer(now);
      }
    }
  }
  ports_.pool.release(piece.body);
}

void SnapshotFetch::begin(const SnapshotPiece& piece) {
  ++counters_.begun;
  snapshot_ = piece.snapshot;
  bytes_ = piece.bytes;
  offset_ = 0;
  order_ = {};
  parser_.begin();
}

bool SnapshotFetch::verify(ByteView bytes) {
  const bool is_last = offset_ + bytes.size() == bytes_;
  for (ByteView rest = bytes;;) {
    const FrameOutcome outcome = parser_.take(rest);
    if (outcome == FrameOutcome::more) {
      break;
    }
    if (outcome == FrameOutcome::damaged || !order_.take(parser_.frame()) || order_.end()) {
      return false;
    }
  }
  return !is_last || (parser_.at_boundary() && order_.is_complete() && parser_.chain() == snapshot_);
}

StoredSnapshot SnapshotFetch::keep(std::uint8_t slot, const SnapshotEnd& end, KeepSnapshot order) {
  MALLARD_INVARIANT(complete_);
  StoredSnapshot stored{
      .slot = slot, .head = order_.head(), .end = end, .bytes = bytes_, .peers_digest = snapshot_};
  writer_.begin_after(parser_.chain());
  ports_.journal.write_snapshot(writer_.seal(FrameKind::end, write_end(end, writer_.payload())), false);
  stored.digest = writer_.chain();
  order.slot = slot;
  order.position = stored.position();
  ports_.journal.keep_snapshot(order);
  orders_ += 2;
  stop();
  return stored;
}

std::uint64_t SnapshotFetch::take_orders() {
  const std::uint64_t orders = orders_;
  orders_ = 0;
  return orders;
}

}  // namespace mallard::rsm
