// Any bytes as the chunks of an import: as they are, and as the parts of chunks whose head and checksum are
// right (u8 1 if last, u16 length, parts). Nothing is ever taken for the state that was announced.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "crypto/digest.h"
#include "crypto/sodium.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/machine/state_chunk.h"

namespace {

constexpr mallard::StateIdentity announced{.index = mallard::CommitIndex(9), .hash = {.bytes = {1}}};

// The head of an empty chunk, the parts, and the digest of both.
mallard::ByteView forged(const mallard::ExportCursor& cursor, mallard::ByteView parts, bool last) {
  static std::vector<std::byte> chunk(mallard::chunk_bytes_max);
  const std::size_t head =
      mallard::rsm::ChunkWriter(chunk, announced, mallard::rsm::view_of(cursor)).finish(last);
  const std::size_t bytes = head + std::min(parts.size(), chunk.size() - head);
  std::copy_n(parts.begin(), bytes - head, chunk.begin() + static_cast<std::ptrdiff_t>(head));
  const auto digest = mallard::crypto::digest_of(mallard::ByteView(chunk).first(bytes).subspan(32));
  std::memcpy(chunk.data(), digest.bytes.data(), digest.bytes.size());
  return mallard::ByteView(chunk).first(bytes);
}

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  mallard::crypto::start_sodium();
  constexpr mallard::rsm::KvSettings settings{
      .state_bytes = 64U << 10U, .sessions_max = 2, .view_bytes = 4U << 10U};
  static mallard::rsm::KvMachine machine(settings);
  machine.begin_import(announced);
  const auto input = std::as_bytes(std::span(bytes, size));
  const auto raw = machine.import_chunk(input);
  require(!raw || !*raw);
  static_cast<void>(mallard::rsm::place_of(input));
  mallard::ByteReader reader(input);
  while (reader.remaining() >= 3) {
    const bool last = (reader.read<std::uint8_t>() & 1U) != 0;
    const auto length = reader.read<std::uint16_t>();
    const auto parts = reader.take(std::min<std::size_t>(length, reader.remaining()));
    const auto taken = machine.import_chunk(forged(machine.import_cursor(), parts, last));
    require(!taken || !*taken);
    if (!taken) {
      break;
    }
  }
  return 0;
}
