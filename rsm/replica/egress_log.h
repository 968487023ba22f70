// The bodies of batches that go out over links: kept from their execution until they are QUACKed. After a
// restart they come from the snapshot, and executing the log after it brings the later ones under the same
// numbers. Where bodies outgrow their memory the oldest go, and the link's oldest readable batch moves up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/limits.h"
#include "config/base/zeroed_array.h"
#include "config/contract/machine.h"

namespace mallard::rsm {

struct EgressLogSettings {
  std::size_t links = 0;
  std::size_t bytes = 4U << 20;  // of bodies, per link; at least egress_bytes_min
  std::size_t batches = 16'384;  // per link
};

// One batch always fits: its messages, each after its length.
inline constexpr std::size_t egress_bytes_min = batch_bytes_max + 4 * batch_messages_max;

struct EgressBatch {
  BatchNumber batch;
  MessageNumber first;
  std::uint16_t count = 0;
  std::size_t bytes = 0;  // each message as u32 length and its bytes
};

// What is there of a link. Nothing is: oldest_readable is newest + 1.
struct EgressExtent {
  Generation generation;
  BatchNumber oldest_readable;
  BatchNumber newest;
  MessageNumber newest_message;
  friend bool operator==(const EgressExtent&, const EgressExtent&) = default;
};

class EgressLog final : public EgressSink {
 public:
  // All memory is allocated here.
  explicit EgressLog(const EgressLogSettings& settings);

  // Batches are whole when the entry that emits them was executed.
  void emit(const LinkMessage& message) override;

  [[nodiscard]] EgressExtent extent(LinkIndex link) const;
  // Nothing where the batch is not readable.
  [[nodiscard]] std::optional<EgressBatch> find(LinkIndex link, BatchNumber batch) const;
  // Of the pairing.
  [[nodiscard]] std::size_t links() const { return lines_.size(); }
  // Copies the body of a batch that was found; `out` has its size.
  void copy(LinkIndex link, BatchNumber batch, ByteSpan out) const;
  // From a snapshot: the link stands there, and nothing of it is readable yet.
  void restore(LinkIndex link, Generation generation, BatchNumber newest, MessageNumber newest_message);
  // From a snapshot: a batch of a link that was restored, above those before it and not above the newest.
  // Where it does not continue them, they are no longer readable. `body`: batch.bytes, at most
  // egress_bytes_min.
  void restore(LinkIndex link, const EgressBatch& batch, ByteView body);
  // Nothing is known of any link.
  void clear();
  // Nobody will ask for batches up to `through`.
  void forget(LinkIndex link, Generation generation, BatchNumber through);
  // Batches that had to go before anybody said so.
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

 private:
  struct Record {
    EgressBatch batch;
    std::uint64_t begin = 0;  // its place in the link's bytes, counted without end
  };
  struct Line {
    explicit Line(const EgressLogSettings& settings) : records(settings.batches), bytes(settings.bytes) {}

    Generation generation;
    std::vector<Record> records;  // a ring, by batch number
    BatchNumber oldest{1};
    BatchNumber newest;
    MessageNumber newest_message;
    BatchNumber restored;          // of a snapshot: the last whose body is here,
    BatchNumber first_restored;    // and the first of those that it continues
    ZeroedArray<std::byte> bytes;  // a ring
    std::uint64_t end = 0;
  };

  [[nodiscard]] static Record& record(Line& line, BatchNumber batch);
  [[nodiscard]] const Line* line_of(LinkIndex link) const;
  void start_batch(Line& line, const LinkMessage& message);
  void make_room(Line& line, std::size_t bytes);
  static void append(Line& line, ByteView bytes);

  std::vector<Line> lines_;
  std::uint64_t evicted_ = 0;
};

}  // namespace mallard::rsm
