#include "cli/kv/kv_txn_words.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/base/bytes.h"
#include "config/value_text.h"
#include "rsm/machine/kv_limits.h"

namespace mallard::cli {
namespace {

ByteView bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// KEY and VALUE of KEY=VALUE; nothing where there is no '='.
std::optional<std::pair<std::string, std::string>> split(const std::string& word) {
  const std::size_t at = word.find('=');
  return at == std::string::npos ? std::nullopt
                                 : std::optional(std::pair(word.substr(0, at), word.substr(at + 1)));
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

// As a counter lies in the machine.
std::string text_of(std::uint64_t number) {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    text.push_back(static_cast<char>((number >> (8 * i)) & 0xffU));
  }
  return text;
}

Failure<std::string> complaint(std::string_view option, const std::string& word, std::string_view form) {
  return Failure<std::string>(fmt::format("{} {}: say {} {}", option, word, option, form));
}

}  // namespace

Result<KvTxnRequest, std::string> KvTxnRequest::of(const KvTxnWords& words) {
  KvTxnRequest request;
  auto taken = request.take_conditions(words);
  if (taken) {
    taken = request.take_writes(words);
  }
  if (taken) {
    taken = request.sort_writes();
  }
  if (!taken) {
    return Failure<std::string>(taken.error());
  }
  if (request.guards_.empty() && request.writes_.empty()) {
    return Failure<std::string>("there is nothing to compare and nothing to write; see --help");
  }
  if (!rsm::decode_command(request.encode(std::nullopt))) {
    return Failure<std::string>(
        fmt::format("at most {} conditions and {} writes, which make at most 1 MiB; a key has 1 to {} bytes",
                    rsm::txn_guards_max, rsm::txn_writes_max, rsm::key_bytes_max));
  }
  return request;
}

std::vector<std::byte> KvTxnRequest::encode(const std::optional<rsm::SessionTag>& session) const {
  std::vector<rsm::KvGuard> guards;
  for (const Condition& one : guards_) {
    guards.push_back({.condition = one.condition, .key = bytes_of(one.key), .value = bytes_of(one.value)});
  }
  std::vector<rsm::KvWrite> writes;
  for (const Write& one : writes_) {
    writes.push_back({.operation = one.operation,
                      .key = bytes_of(one.key),
                      .value = bytes_of(one.value),
                      .amount = one.amount});
  }
  return rsm::encode_txn(guards, writes, session);
}

Result<void, std::string> KvTxnRequest::take_conditions(const KvTxnWords& words) {
  for (const std::string& word : words.equal) {
    const auto pair = split(word);
    if (!pair) {
      return complaint("--if", word, "KEY=VALUE");
    }
    guards_.push_back({rsm::KvCondition::equals, pair->first, pair->second});
    conditions_.push_back("--if " + word);
  }
  for (const std::string& word : words.equal_number) {
    const auto pair = split(word);
    const auto number = pair ? number_in(pair->second) : std::nullopt;
    if (!number) {
      return complaint("--if-number", word, "KEY=N");
    }
    guards_.push_back({rsm::KvCondition::equals, pair->first, text_of(*number)});
    conditions_.push_back("--if-number " + word);
  }
  for (const std::string& key : words.absent) {
    guards_.push_back({rsm::KvCondition::absent, key, {}});
    conditions_.push_back("--if-absent " + key);
  }
  for (const std::string& key : words.present) {
    guards_.push_back({rsm::KvCondition::present, key, {}});
    conditions_.push_back("--if-present " + key);
  }
  return {};
}

Result<void, std::string> KvTxnRequest::take_writes(const KvTxnWords& words) {
  for (const std::string& word : words.puts) {
    const auto pair = split(word);
    if (!pair) {
      return complaint("--put", word, "KEY=VALUE");
    }
    writes_.push_back({.operation = rsm::KvOperation::put, .key = pair->first, .value = pair->second});
  }
  for (const std::string& key : words.deletes) {
    writes_.push_back({.operation = rsm::KvOperation::erase, .key = key, .value = {}});
  }
  for (const std::string& word : words.increments) {
    const auto pair = split(word);
    const auto amount = pair ? number_in(pair->second) : std::optional<std::uint64_t>(1);
    if (!amount) {
      return complaint("--increment", word, "KEY or KEY=N");
    }
    writes_.push_back({.operation = rsm::KvOperation::increment,
                       .key = pair ? pair->first : word,
                       .value = {},
                       .amount = *amount});
  }
  return {};
}

Result<void, std::string> KvTxnRequest::sort_writes() {
  std::ranges::sort(writes_, [](const Write& a, const Write& b) {
    return std::ranges::lexicographical_compare(bytes_of(a.key), bytes_of(b.key));
  });
  const auto twice = std::ranges::adjacent_find(writes_, {}, &Write::key);
  if (twice != writes_.end()) {
    return Failure<std::string>(fmt::format("{} is written twice", config::shown(twice->key)));
  }
  for (const Write& one : writes_) {
    if (one.operation == rsm::KvOperation::increment) {
      counters_.push_back(one.key);
    }
  }
  return {};
}

}  // namespace mallard::cli
