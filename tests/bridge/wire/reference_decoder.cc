#include "tests/bridge/wire/reference_decoder.h"

#include <stdexcept>

namespace mallard::bridge::wire {
namespace {

struct NotAFrame : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void demand(bool condition, const char* what) {
  if (!condition) {
    throw NotAFrame(what);
  }
}

class Reading {
 public:
  explicit Reading(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  std::uint64_t number(const std::string& name, std::size_t bytes) {
    demand(at_ + bytes <= bytes_.size(), "truncated");
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) {
      value = value * 256 + bytes_[at_ + i];
    }
    at_ += bytes;
    fields[name] = value;
    return value;
  }
  void context(const std::string& section) {
    number(section + ".link", 2);
    number(section + ".generation", 4);
    number(section + ".source_epoch", 4);
    number(section + ".destination_epoch", 4);
  }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }

  FrameFields fields;

 private:
  const std::vector<std::uint8_t>& bytes_;
  std::size_t at_ = 0;
};

void batch(Reading& reading, std::uint64_t body_bytes) {
  reading.context("batch");
  const std::uint64_t batch = reading.number("batch.batch", 8);
  const std::uint64_t first = reading.number("batch.first", 8);
  const std::uint64_t count = reading.number("batch.count", 2);
  reading.number("batch.round", 1);
  reading.number("batch.attempt", 1);
  const std::uint64_t hint = reading.number("batch.hint", 2);
  const std::uint64_t proof = reading.number("batch.proof_bytes", 2);
  demand(batch >= 1 && first >= 1, "numbers start at 1");
  demand(count >= 1 && count <= 4096, "count");
  demand(first + (count - 1) >= first, "last message number overflows");
  demand(hint == 65535 || batch - 1 >= hint, "hint below 1");
  demand(proof <= 8192, "proof");
  demand(body_bytes > proof && body_bytes - proof <= 1048576, "body");
}

void ack(Reading& reading, const std::string& name) {
  reading.context(name);
  reading.number(name + ".prefix", 8);
  reading.number(name + ".durable", 8);
  const std::uint64_t words = reading.number(name + ".words", 2);
  demand(words <= 64, "phi");
  std::uint64_t last = 1;
  for (std::uint64_t i = 0; i < words; ++i) {
    last = reading.number(name + ".word" + std::to_string(i), 8);
    demand(i > 0 || last % 2 == 0, "bit 0");
  }
  demand(last != 0, "trailing zero word");
}

void pull(Reading& reading) {
  reading.context("pull");
  const std::uint64_t count = reading.number("pull.count", 2);
  demand(count >= 1 && count <= 32, "pull count");
  for (std::uint64_t i = 0; i < count; ++i) {
    demand(reading.number("pull.batch" + std::to_string(i), 8) >= 1, "pull of batch 0");
  }
}

FrameFields decode(const std::vector<std::uint8_t>& head, std::size_t body_bytes) {
  Reading reading(head);
  const std::uint64_t flags = reading.number("flags", 1);
  demand(flags < 128, "bit 7");
  demand(reading.number("stamp", 6) >= 1, "stamp 0");
  reading.number("echo", 6);
  reading.number("echo_delay_us", 4);
  if (flags / 2 % 2 == 1) {
    batch(reading, body_bytes);
  } else {
    demand(body_bytes == 0, "body without batch");
  }
  for (std::uint64_t i = 0; i < flags / 8 % 4; ++i) {
    const std::string name = "position" + std::to_string(i);
    reading.context(name);
    reading.number(name + ".quacked", 8);
    reading.number(name + ".committed", 8);
    reading.number(name + ".committed_message", 8);
  }
  for (std::uint64_t i = 0; i < flags / 32 % 4; ++i) {
    ack(reading, "ack" + std::to_string(i));
  }
  if (flags / 4 % 2 == 1) {
    pull(reading);
  }
  demand(reading.at_end(), "trailing bytes");
  return reading.fields;
}

}  // namespace

std::optional<FrameFields> reference_decode(const std::vector<std::uint8_t>& head, std::size_t body_bytes) {
  try {
    return decode(head, body_bytes);
  } catch (const NotAFrame&) {
    return std::nullopt;
  }
}

}  // namespace mallard::bridge::wire
