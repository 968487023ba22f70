// CRC-32C (Castagnoli, as in iSCSI, RFC 3720 appendix B.4).
#pragma once

#include <cstdint>

#include "config/base/bytes.h"

namespace mallard::rsm::cft {

// The checksum of `bytes` after what gave `before`; 0 before the first. Checksums of different `before` never
// agree on the same bytes, which is what makes them a chain. Uses the processor's instruction where there is
// one.
[[nodiscard]] std::uint32_t crc32c(std::uint32_t before, ByteView bytes);

// The same by table, for machines without the instruction.
[[nodiscard]] std::uint32_t crc32c_by_table(std::uint32_t before, ByteView bytes);

}  // namespace mallard::rsm::cft
