// Any bytes as the head of a message between replicas, with a body of any length (the first four bytes):
// what is decoded is encoded to the same bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "rsm/replica/peer_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace rsm = mallard::rsm;
  mallard::ByteReader reader(std::as_bytes(std::span(bytes, size)));
  const mallard::PayloadRef body{.slot = 1, .bytes = reader.read<std::uint32_t>()};
  const mallard::ByteView head = reader.take(reader.remaining());
  const auto message = rsm::decode_peer_message(head, body);
  if (message) {
    std::vector<std::byte> again(rsm::peer_head_bytes_max);
    again.resize(rsm::encode_peer_message(*message, again));
    if (!std::ranges::equal(again, head)) {
      std::abort();
    }
  }
  return 0;
}
