// A good log, damaged as the input says: whatever is still read is what was written, from the front and
// without a gap. Four bytes are one damage: where (24 bits) and what (an XOR; 0 cuts the file there).
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bridge/attach/file/record_format.h"
#include "bridge/attach/file/record_reader.h"

namespace {

namespace file = mallard::bridge::file;

constexpr auto kind = file::LogKind::delivered;

std::vector<std::byte> payload_of(std::uint64_t number) {
  return std::vector<std::byte>(number * 150, static_cast<std::byte>(number));
}

std::vector<std::byte> make_log() {
  const file::RecordHash seed = file::seed_of(kind, "link");
  std::vector<std::byte> log(file::file_head_bytes);
  file::write_file_head(kind, seed, log);
  file::RecordHash previous = seed;
  for (std::uint64_t number = 1; number <= 6; ++number) {
    const std::vector<std::byte> payload = payload_of(number);
    const std::size_t start = log.size();
    const file::RecordHead head{.payload_bytes = static_cast<std::uint32_t>(payload.size()),
                                .messages = 1,
                                .proof_bytes = 0,
                                .number = number,
                                .first = number,
                                .synced = start,
                                .previous = previous};
    log.resize(start + file::record_head_bytes);
    file::write_record_head(head, seed, start, mallard::ByteSpan(log).subspan(start));
    log.insert(log.end(), payload.begin(), payload.end());
    previous = file::record_hash(mallard::ByteView(log).subspan(start));
    log.insert(log.end(), previous.begin(), previous.end());
  }
  return log;
}

void damage(std::vector<std::byte>& log, const std::uint8_t* bytes, std::size_t size) {
  for (; size >= 4 && log.size() > file::file_head_bytes; bytes += 4, size -= 4) {
    const std::size_t where =
        (bytes[0] | std::size_t{bytes[1]} << 8 | std::size_t{bytes[2]} << 16) % log.size();
    if (bytes[3] == 0) {
      log.resize(where);
    } else {
      log[where] ^= static_cast<std::byte>(bytes[3]);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const std::vector<std::byte> good = make_log();
  static const int memory = ::memfd_create("log", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(memory);
  std::vector<std::byte> log = good;
  damage(log, bytes, size);
  if (::ftruncate(memory, 0) != 0 || ::pwrite(memory, log.data(), log.size(), 0) < 0) {
    std::abort();
  }
  // One reader for all inputs, since it brings a large buffer; it looks at the file's head only once.
  static file::RecordReader reader(path, kind, "link");
  static const file::RecordPosition front = reader.position();
  reader.seek(front);
  for (std::uint64_t number = 1;; ++number) {
    const auto record = reader.next();
    if (!record || !*record) {
      return 0;
    }
    const std::vector<std::byte> expected = payload_of(number);
    if ((*record)->head.number != number || (*record)->payload.size() != expected.size() ||
        std::memcmp((*record)->payload.data(), expected.data(), expected.size()) != 0) {
      std::abort();
    }
  }
}
