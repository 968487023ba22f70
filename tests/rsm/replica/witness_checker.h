// Is what clients saw one order of operations, in agreement with time? Every reply says at which index of the
// log its command was executed; with that as a witness it is checked in O(n log n) (reliability.md 4.6):
//   - indexes respect real time: what returned before another was invoked has the smaller index, or the same
//   if
//     the later one is a read, which sees the log up to its index and is not in it
//   - the replay of the log by a model of some lines, sessions included, gives every reply
//   - all replicas executed the same command at the same index
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/time.h"

namespace mallard::rsm {

struct KvReplyCopy {
  std::uint8_t status = 255;  // of KvStatus; 255: no reply
  std::uint64_t index = 0;
  std::string body;
  [[nodiscard]] std::uint64_t number() const;
  friend bool operator==(const KvReplyCopy&, const KvReplyCopy&) = default;
};
// Of the bytes of a reply.
[[nodiscard]] KvReplyCopy copy_reply(ByteView bytes);

// One call of a client: all its repetitions together.
struct WitnessedCall {
  std::vector<std::byte> command;
  Instant invoked;
  Instant returned = Instant::never();  // never: no answer came
  KvReplyCopy reply;
};

class WitnessChecker {
 public:
  // A replica executed this; in its own order of indexes, again after each of its restarts.
  void executed(std::uint64_t index, ByteView command);
  // Returns the call's number.
  std::size_t invoke(ByteView command, Instant now);
  void returned(std::size_t call, const KvReplyCopy& reply, Instant now);

  // What is wrong; empty if nothing is. `judged` calls had a reply.
  [[nodiscard]] std::string verdict() const;
  [[nodiscard]] std::size_t judged() const;

  // For tests of this checker.
  [[nodiscard]] std::vector<WitnessedCall>& calls() { return calls_; }
  [[nodiscard]] std::map<std::uint64_t, std::vector<std::byte>>& log() { return log_; }

 private:
  [[nodiscard]] std::string check_time() const;
  [[nodiscard]] std::string check_replies() const;

  std::map<std::uint64_t, std::vector<std::byte>> log_;
  std::vector<WitnessedCall> calls_;
  std::string disagreement_;
};

}  // namespace mallard::rsm
