// Any bytes as the file of a snapshot: as they are, and as the payloads of frames whose digests are right
// (u8 kind, u16 length, payload). What verifies is either loaded or refused; bodies are those of the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "crypto/sodium.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/replica/snapshot_recovery.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace {

namespace rsm = mallard::rsm;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

std::vector<std::byte> sealed(mallard::ByteView input) {
  static rsm::FrameWriter frames;
  frames.begin();
  std::vector<std::byte> file;
  mallard::ByteReader reader(input);
  while (reader.remaining() >= 3) {
    const auto kind = static_cast<rsm::FrameKind>(reader.read<std::uint8_t>());
    const auto length = reader.read<std::uint16_t>();
    const auto payload = reader.take(std::min<std::size_t>(length, reader.remaining()));
    mallard::ByteWriter(frames.payload()).write_bytes(payload);
    const mallard::ByteView frame = frames.seal(kind, payload.size());
    file.insert(file.end(), frame.begin(), frame.end());
  }
  return file;
}

void check(const std::vector<std::byte>& file) {
  static rsm::KvMachine machine({.state_bytes = 64U << 10U, .sessions_max = 2, .view_bytes = 4U << 10U});
  static rsm::EgressLog egress({.links = 2, .bytes = rsm::egress_bytes_min, .batches = 4});
  rsm::journal::SimDisk disk(1);
  disk.restore({{"snapshot.0", file}});
  rsm::SnapshotReader reader(disk);
  const auto stored = rsm::verify_snapshot(reader, 0);
  if (!stored || !rsm::load_snapshot(disk, machine, egress, *stored)) {
    return;
  }
  require(machine.applied() == stored->head.state.index);
  for (std::uint16_t i = 0; i < egress.links(); ++i) {
    const rsm::EgressExtent extent = egress.extent(mallard::LinkIndex(i));
    require(extent.oldest_readable <= extent.newest.next());
    for (auto batch = extent.oldest_readable; batch <= extent.newest; batch = batch.next()) {
      const auto found = egress.find(mallard::LinkIndex(i), batch);
      require(found && found->batch == batch);
      std::vector<std::byte> body(found->bytes);
      egress.copy(mallard::LinkIndex(i), batch, body);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  mallard::crypto::start_sodium();
  const auto input = std::as_bytes(std::span(bytes, size));
  check({input.begin(), input.end()});
  check(sealed(input));
  return 0;
}
