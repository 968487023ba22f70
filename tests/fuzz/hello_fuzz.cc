// Any bytes as a hello: what decodes encodes to the same bytes again, up to the part that a later release may
// add, and is never accepted as another replica's.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "transport/channel/hello.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace mallard::transport;
  const auto view = std::as_bytes(std::span(bytes, size));
  const auto hello = decode_hello(view);
  if (!hello) {
    return 0;
  }
  std::vector<std::byte> again(hello_bytes);
  encode_hello(*hello, again);
  // Bytes 4 and 5 are the length, which may be longer than ours.
  const auto known = view.first(hello_bytes);
  const bool same = std::equal(again.begin(), again.begin() + 4, known.begin()) &&
                    std::equal(again.begin() + 6, again.end(), known.begin() + 6);
  Hello ours = *hello;
  ours.from.replica = mallard::ReplicaIndex(static_cast<std::uint16_t>(hello->from.replica.value ^ 1U));
  const auto verdict = judge_hello(*hello, ours, ours.from, hello->binding);
  if (!same || verdict.has_value()) {
    std::abort();
  }
  return 0;
}
