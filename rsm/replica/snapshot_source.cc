#include "rsm/replica/snapshot_source.h"

#include <algorithm>

namespace mallard::rsm {

bool SnapshotSource::answer(memory::ProcessIndex from, const SnapshotWanted& wanted,
                            const KeptSnapshots& kept) {
  const StoredSnapshot* newest = kept.newest();
  for (const StoredSnapshot* snapshot : {newest, kept.older()}) {
    if (snapshot != nullptr && snapshot->peers_digest == wanted.snapshot &&
        snapshot->head.end.lsn >= wanted.at_least && wanted.offset < snapshot->bytes) {
      send_piece(from, *snapshot, wanted.offset);
      return true;
    }
  }
  if (newest != nullptr && newest->head.end.lsn >= wanted.at_least) {
    send_piece(from, *newest, 0);
    return true;
  }
  ++counters_.not_yet;
  static_cast<void>(ports_.peers.send(from, SnapshotPiece{}));
  return false;
}

void SnapshotSource::send_piece(memory::ProcessIndex to, const StoredSnapshot& snapshot,
                                std::uint64_t offset) {
  const std::size_t bytes = std::min<std::uint64_t>(snapshot.bytes - offset, snapshot_piece_bytes_max);
  if (!open(snapshot)) {
    return;
  }
  const auto body = ports_.pool.allocate(bytes);
  if (!body) {
    return;
  }
  const auto got = ports_.disk.read(*file_, offset, ports_.pool.span(*body));
  if (got && *got == bytes &&
      ports_.peers.send(to, SnapshotPiece{snapshot.peers_digest, snapshot.bytes, offset, *body})) {
    ++counters_.pieces_sent;
  }
  ports_.pool.release(*body);
}

// What was opened stays readable when its name goes to a newer one.
bool SnapshotSource::open(const StoredSnapshot& snapshot) {
  if (file_ && opened_ == snapshot.digest) {
    return true;
  }
  close();
  const auto opened = ports_.disk.open(snapshot_name(snapshot.slot));
  if (!opened) {
    return false;
  }
  file_ = *opened;
  opened_ = snapshot.digest;
  return true;
}

void SnapshotSource::close() {
  if (file_) {
    ports_.disk.close(*file_);
    file_.reset();
  }
}

}  // namespace mallard::rsm
