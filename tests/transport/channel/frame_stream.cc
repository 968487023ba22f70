#include "tests/transport/channel/frame_stream.h"

namespace mallard::transport {
namespace {

// Recursive descent, byte by byte.
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

  std::size_t number(std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes && !stopped(); ++i) {
      value |= std::to_integer<std::size_t>(byte()) << (8 * i);
    }
    return value;
  }
  std::byte byte() {
    if (at_ == stream_.size()) {
      cut_off = true;
      return {};
    }
    return stream_[at_++];
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
    for (std::size_t i = 0; i < head_bytes && !stopped(); ++i) {
      frame.head.push_back(byte());
    }
    const std::size_t body_bytes = total - 6 - head_bytes;
    for (std::size_t i = 0; i < body_bytes && !stopped(); ++i) {
      if (i > 0 && i % 65'536 == 0) {
        for (std::size_t left = number(1); left > 0 && !stopped(); --left) {
          parse_frame(true);
        }
      }
      if (!stopped()) {
        frame.body.push_back(byte());
      }
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
