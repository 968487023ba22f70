// Good messages of every kind, from a seed.
#pragma once

#include <optional>

#include "config/base/payload_pool.h"
#include "config/base/prng.h"
#include "transport/door/door_message.h"

namespace mallard::transport::door {

inline constexpr std::size_t message_kinds = std::variant_size_v<DoorMessage>;

// Bodies are references to nothing: slot 1 and a length.
class MessageSamples {
 public:
  explicit MessageSamples(std::uint64_t seed) : prng_(seed) {}

  [[nodiscard]] DoorMessage draw() { return draw(prng_.between(0, message_kinds - 1)); }

  [[nodiscard]] DoorMessage draw(std::size_t index) {
    switch (index) {
      case 0:
        return Hello{.mark = hello_mark,
                     .oldest = number<std::uint16_t>(),
                     .newest = number<std::uint16_t>(),
                     .role = static_cast<Role>(prng_.between(1, 3))};
      case 1:
        return Welcome{.version = number<std::uint16_t>(),
                       .replica = {ClusterIndex(below(clusters_max)), ReplicaIndex(below(replicas_max))},
                       .incarnation = Incarnation(number<std::uint64_t>()),
                       .unanswered_max = number<std::uint32_t>()};
      case 2:
        return Refused{.reason = static_cast<Refusal>(prng_.between(1, 3))};
      case 3:
        return Submit{.request = at_least_1(),
                      .command = body(1, command_bytes_max),
                      .local = prng_.between(0, 1) == 1};
      case 4:
        return reply();
      case 5:
        return Attach{.incarnation = Incarnation(at_least_1()), .epoch = Epoch(number<std::uint32_t>())};
      case 6:
        return Standing{.link = link(),
                        .direction = static_cast<LinkDirection>(prng_.between(0, 1)),
                        .generation = generation(),
                        .oldest_readable = BatchNumber(number<std::uint64_t>()),
                        .batch = BatchNumber(number<std::uint64_t>()),
                        .message = MessageNumber(number<std::uint64_t>())};
      case 7:
        return Attached{.standings = below(2 * links_max), .fence = Fence(number<std::uint64_t>())};
      default:
        return draw_of_gateway(index);
    }
  }

 private:
  template <class T>
  T number() {
    return static_cast<T>(prng_.next());
  }
  std::uint16_t below(std::size_t end) { return static_cast<std::uint16_t>(prng_.between(0, end - 1)); }
  std::uint64_t at_least_1() { return prng_.next() | 1U; }
  LinkIndex link() { return LinkIndex(below(links_max)); }
  Generation generation() { return Generation(number<std::uint32_t>()); }
  PayloadRef body(std::size_t least, std::size_t most) {
    return {.slot = 1, .bytes = static_cast<std::uint32_t>(prng_.between(least, most))};
  }
  BatchRange range() {
    return {.batch = BatchNumber(at_least_1()),
            .first = MessageNumber(prng_.between(1, UINT64_MAX / 2)),
            .count = static_cast<std::uint16_t>(prng_.between(1, batch_messages_max))};
  }
  DoorMessage reply() {
    Reply reply{.request = at_least_1(), .status = static_cast<ReplyStatus>(prng_.between(1, 7))};
    if (reply.status == ReplyStatus::done || reply.status == ReplyStatus::not_ready) {
      reply.bytes = body(0, reply_bytes_max);
      reply.bytes = reply.bytes.bytes == 0 ? PayloadRef{} : reply.bytes;
    } else if (reply.status == ReplyStatus::not_leader && prng_.between(0, 1) == 1) {
      reply.leader_known = true;
      reply.leader = ReplicaIndex(below(replicas_max));
    }
    return reply;
  }
  DoorMessage draw_of_gateway(std::size_t index) {
    const auto proof = static_cast<std::uint16_t>(prng_.between(0, proof_bytes_max));
    const PayloadRef payload = body(proof + 1U, batch_bytes_max + proof);
    switch (index) {
      case 8:
        return Tap{.link = link(), .serial = number<std::uint32_t>(), .after = BatchNumber(prng_.next())};
      case 9:
        return Credit{
            .link = link(), .serial = number<std::uint32_t>(), .batches = below(window_batches_max)};
      case 10:
        return Batch{.link = link(),
                     .serial = number<std::uint32_t>(),
                     .generation = generation(),
                     .range = range(),
                     .proof_bytes = proof,
                     .payload = payload};
      case 11:
        return Extent{.link = link(),
                      .generation = generation(),
                      .oldest_readable = BatchNumber(prng_.next()),
                      .newest = BatchNumber(prng_.next()),
                      .newest_message = MessageNumber(prng_.next())};
      case 12:
        return Apply{.link = link(),
                     .generation = generation(),
                     .source_epoch = Epoch(number<std::uint32_t>()),
                     .destination_epoch = Epoch(number<std::uint32_t>()),
                     .fence = Fence(prng_.next()),
                     .range = range(),
                     .proof_bytes = proof,
                     .payload = payload};
      case 13:
        return Applied{.link = link(),
                       .generation = generation(),
                       .cursor = BatchNumber(prng_.next()),
                       .cursor_message = MessageNumber(prng_.next())};
      case 14:
        return Load{.request = at_least_1(), .link = link(), .batch = BatchNumber(at_least_1())};
      case 15:
        return prng_.between(0, 1) == 0 ? Loaded{.request = at_least_1(), .link = link()}
                                        : Loaded{.request = at_least_1(),
                                                 .link = link(),
                                                 .found = true,
                                                 .range = range(),
                                                 .proof_bytes = proof,
                                                 .payload = payload};
      case 16:
        return Quacked{.link = link(), .generation = generation(), .through = BatchNumber(prng_.next())};
      default:
        return Fenced{.fence = Fence(at_least_1())};
    }
  }

  Prng prng_;
};

}  // namespace mallard::transport::door
