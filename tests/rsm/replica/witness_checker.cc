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
    if (call->reply.index <= highest) {
      return "index " + std::to_string(call->reply.index) + " was invoked after " + std::to_string(highest) +
             " had returned";
    }
  }
  return {};
}

std::string WitnessChecker::check_replies() const {
  Model model;
  std::map<std::uint64_t, KvReplyCopy> replies;
  for (const auto& [index, command] : log_) {
    const auto decoded = decode_command(command);
    if (!decoded) {
      return "no command at index " + std::to_string(index);
    }
    replies[index] = model.run(index, *decoded);
  }
  for (const WitnessedCall& call : calls_) {
    if (call.returned == Instant::never()) {
      continue;
    }
    const auto executed = log_.find(call.reply.index);
    if (executed == log_.end() || request_of(executed->second) != request_of(call.command)) {
      return "a reply names index " + std::to_string(call.reply.index) + ", which has another command";
    }
    if (replies[call.reply.index] != call.reply) {
      return "the reply of index " + std::to_string(call.reply.index) + " is not what the log gives";
    }
  }
  return {};
}

}  // namespace mallard::rsm
