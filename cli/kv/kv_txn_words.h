// A transaction as it is said on a command line: conditions and writes, each in a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/result.h"
#include "rsm/machine/kv_command.h"

namespace mallard::cli {

// The values of the options that may come several times. KEY=VALUE is split at the first '='.
struct KvTxnWords {
  std::vector<std::string> equal;         // --if KEY=VALUE
  std::vector<std::string> equal_number;  // --if-number KEY=N: what `increment` keeps
  std::vector<std::string> absent;        // --if-absent KEY
  std::vector<std::string> present;       // --if-present KEY
  std::vector<std::string> puts;          // --put KEY=VALUE
  std::vector<std::string> deletes;       // --delete KEY
  std::vector<std::string> increments;    // --increment KEY or KEY=N
};

// The same for the machine.
class KvTxnRequest {
 public:
  // An error is a sentence; it names the word that is wrong.
  [[nodiscard]] static Result<KvTxnRequest, std::string> of(const KvTxnWords& words);

  // The command; with a tag, in its session.
  [[nodiscard]] std::vector<std::byte> encode(const std::optional<rsm::SessionTag>& session) const;
  // In the order in which the machine names them: what was said of each condition, and the keys that are
  // incremented.
  [[nodiscard]] const std::vector<std::string>& conditions() const { return conditions_; }
  [[nodiscard]] const std::vector<std::string>& counters() const { return counters_; }

 private:
  struct Condition {
    rsm::KvCondition condition = rsm::KvCondition::absent;
    std::string key;
    std::string value;
  };
  struct Write {
    rsm::KvOperation operation = rsm::KvOperation::put;
    std::string key;
    std::string value;
    std::uint64_t amount = 0;
  };
  // Each takes what the words say, or says what is wrong with one of them.
  [[nodiscard]] Result<void, std::string> take_conditions(const KvTxnWords& words);
  [[nodiscard]] Result<void, std::string> take_writes(const KvTxnWords& words);
  // Brings the writes into the machine's order.
  [[nodiscard]] Result<void, std::string> sort_writes();

  std::vector<Condition> guards_;
  std::vector<Write> writes_;
  std::vector<std::string> conditions_;
  std::vector<std::string> counters_;
};

}  // namespace mallard::cli
