// Uses a cluster that Mallard runs, through the local doors of its replicas on this machine or through their
// doors over the network: finds the leader, and finds it again when it changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/payload_pool.h"
#include "config/base/time.h"
#include "transport/door/door_client.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {

struct KvAnswer {
  transport::door::ReplyStatus status = transport::door::ReplyStatus::done;
  std::optional<ReplicaIndex> leader;  // not_leader: who leads, and is none of those we know
  std::vector<std::byte> bytes;        // done: the machine's reply
};

// What becomes of a request whose outcome is unknown because a leader or a connection has gone.
enum class Repeat : std::uint8_t {
  never,   // the answer says so
  always,  // asked again until there is an answer: for reads, and for commands in a session
};

// What the configuration that we have says of the key that we show.
struct KvListing {
  bool is_listed = true;  // under `clients:`
  std::string advice;     // what to do where it is not, or where no replica knows the key
};

// One request at a time. Not thread-safe.
class KvClient {
 public:
  // `directories`: of the replicas, in any order, at least one. Starts to connect to all of them.
  explicit KvClient(const std::vector<std::filesystem::path>& directories);
  // The same over the network: of all replicas, in the order of their ids. Throws as
  // transport::door::DoorClient.
  explicit KvClient(const std::vector<transport::door::RemoteDoor>& doors, KvListing listing = {});
  ~KvClient();
  KvClient(const KvClient&) = delete;
  KvClient& operator=(const KvClient&) = delete;

  // Asks the leader. What was asked before is forgotten, whatever becomes of it.
  void ask(ByteView command, Repeat repeat);
  // A read of what the replica behind the door with this place has executed so far.
  void ask_locally(std::size_t place, ByteView command);
  // Sends a command to who answered last, and does not wait for what becomes of it. What was asked before is
  // forgotten.
  void leave(ByteView command);

  // Lets things happen until the request is answered, `until` has come, or we are turned away; whether it is
  // answered.
  bool turn(Instant until);
  [[nodiscard]] const std::optional<KvAnswer>& answer() const { return answer_; }
  // Whether what was asked may be executed, now or later, though no answer says so: it was sent, and what
  // became of it then was not told. An answer `done` is of a later attempt.
  [[nodiscard]] bool in_doubt() const { return asked_ || was_lost_; }
  // How many replicas it was given.
  [[nodiscard]] std::size_t places() const { return seats_.size(); }
  // The place of the replica that answered last.
  [[nodiscard]] std::size_t last_place() const { return last_place_; }
  // Why nobody executed the request so far: what the last attempt failed of. Empty: none has, since the last
  // answer.
  [[nodiscard]] std::string failure() const;
  // No door is open, and at each of them an attempt to come in has failed since it was last open.
  [[nodiscard]] bool is_shut_out() const;
  // Over the network: one of the replicas does not know our key. failure() says so.
  [[nodiscard]] bool is_key_unknown() const;
  // We are shut out, because of our key or of a file that does not name it: no waiting mends that.
  [[nodiscard]] bool is_turned_away() const;

 private:
  class Seat;
  struct Asked {
    std::size_t place = 0;
    std::uint64_t request = 0;
    Instant at;
  };

  void step(Instant now);
  void take(std::size_t place, const transport::door::Reply& reply);
  // The request may be executed or not.
  void lose();
  void turn_to(std::size_t place, Duration pause);
  [[nodiscard]] std::optional<std::size_t> place_of(ReplicaIndex replica) const;
  // Whose directory is whose is learned when its door opens.
  [[nodiscard]] bool knows_all_places() const;

  KvListing listing_;
  PayloadPool pool_;  // before the loop: what the loop still holds at its end gives its payloads back
  transport::EventLoop loop_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<std::byte> command_;
  Repeat repeat_ = Repeat::never;
  bool local_ = false;
  std::size_t target_ = 0;
  Instant not_before_;
  std::optional<Asked> asked_;
  bool was_lost_ = false;  // an attempt of what is asked, and nobody said what became of it
  std::uint64_t last_request_ = 0;
  std::optional<KvAnswer> answer_;
  std::size_t last_place_ = 0;
  std::string failure_;
};

}  // namespace mallard::cli
