#include "tests/integration/disk/steady_writer.h"

#include <span>
#include <utility>

#include "cli/kv/kv_client.h"
#include "config/base/prng.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_reply.h"
#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

constexpr std::uint64_t keys = 150;
constexpr std::uint64_t sums = 4;
constexpr std::size_t value_bytes_max = 500;
constexpr Duration slice = Duration::milliseconds(20);
constexpr Duration scan_patience = Duration::seconds(3);
constexpr Duration pace = Duration::milliseconds(1);  // between two writes

ByteView bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string text_of(ByteView bytes) {
  std::string text;
  for (const std::byte byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

std::string sum_of(const std::string& before, std::uint64_t amount) {
  std::uint64_t number = before.empty() ? 0 : ByteReader(bytes_of(before)).read<std::uint64_t>();
  number += amount;
  std::string after(sizeof number, '\0');
  ByteWriter(std::as_writable_bytes(std::span(after))).write(number);
  return after;
}

// The next write, and what it makes of the state.
struct Draw {
  rsm::KvOperation operation = rsm::KvOperation::put;
  std::string key;
  std::string value;  // afterwards; empty: none
  std::uint64_t amount = 0;

  Draw(Prng& prng, const std::string& prefix, const KvState& state, std::uint64_t number) {
    const std::uint64_t choice = prng.below(10);
    if (choice < 3) {
      operation = rsm::KvOperation::increment;
      key = prefix + "sum" + std::to_string(prng.below(sums));
      amount = prng.between(1, 1000);
      const auto before = state.find(key);
      value = sum_of(before == state.end() ? "" : before->second, amount);
      return;
    }
    key = prefix + std::to_string(prng.below(keys));
    if (choice == 3) {
      operation = rsm::KvOperation::erase;
    } else {
      value = std::to_string(number) + std::string(prng.below(value_bytes_max), '.');
    }
  }
  [[nodiscard]] std::vector<std::byte> command(const rsm::SessionTag& tag) const {
    rsm::KvCommand made{.operation = operation, .session = tag};
    made.write = {.operation = operation, .key = bytes_of(key), .value = bytes_of(value), .amount = amount};
    return rsm::encode_command(made);
  }
  void apply(KvState& state) const {
    if (value.empty()) {
      state.erase(key);
    } else {
      state[key] = value;
    }
  }
};

}  // namespace

SteadyWriter::SteadyWriter(const std::vector<std::filesystem::path>& directories, std::string prefix,
                           std::uint64_t seed)
    : prefix_(std::move(prefix)), thread_([this, directories, seed] { run(directories, seed); }) {}

SteadyWriter::~SteadyWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SteadyWriter::go_on() {
  {
    const std::lock_guard lock(mutex_);
    held_ = false;
  }
  changed_.notify_all();
}

bool SteadyWriter::hold(Duration limit) {
  std::unique_lock lock(mutex_);
  held_ = true;
  return changed_.wait_for(lock, std::chrono::nanoseconds(limit.ns), [this] { return !busy_; });
}

bool SteadyWriter::wait_for_turn() {
  std::unique_lock lock(mutex_);
  busy_ = false;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !held_ || ending_; });
  busy_ = !ending_;
  return !ending_;
}

bool SteadyWriter::is_ending() {
  const std::lock_guard lock(mutex_);
  return ending_;
}

void SteadyWriter::run(const std::vector<std::filesystem::path>& directories, std::uint64_t seed) {
  cli::KvClient client(directories);
  Prng prng(seed);
  std::uint64_t session = 0;
  const auto ask = [&](const std::vector<std::byte>& command) -> std::optional<rsm::KvReply> {
    do {
      // Again where the leader is one whose door was not open yet.
      client.ask(command, cli::Repeat::always);
      while (!client.turn(clock_now() + slice)) {
        if (is_ending()) return std::nullopt;
      }
    } while (client.answer()->status == transport::door::ReplyStatus::not_leader);
    const auto reply = rsm::decode_reply(client.answer()->bytes);
    const bool is_good = client.answer()->status == transport::door::ReplyStatus::done && reply &&
                         (reply->status == rsm::KvStatus::ok || reply->status == rsm::KvStatus::not_found);
    if (!is_good) {
      problem_ = "a write was answered with door status " +
                 std::to_string(static_cast<int>(client.answer()->status)) + " and status " +
                 (reply ? std::to_string(static_cast<int>(reply->status)) : "none");
      return std::nullopt;
    }
    return reply;
  };
  while (problem_.empty() && wait_for_turn()) {
    if (session == 0) {
      if (const auto opened = ask(rsm::encode_command({.operation = rsm::KvOperation::session_open}))) {
        session = ByteReader(opened->body).read<std::uint64_t>();
      }
      continue;
    }
    const Draw draw(prng, prefix_, expected_, writes_ + 1);
    if (ask(draw.command({.session = session, .sequence = writes_ + 1}))) {
      draw.apply(expected_);
      ++writes_;
      let_pass(pace);
    }
  }
  const std::lock_guard lock(mutex_);
  busy_ = false;
  changed_.notify_all();
}

KvScanned scan_replica(const std::filesystem::path& directory) {
  cli::KvClient client({directory});
  KvScanned scanned;
  std::string after;
  for (bool more = true; more;) {
    rsm::KvCommand command{.operation = rsm::KvOperation::scan};
    command.scan.after = bytes_of(after);
    client.ask_locally(0, rsm::encode_command(command));
    if (!client.turn(clock_now() + scan_patience)) return {{}, "no answer: " + client.failure()};
    const auto reply = rsm::decode_reply(client.answer()->bytes);
    if (!reply || reply->status != rsm::KvStatus::ok) return {{}, "a scan was refused"};
    rsm::KvEntries entries(reply->body);
    while (const auto entry = entries.next()) {
      after = text_of(entry->key);
      scanned.state[after] = text_of(entry->value);
    }
    more = entries.more();
  }
  return scanned;
}

std::string difference(const KvState& expected, const KvState& found) {
  for (const auto& [key, value] : expected) {
    const auto there = found.find(key);
    if (there == found.end()) return key + " is missing";
    if (there->second != value) {
      const bool is_sum = key.find("sum") != std::string::npos;
      const auto shown = [&](const std::string& text) {
        return is_sum ? std::to_string(ByteReader(bytes_of(text)).read<std::uint64_t>()) : text.substr(0, 12);
      };
      return key + " is " + shown(there->second) + " instead of " + shown(value);
    }
  }
  for (const auto& [key, value] : found) {
    if (!expected.contains(key)) return key + " is there and was erased or never written";
  }
  return "";
}

}  // namespace mallard::integration
