// Any bytes as the payload of a committed entry: if it is a sequence of messages, its batches are one too,
// and without a filter they are the payload. The first two bytes give the number of messages.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "bridge/attach/file/batch_cutter.h"

namespace {

namespace file = mallard::bridge::file;

void demand(bool condition) {
  if (!condition) {
    std::abort();
  }
}

// The batches one after the other, and how many messages they have.
std::vector<std::byte> cut_all(const file::BatchCutter& cutter, mallard::ByteView payload,
                               std::size_t& messages) {
  std::vector<std::byte> all;
  std::size_t from = 0;
  while (const auto cut = cutter.next(payload, from)) {
    const std::size_t start = all.size();
    all.resize(start + cut->bytes);
    cutter.copy(payload, *cut, mallard::ByteSpan(all).subspan(start));
    demand(file::BatchCutter::is_well_formed(mallard::ByteView(all).subspan(start), cut->messages));
    demand(cut->end > from);
    from = cut->end;
    messages += cut->messages;
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::size_t messages = bytes[0] | std::size_t{bytes[1]} << 8;
  const mallard::ByteView payload = std::as_bytes(std::span(bytes + 2, size - 2));
  if (!file::BatchCutter::is_well_formed(payload, messages)) {
    return 0;
  }
  std::size_t passed = 0;
  const std::vector<std::byte> all = cut_all(file::BatchCutter({}), payload, passed);
  demand(passed == messages);
  demand(all.size() == payload.size() &&
         (all.empty() || std::memcmp(all.data(), payload.data(), all.size()) == 0));
  std::size_t filtered = 0;
  demand(cut_all(file::BatchCutter({"a", "/b"}), payload, filtered).size() <= payload.size());
  demand(filtered <= messages);
  return 0;
}
