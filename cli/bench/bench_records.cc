#include "cli/bench/bench_records.h"

#include <fmt/format.h>

#include <span>
#include <string_view>

#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_reply.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

constexpr Duration patience = Duration::seconds(10);

std::string_view text_of(ByteView bytes) {
  const void* characters = bytes.data();
  return {static_cast<const char*>(characters), bytes.size()};
}

}  // namespace

std::string BenchRecords::key(std::size_t number) const { return fmt::format("bench/{:09}", number); }

// Digits and letters that do not repeat early, so that nothing along the way finds them easy.
std::string BenchRecords::value(std::size_t number) const {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  std::string value = fmt::format("{:016x}", number);
  std::uint64_t state = number * 0x9e3779b97f4a7c15ULL + 1;
  while (value.size() < bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    for (std::size_t i = 0; i < 10; ++i) {
      value += letters[(state >> (6 * i)) % letters.size()];
    }
  }
  value.resize(bytes);
  return value;
}

Result<void, std::string> compare_records(KvClient& client, std::size_t place, const BenchRecords& records) {
  std::string after;
  std::size_t seen = 0;
  for (bool more = true; more;) {
    rsm::KvCommand command{.operation = rsm::KvOperation::scan};
    command.scan.after = std::as_bytes(std::span(after));
    client.ask_locally(place, rsm::encode_command(command));
    if (!client.turn(transport::EventLoop::now() + patience)) {
      return Failure<std::string>(fmt::format("replica {} does not answer: {}", place, client.failure()));
    }
    const auto reply = rsm::decode_reply(client.answer()->bytes);
    if (!reply || reply->status != rsm::KvStatus::ok) {
      return Failure<std::string>(fmt::format("replica {} refuses a scan", place));
    }
    rsm::KvEntries entries(reply->body);
    while (const auto entry = entries.next()) {
      after = text_of(entry->key);
      if (seen >= records.count || after != records.key(seen) ||
          text_of(entry->value) != records.value(seen)) {
        return Failure<std::string>(fmt::format("replica {} has {} where record {} of {} should be", place,
                                                after, seen, records.count));
      }
      ++seen;
    }
    more = entries.more();
  }
  if (seen != records.count) {
    return Failure<std::string>(fmt::format("replica {} has {} of {} records", place, seen, records.count));
  }
  return {};
}

}  // namespace mallard::cli
