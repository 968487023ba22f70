#include "tests/sim/link_truth.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "config/base/invariant.h"
#include "config/base/limits.h"
#include "config/base/prng.h"

namespace mallard::sim {
namespace {

// How one batch is cut into messages.
struct BatchPlan {
  BatchPlan(Prng draws, const LinkShape& shape)
      : count(draws.between(1, shape.messages_max)),
        // One batch in eight has messages of full length, the others are short.
        longest(draws.below(8) == 0 ? shape.bytes_max : std::min(shape.bytes_max, 48U)),
        sizes(draws.child("sizes")),
        contents(draws.child("contents")) {}

  std::uint64_t count;
  std::uint64_t longest;
  Prng sizes;
  Prng contents;
};

}  // namespace

std::uint64_t digest_of(ByteView bytes) {
  std::uint64_t hash = 0x9e3779b97f4a7c15ULL ^ bytes.size();
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    hash = (hash ^ word) * 0xd6e8feb86659fd93ULL;
    hash ^= hash >> 32;
  }
  for (; i < bytes.size(); ++i) {
    hash = (hash ^ std::to_integer<std::uint64_t>(bytes[i])) * 0xd6e8feb86659fd93ULL;
  }
  hash ^= hash >> 29;
  return hash == 0 ? 1 : hash;
}

LinkTruth::LinkTruth(const LinkShape& shape) : shape_(shape), digests_(shape.batches + 1) {
  messages_through_.reserve(shape.batches + 1);
  bytes_through_.reserve(shape.batches + 1);
  messages_through_.push_back(0);
  bytes_through_.push_back(0);
  for (BatchIndex i = 1; i <= shape.batches; ++i) {
    const BatchPlan plan(draws_of(i), shape);
    Prng sizes = plan.sizes;
    std::uint64_t bytes = shape.proof_bytes;
    for (std::uint64_t m = 0; m < plan.count; ++m) {
      bytes += 4 + sizes.below(plan.longest + 1);
    }
    messages_through_.push_back(messages_through_.back() + plan.count);
    bytes_through_.push_back(bytes_through_.back() + bytes);
  }
}

BatchIndex LinkTruth::index_of(BatchNumber batch) const {
  if (batch.value <= shape_.base_batch) {
    return 0;
  }
  const std::uint64_t distance = batch.value - shape_.base_batch;
  return distance > shape_.batches ? shape_.batches + 1 : static_cast<BatchIndex>(distance);
}

bridge::BatchHeader LinkTruth::header(BatchIndex index) const {
  MALLARD_INVARIANT(index >= 1 && index <= shape_.batches);
  return {.batch = number(index),
          .first = last_message(index - 1).next(),
          .count = static_cast<std::uint16_t>(messages_between(index - 1, index))};
}

void LinkTruth::write(BatchIndex index, ByteSpan out) const {
  MALLARD_INVARIANT(out.size() == bytes(index));
  const BatchPlan plan(draws_of(index), shape_);
  Prng sizes = plan.sizes;
  Prng contents = plan.contents;
  ByteWriter writer(out);
  std::array<std::byte, 8> word{};
  const auto fill = [&](std::uint64_t length) {
    for (std::uint64_t done = 0; done < length; done += 8) {
      const std::uint64_t next = contents.next();
      std::memcpy(word.data(), &next, 8);
      writer.write_bytes(ByteView(word).first(std::min<std::uint64_t>(8, length - done)));
    }
  };
  for (std::uint64_t m = 0; m < plan.count; ++m) {
    const std::uint64_t length = sizes.below(plan.longest + 1);
    writer.write(static_cast<std::uint32_t>(length));
    fill(length);
  }
  fill(shape_.proof_bytes);
}

bool LinkTruth::is_true(const bridge::BatchHeader& header, ByteView payload,
                        std::uint16_t proof_bytes) const {
  const BatchIndex index = index_of(header.batch);
  if (index == 0 || index > decided_ || header != this->header(index) || payload.size() != bytes(index) ||
      proof_bytes != shape_.proof_bytes) {
    return false;
  }
  if (digests_[index] == 0) {
    std::vector<std::byte> scratch(bytes(index));
    write(index, scratch);
    digests_[index] = digest_of(scratch);
  }
  return digest_of(payload) == digests_[index];
}

}  // namespace mallard::sim
