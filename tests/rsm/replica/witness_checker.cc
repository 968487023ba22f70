#include "tests/rsm/replica/witness_checker.h"

#include <algorithm>
#include <optional>

#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_reply.h"

namespace mallard::rsm {
namespace {

std::string text_of(ByteView bytes) {
  std::string out;
  for (const std::byte b : bytes) {
    out.push_back(static_cast<char>(b));
  }
  return out;
}

std::string number_text(std::uint64_t number) {
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<char>((number >> (8 * i)) & 0xffU);
  }
  return out;
}

std::uint64_t text_number(const std::string& text) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8 && i < text.size(); ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
  }
  return number;
}

// The machine as a map: puts, gets, erases and increments of one key, sessions without limits.
class Model {
 public:
  KvReplyCopy run(std::uint64_t index, const KvCommand& command) {
    if (!command.session) {
      return execute(index, command);
    }
    auto& session = sessions_[command.session->session];
    if (session.sequence != command.session->sequence) {
      session = {command.session->sequence, execute(index, command)};
    }
    return session.reply;
  }
  // What a read sees that comes after the entry at `index`.
  KvReplyCopy read(std::uint64_t index, const KvCommand& command) { return execute(index, command); }

 private:
  struct Session {
    std::uint64_t sequence = 0;
    KvReplyCopy reply;
  };
  KvReplyCopy execute(std::uint64_t index, const KvCommand& command) {
    const std::string key = text_of(command.write.key);
    const auto ok = static_cast<std::uint8_t>(KvStatus::ok);
    const auto not_found = static_cast<std::uint8_t>(KvStatus::not_found);
    switch (command.operation) {
      case KvOperation::get:
        return values_.contains(key) ? KvReplyCopy{ok, index, values_[key]}
                                     : KvReplyCopy{not_found, index, ""};
      case KvOperation::put:
        values_[key] = text_of(command.write.value);
        return {ok, index, ""};
      case KvOperation::erase:
        return {values_.erase(key) > 0 ? ok : not_found, index, ""};
      case KvOperation::increment:
        values_[key] = number_text(text_number(values_[key]) + command.write.amount);
        return {ok, index, values_[key]};
      case KvOperation::session_open:
        return {ok, index, number_text(index)};
      default:
        return {};
    }
  }

  std::map<std::string, std::string> values_;
  std::map<std::uint64_t, Session> sessions_;
};

// What two repetitions of a request have in common: the door writes the owner.
std::string request_of(ByteView command) {
  std::vector<std::byte> copy(command.begin(), command.end());
  write_owner(copy, 0);
  return text_of(copy);
}

bool is_read(const WitnessedCall& call) {
  const auto decoded = decode_command(call.command);
  return decoded && decoded->operation == KvOperation::get;
}

}  // namespace

std::uint64_t KvReplyCopy::number() const { return text_number(body); }

KvReplyCopy copy_reply(ByteView bytes) {
  const auto reply = decode_reply(bytes);
  return reply
             ? KvReplyCopy{static_cast<std::uint8_t>(reply->status), reply->index.value, text_of(reply->body)}
             : KvReplyCopy{};
}

void WitnessChecker::executed(std::uint64_t index, ByteView command) {
  const auto [place, is_new] = log_.try_emplace(index, command.begin(), command.end());
  if (!is_new && !std::ranges::equal(place->second, command)) {
    disagreement_ = "two commands were executed at index " + std::to_string(index);
  }
}

std::size_t WitnessChecker::invoke(ByteView command, Instant now) {
  calls_.push_back({.command = {command.begin(), command.end()}, .invoked = now});
  return calls_.size() - 1;
}

void WitnessChecker::returned(std::size_t call, const KvReplyCopy& reply, Instant now) {
  calls_[call].reply = reply;
  calls_[call].returned = now;
}

std::size_t WitnessChecker::judged() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(calls_, [](const WitnessedCall& c) { return c.returned != Instant::never(); }));
}

std::string WitnessChecker::verdict() const {
  if (!disagreement_.empty()) {
    return disagreement_;
  }
  const std::string time = check_time();
  return time.empty() ? check_replies() : time;
}

std::string WitnessChecker::check_time() const {
  std::vector<const WitnessedCall*> by_start;
  std::vector<const WitnessedCall*> by_end;
  for (const WitnessedCall& call : calls_) {
    if (call.returned != Instant::never()) {
      by_start.push_back(&call);
      by_end.push_back(&call);
    }
  }
  std::ranges::sort(by_start, {}, &WitnessedCall::invoked);
  std::ranges::sort(by_end, {}, &WitnessedCall::returned);
  std::uint64_t highest = 0;  // of what had returned before
  std::size_t ended = 0;
  for (const WitnessedCall* call : by_start) {
    for (; ended < by_end.size() && by_end[ended]->returned < call->invoked; ++ended) {
      highest = std::max(highest, by_end[ended]->reply.index);
    }
    if (call->reply.index < highest || (call->reply.index == highest && !is_read(*call))) {
      return "index " + std::to_string(call->reply.index) + " was invoked after " + std::to_string(highest) +
             " had returned";
    }
  }
  return {};
}

std::string WitnessChecker::check_replies() const {
  std::multimap<std::uint64_t, const WitnessedCall*> reads;
  std::multimap<std::uint64_t, const WitnessedCall*> writes;
  for (const WitnessedCall& call : calls_) {
    if (call.returned != Instant::never()) {
      (is_read(call) ? reads : writes).emplace(call.reply.index, &call);
    }
  }
  Model model;
  auto read = reads.begin();
  const auto check_reads_before = [&](std::uint64_t index) {
    for (; read != reads.end() && read->first < index; ++read) {
      if (model.read(read->first, *decode_command(read->second->command)) != read->second->reply) {
        return "a read at index " + std::to_string(read->first) + " saw what the log does not give";
      }
    }
    return std::string();
  };
  for (const auto& [index, command] : log_) {
    if (const std::string wrong = check_reads_before(index); !wrong.empty()) {
      return wrong;
    }
    const auto decoded = decode_command(command);
    if (!decoded) {
      return "no command at index " + std::to_string(index);
    }
    const KvReplyCopy reply = model.run(index, *decoded);
    for (auto [write, end] = writes.equal_range(index); write != end; write = writes.erase(write)) {
      if (request_of(command) != request_of(write->second->command)) {
        return "a reply names index " + std::to_string(index) + ", which has another command";
      }
      if (reply != write->second->reply) {
        return "the reply of index " + std::to_string(index) + " is not what the log gives";
      }
    }
  }
  if (!writes.empty()) {
    return "a reply names index " + std::to_string(writes.begin()->first) + ", which has no command";
  }
  return check_reads_before(UINT64_MAX);
}

}  // namespace mallard::rsm
