// The channels between gateways. A session is like one TLS channel: both ends learn when it opens and closes,
// and a frame of a closed session is never delivered. Unlike one, it may also lose, repeat, reorder and delay
// frames, as the world's options say: what the protocol survives here, it survives on better channels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/gateway/frame_carrier.h"
#include "config/base/payload_pool.h"
#include "tests/sim/replica.h"
#include "tests/sim/stage.h"
#include "tests/sim/watchers.h"

namespace mallard::sim {

// A frame in flight, with bytes of its own.
struct Flight {
  ReplicaId from = 0;
  ReplicaId to = 0;
  std::uint32_t session = 0;
  bool used = false;
  bool lost = false;
  std::vector<std::byte> head;
  std::vector<std::byte> body;
  PayloadRef held;  // the sender's reference, until the bytes are out
  std::uint64_t sender_life = 0;
};

class Network {
 public:
  Network(Stage& stage, Watchers& watchers, std::vector<Replica>& replicas);

  // All channels that can exist are dialled.
  void start();

  // What a gateway hands to its carrier; `body` are the bytes behind `held`, which may be empty for a
  // puppet's own.
  struct Load {
    ByteView head;
    ByteView body;
    PayloadRef held;
    bridge::Lane lane = bridge::Lane::control;
  };
  bool send(Replica& from, Replica& to, const Load& load);
  void close(const Replica& from, const Replica& to);
  [[nodiscard]] bool connected(const Replica& from, const Replica& to) const;

  // What the world's heap brings back.
  void dial(std::uint32_t pair);
  void session_up(std::uint32_t pair, std::uint64_t what);
  void session_down(std::uint32_t pair, std::uint64_t what);
  // The flight, if its bytes are to be given to the receiving gateway now; nothing if it is lost, late or
  // postponed.
  Flight* arrive(const SimEvent& event);
  void land(std::uint32_t flight);

  // Faults.
  void crashed(const Replica& replica);
  void restarted(const Replica& replica);
  void reset(const Replica& a, const Replica& b);
  void block(const Replica& from, const Replica& to) { ++blocked_[from.id][to.id]; }
  void unblock(const Replica& from, const Replica& to) { --blocked_[from.id][to.id]; }
  void set_extra_delay(Nanos delay) { extra_delay_ = delay; }

  // How many channels of this replica are open at its own end.
  [[nodiscard]] std::size_t channels_of(const Replica& replica) const;
  [[nodiscard]] std::vector<Replica>& replicas() { return replicas_; }
  [[nodiscard]] const Replica* find(ReplicaAddress address) const;
  [[nodiscard]] Replica* find(ReplicaAddress address);
  [[nodiscard]] std::uint64_t batch_frames_lost() const { return batch_frames_lost_; }
  // How many copies of batches went from cluster to cluster, lost ones included.
  [[nodiscard]] std::uint64_t batch_frames_sent() const { return batch_frames_sent_; }
  // The next frame of a batch that goes from cluster to cluster, after this many more, is lost.
  void lose_batch_frame(std::uint64_t after) { lose_after_ = after; }

 private:
  enum class Side : std::uint8_t { down, up, closing };
  struct Pair {
    ReplicaId a = 0;
    ReplicaId b = 0;
    std::uint32_t session = 0;
    std::array<Side, 2> side{Side::down, Side::down};
    std::array<bool, 2> up_pending{};  // this side will hear that the session is open
    std::array<Nanos, 2> up_at{};      // when it will
    bool dial_pending = false;
    [[nodiscard]] bool idle() const {
      return side[0] == Side::down && side[1] == Side::down && !up_pending[0] && !up_pending[1];
    }
  };
  struct Direction {
    Nanos busy_until = 0;
    std::array<Nanos, 2> last_arrival{};  // by lane: frames of one lane keep their order
  };

  static constexpr std::uint32_t no_pair = UINT32_MAX;
  [[nodiscard]] std::uint32_t pair_of(ReplicaId a, ReplicaId b) const { return pair_index_[a][b]; }
  [[nodiscard]] std::size_t side_of(const Pair& pair, ReplicaId replica) const {
    return replica == pair.a ? 0 : 1;
  }
  [[nodiscard]] Nanos travel_time();
  void redial(std::uint32_t pair, Nanos delay);
  void end_side(std::uint32_t pair, std::size_t side, Nanos delay);
  void after_end(std::uint32_t pair);
  std::uint32_t take_off(const Replica& from, const Replica& to, const Load& load);
  [[nodiscard]] bool loses(bool cross_batch);
  void watch_sent(const Replica& from, const Replica& to, const Load& load);

  Stage& stage_;
  Watchers& watchers_;
  std::vector<Replica>& replicas_;
  std::vector<Pair> pairs_;
  std::vector<std::vector<std::uint32_t>> pair_index_;
  std::vector<std::vector<Direction>> directions_;
  std::vector<std::vector<std::uint16_t>> blocked_;
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_flights_;
  Nanos extra_delay_ = 0;
  std::uint64_t batch_frames_lost_ = 0;
  std::uint64_t batch_frames_sent_ = 0;
  std::uint64_t lose_after_ = UINT64_MAX;
};

}  // namespace mallard::sim
