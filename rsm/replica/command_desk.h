// Who waits for which command: from Submit to Reply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/payload_pool.h"
#include "rsm/replica/door_port.h"
#include "rsm/replica/engine.h"

namespace mallard::rsm {

struct CommandDeskSettings {
  std::uint32_t waiting_max = 4096;  // that are not in the log yet; as many again may be in it
  // What clients may touch; empty: every key. Operators may order anything.
  std::vector<std::string> client_prefixes;
};

struct CommandDeskCounters {
  std::uint64_t submitted = 0;    // local reads included
  std::uint64_t local_reads = 0;  // that were answered
  std::uint64_t done = 0;
  std::uint64_t not_leader = 0;
  std::uint64_t busy = 0;
  std::uint64_t unknown_outcome = 0;
  std::uint64_t refused = 0;
};

class CommandDesk {
 public:
  // Pool and door outlive the desk. All memory is allocated here.
  CommandDesk(const CommandDeskSettings& settings, PayloadPool& pool, DoorPort& door);

  // Takes over one reference to the command. Returns whether it waits now; else it was answered.
  bool submit(transport::door::DoorConnection from, const transport::door::DoorPeer& peer,
              const transport::door::Submit& submit);
  // Answers a read from the machine as it stands. Takes over one reference to the command.
  void read(transport::door::DoorConnection from, const transport::door::DoorPeer& peer,
            const transport::door::Submit& submit, Machine& machine);
  // Who leads as far as is known: those who are turned away are told.
  void set_leader(std::optional<memory::ProcessIndex> leader) { leader_ = leader; }

  // Puts what waits into the log, as far as it has room; answers it where this replica does not lead. Returns
  // whether anything left the queue.
  bool propose(Engine& engine, Instant now);

  // Whether somebody waits for the entry that is decided now.
  [[nodiscard]] bool waits_for(CommitIndex index) const;
  // It was executed.
  void answer(CommitIndex index, ByteView reply);
  // What was put into the log beyond `after` has an unknown outcome.
  void give_up(CommitIndex after);

  [[nodiscard]] const CommandDeskCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.count; }

 private:
  struct Waiting {
    transport::door::DoorConnection from;
    std::uint64_t request = 0;
    PayloadRef command;  // until it is in the log
    CommitIndex index;   // from then on
  };
  // First in, first out; of fixed room.
  struct Queue {
    std::vector<Waiting> places;
    std::size_t first = 0;
    std::size_t count = 0;
    [[nodiscard]] bool full() const { return count == places.size(); }
    [[nodiscard]] const Waiting& front() const { return places[first]; }
    [[nodiscard]] const Waiting& back() const { return places[(first + count - 1) % places.size()]; }
    void push(const Waiting& one) { places[(first + count++) % places.size()] = one; }
    void pop_front() {
      first = (first + 1) % places.size();
      --count;
    }
    void pop_back() { --count; }
  };

  [[nodiscard]] bool is_allowed(const transport::door::DoorPeer& peer, ByteSpan command) const;
  void reply_done(const Waiting& to, ByteView bytes, transport::door::ReplyStatus without_room);
  void reply(const Waiting& to, transport::door::ReplyStatus status, PayloadRef bytes = {});

  std::vector<std::string> prefixes_;
  std::vector<std::string_view> prefix_views_;
  PayloadPool& pool_;
  DoorPort& door_;
  Queue waiting_;
  Queue placed_;
  std::vector<std::byte> scratch_;  // the reply to a local read
  std::optional<memory::ProcessIndex> leader_;
  CommandDeskCounters counters_;
};

}  // namespace mallard::rsm
