#include "tests/transport/channel/frame_stream.h"

#include <algorithm>

namespace mallard::transport {
namespace {

// Recursive descent.
class StreamParser {
 public:
  explicit StreamParser(ByteView stream) : stream_(stream) {}

  std::vector<StreamFrame> frames;
  bool cut_off = false;
  bool faulty = false;

  void parse() {
    while (!stopped() && at_ < stream_.size()) {
      parse_frame(false);
    }
  }

 private:
  [[nodiscard]] bool stopped() const { return cut_off || faulty; }

  // The next `count` bytes; cut off when there are fewer.
  ByteView take(std::size_t count) {
    if (stream_.size() - at_ < count) {
      cut_off = true;
      return {};
    }
    at_ += count;
    return stream_.subspan(at_ - count, count);
  }
  std::size_t number(std::size_t bytes) {
    std::size_t value = 0;
    std::size_t shift = 0;
    for (const std::byte b : take(bytes)) {
      value |= std::to_integer<std::size_t>(b) << shift;
      shift += 8;
    }
    return value;
  }

  void parse_frame(bool inserted) {
    const std::size_t total = number(4);
    const std::size_t head_bytes = number(2);
    if (stopped()) {
      return;
    }
    if (head_bytes < 1 || head_bytes > 4096 || total < 6 + head_bytes ||
        total - 6 - head_bytes > (1U << 20) + 8192 || (inserted && total > 65'536)) {
      faulty = true;
      return;
    }
    StreamFrame frame;
    const ByteView head = take(head_bytes);
    frame.head.assign(head.begin(), head.end());
    const std::size_t body_bytes = total - 6 - head_bytes;
    while (!stopped() && frame.body.size() < body_bytes) {
      if (!frame.body.empty()) {
        for (std::size_t left = number(1); left > 0 && !stopped(); --left) {
          parse_frame(true);
        }
      }
      const ByteView piece =
          stopped() ? ByteView() : take(std::min<std::size_t>(65'536, body_bytes - frame.body.size()));
      frame.body.insert(frame.body.end(), piece.begin(), piece.end());
    }
    if (!stopped()) {
      frame.offset = at_;
      frames.push_back(frame);
    }
  }

  ByteView stream_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<StreamFrame> frames_of(ByteView stream, bool* faulty) {
  StreamParser parser(stream);
  parser.parse();
  if (faulty != nullptr) {
    *faulty = parser.faulty;
  }
  return parser.frames;
}

std::string names_of(const std::vector<StreamFrame>& frames) {
  std::string names;
  for (const StreamFrame& frame : frames) {
    names += static_cast<char>(frame.head.front());
  }
  return names;
}

}  // namespace mallard::transport
