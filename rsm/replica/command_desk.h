// Who waits for which command: from Submit to Reply. Writes go into the log. Reads go to the machine, once
// the engine has said what they must see.
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

// What a client that comes in over the network is and may.
struct ClientGrant {
  std::uint64_t owner = 0;            // of its sessions: the same at every replica, and no user of a machine
  std::vector<std::string> prefixes;  // what the keys begin with that it may touch; empty: every key
};

struct CommandDeskSettings {
  std::uint32_t waiting_max = 4096;  // writes that are not in the log yet, writes in it, and reads
  // By DoorPeer::client. Who comes in over the local socket may touch every key; operators may order
  // anything.
  std::vector<ClientGrant> clients;
};

struct CommandDeskCounters {
  std::uint64_t submitted = 0;    // reads included
  std::uint64_t reads = 0;        // that were answered as linearizable
  std::uint64_t local_reads = 0;  // that were answered
  std::uint64_t done = 0;
  std::uint64_t not_leader = 0;
  std::uint64_t busy = 0;
  std::uint64_t unknown_outcome = 0;
  std::uint64_t refused = 0;
  std::uint64_t forbidden = 0;
};

class CommandDesk {
 public:
  // All outlive the desk.
  struct Ports {
    PayloadPool& pool;
    DoorPort& door;
    Machine& machine;
  };

  // All memory is allocated here.
  CommandDesk(const CommandDeskSettings& settings, const Ports& ports);

  // Takes over one reference to the command. Returns whether it waits for the log now.
  bool submit(transport::door::DoorConnection from, const transport::door::DoorPeer& peer,
              const transport::door::Submit& submit);
  // Answers a read from the machine as it stands. Takes over one reference to the command.
  void read_locally(transport::door::DoorConnection from, const transport::door::DoorPeer& peer,
                    const transport::door::Submit& submit);
  // Who leads as far as is known: those who are turned away are told.
  void set_leader(std::optional<memory::ProcessIndex> leader) { leader_ = leader; }

  // Puts what waits into the log, as far as it has room, and asks for the reads; answers both where this
  // replica does not lead. Returns whether anything left the queue.
  bool propose(Engine& engine, Instant now);

  // Whether somebody waits for the entry that is decided now.
  [[nodiscard]] bool waits_for(CommitIndex index) const;
  // It was executed.
  void answer(CommitIndex index, ByteView reply);
  // What was put into the log beyond `after` has an unknown outcome.
  void give_up(CommitIndex after);
  // A snapshot has brought what was put into the log up to here: it was executed elsewhere, and what came of
  // it cannot be said.
  void give_up_through(CommitIndex index);

  // The reads up to this one may be answered by what has executed `index`.
  void confirm_reads(std::uint64_t read, CommitIndex index);
  // The reads that were not confirmed go to the leader.
  void turn_away_reads();
  // Answers the confirmed reads that may see what was executed, some of them. Returns whether there were any.
  bool answer_reads(CommitIndex executed);

  [[nodiscard]] const CommandDeskCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.count + reads_.count; }

 private:
  static constexpr std::uint32_t reads_per_turn = 256;

  struct Waiting {
    transport::door::DoorConnection from;
    std::uint64_t request = 0;
    PayloadRef command;      // until it is in the log; of a read until the end
    CommitIndex index;       // from then on; of a read what it must see, once that is known
    std::uint64_t read = 0;  // its number among the reads
  };
  // First in, first out; of fixed room.
  struct Queue {
    std::vector<Waiting> places;
    std::size_t first = 0;
    std::size_t count = 0;
    [[nodiscard]] bool full() const { return count == places.size(); }
    [[nodiscard]] Waiting& at(std::size_t position) { return places[(first + position) % places.size()]; }
    [[nodiscard]] const Waiting& front() const { return places[first]; }
    [[nodiscard]] const Waiting& back() const { return places[(first + count - 1) % places.size()]; }
    void push(const Waiting& one) { places[(first + count++) % places.size()] = one; }
    void pop_front() {
      first = (first + 1) % places.size();
      --count;
    }
    void pop_back() { --count; }
  };

  // Why the caller may not ask for it, if so. Writes the owner into the command.
  [[nodiscard]] std::optional<transport::door::ReplyStatus> refusal_of(const transport::door::DoorPeer& peer,
                                                                       ByteSpan command) const;
  void reply_with_query(const Waiting& to, ByteView command);
  void reply_done(const Waiting& to, ByteView bytes, transport::door::ReplyStatus without_room);
  void reply(const Waiting& to, transport::door::ReplyStatus status, PayloadRef bytes = {});

  std::vector<ClientGrant> clients_;
  std::vector<std::vector<std::string_view>> prefixes_;  // of each client
  Ports ports_;
  Queue waiting_;
  Queue placed_;
  Queue reads_;
  std::size_t confirmed_ = 0;       // reads at the front of theirs that may be answered
  std::uint64_t reads_taken_ = 0;   // the number of the last one
  std::uint64_t reads_asked_ = 0;   // that the engine knows of
  std::vector<std::byte> scratch_;  // the reply to a read
  std::optional<memory::ProcessIndex> leader_;
  CommandDeskCounters counters_;
};

}  // namespace mallard::rsm
