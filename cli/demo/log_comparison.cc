#include "cli/demo/log_comparison.h"

#include <algorithm>
#include <vector>

#include "bridge/attach/file/record_reader.h"
#include "config/base/bytes.h"

namespace mallard::cli {
namespace {

namespace file = bridge::file;

// Which messages have been seen; numbers beyond the expected ones count as different.
class Comparison {
 public:
  explicit Comparison(const DemoWorkload& expected) : expected_(expected), seen_(expected.size()) {}

  void message(std::uint64_t number, ByteView bytes) {
    if (number == 0 || number > seen_.size()) {
      ++result_.different;
      return;
    }
    if (seen_[number - 1]) {
      ++result_.delivered_twice;
      return;
    }
    seen_[number - 1] = true;
    if (!std::ranges::equal(bytes, expected_.message(number - 1))) {
      ++result_.different;
    }
  }

  [[nodiscard]] LogComparison result() const {
    LogComparison result = result_;
    result.missing = static_cast<std::uint64_t>(std::ranges::count(seen_, false));
    return result;
  }

 private:
  const DemoWorkload& expected_;
  std::vector<bool> seen_;
  LogComparison result_;
};

}  // namespace

Result<LogComparison, std::string> compare_log(const std::filesystem::path& path, file::LogKind kind,
                                               std::string_view name, const DemoWorkload& expected) {
  file::RecordReader reader(path, kind, name);
  Comparison comparison(expected);
  for (;;) {
    const auto record = reader.next();
    if (!record) {
      return Failure<std::string>(record.error().what);
    }
    if (!*record) {
      return comparison.result();
    }
    ByteReader messages((*record)->payload.first((*record)->payload.size() - (*record)->head.proof_bytes));
    for (std::uint64_t i = 0; i < (*record)->head.messages; ++i) {
      const auto length = messages.read<std::uint32_t>();
      comparison.message((*record)->head.first + i, messages.take(length));
    }
    if (!messages.ok() || messages.remaining() != 0) {
      return Failure<std::string>(path.string() + ": has a batch that is not a sequence of messages");
    }
  }
}

}  // namespace mallard::cli
