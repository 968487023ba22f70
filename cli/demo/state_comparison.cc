#include "cli/demo/state_comparison.h"

#include <fmt/format.h>

#include <map>
#include <span>
#include <string_view>

#include "cli/kv/kv_client.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_reply.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

using State = std::map<std::string_view, std::string_view>;

constexpr Duration patience = Duration::seconds(10);
constexpr std::size_t sum_bytes = 8;

std::string_view text_of(ByteView bytes) {
  const void* characters = bytes.data();
  return {static_cast<const char*>(characters), bytes.size()};
}

std::uint64_t number_of(std::string_view bytes) {
  return ByteReader(std::as_bytes(std::span(bytes))).read<std::uint64_t>();
}

// Goes along the keys of both in their order.
class Comparison {
 public:
  Comparison(const State& expected, const std::map<std::string_view, std::string>& sums)
      : expected_(expected), sums_(sums), next_(expected.begin()) {}

  void entry(std::string_view key, std::string_view value) {
    for (; next_ != expected_.end() && next_->first < key; ++next_) {
      ++result_.missing;
    }
    if (next_ == expected_.end() || next_->first != key) {
      ++result_.different;
      return;
    }
    if (value != next_->second) {
      const bool is_sum = sums_.contains(key) && value.size() == sum_bytes;
      const bool is_higher = is_sum && number_of(value) > number_of(next_->second);
      result_.delivered_twice += is_higher ? number_of(value) - number_of(next_->second) : 0;
      result_.different += is_higher ? 0 : 1;
    }
    ++next_;
  }
  [[nodiscard]] LogComparison finish() {
    for (; next_ != expected_.end(); ++next_) {
      ++result_.missing;
    }
    return result_;
  }

 private:
  const State& expected_;
  const std::map<std::string_view, std::string>& sums_;
  State::const_iterator next_;
  LogComparison result_;
};

Result<LogComparison, std::string> compare_one(KvClient& client, std::size_t replica, Comparison comparison) {
  std::string after;
  for (bool more = true; more;) {
    rsm::KvCommand command{.operation = rsm::KvOperation::scan};
    command.scan.after = std::as_bytes(std::span(after));
    client.ask_locally(replica, rsm::encode_command(command));
    if (!client.turn(transport::EventLoop::now() + patience)) {
      return Failure<std::string>(fmt::format("replica {} does not answer: {}", replica, client.failure()));
    }
    const auto reply = rsm::decode_reply(client.answer()->bytes);
    if (!reply || reply->status != rsm::KvStatus::ok) {
      return Failure<std::string>(fmt::format("replica {} refuses a scan", replica));
    }
    rsm::KvEntries entries(reply->body);
    while (const auto entry = entries.next()) {
      comparison.entry(text_of(entry->key), text_of(entry->value));
      after = text_of(entry->key);
    }
    more = entries.more();
  }
  return comparison.finish();
}

}  // namespace

Result<LogComparison, std::string> compare_states(const std::vector<std::filesystem::path>& directories,
                                                  const DemoWorkload& expected) {
  std::map<std::string_view, std::string> sums;
  const State state = expected.final_state(sums);
  KvClient client(directories);
  LogComparison all;
  for (std::size_t replica = 0; replica < directories.size(); ++replica) {
    auto compared = compare_one(client, replica, Comparison(state, sums));
    if (!compared) {
      return compared;
    }
    all.add(*compared);
  }
  return all;
}

}  // namespace mallard::cli
