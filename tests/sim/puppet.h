// A Byzantine gateway: a correct one with a liar in its door. The liar sees every frame that comes in and
// goes out, decoded, and may change, drop, repeat or add frames. It has its replica's channels and nobody
// else's: it cannot speak in another's name, nor make certificates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bridge/core/frame.h"
#include "tests/sim/network.h"
#include "tests/sim/replica.h"
#include "tests/sim/stage.h"

namespace mallard::sim {

// A frame that a puppet's correct half wants to send.
struct Outgoing {
  Replica& to;
  bridge::Frame frame;           // phi-lists point into bytes that live as long as this value
  std::vector<std::byte>& body;  // of the batch, proof included
  bool drop = false;
};

class Puppet;

// What one kind of liar does. One strategy serves one puppet for all its lives.
class Strategy {
 public:
  explicit Strategy(Mark mark) : mark_(mark) {}
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;
  virtual ~Strategy() = default;

  virtual void on_out(Puppet& /*puppet*/, Outgoing& /*out*/) {}
  // False: the correct half never sees the frame.
  virtual bool on_in(Puppet& /*puppet*/, const Replica& /*from*/, const bridge::Frame& /*frame*/) {
    return true;
  }
  // From time to time.
  virtual void act(Puppet& /*puppet*/) {}

  // Hit whenever the strategy did what a correct gateway would not have done.
  [[nodiscard]] Mark mark() const { return mark_; }

 private:
  Mark mark_;
};

class Puppet {
 public:
  Puppet(Stage& stage, Network& network, Replica& self, std::unique_ptr<Strategy> strategy)
      : stage_(stage), network_(network), self_(self), strategy_(std::move(strategy)) {}

  // The door.
  bool send(Replica& to, ByteView head, ByteView body, bridge::Lane lane);
  bool receive(const Replica& from, ByteView head, std::size_t body_bytes);
  void act() { strategy_->act(*this); }

  [[nodiscard]] const char* name() const { return name_of(strategy_->mark()); }

  // For strategies.
  [[nodiscard]] Stage& stage() { return stage_; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] Replica& self() { return self_; }
  std::uint64_t draw(std::uint64_t n) { return stage_.choices.draw(Stream::byzantine, n); }
  void had_effect() { stage_.marks.hit(strategy_->mark()); }
  [[nodiscard]] bool cross(const Replica& other) const {
    return other.address.cluster != self_.address.cluster;
  }
  // Calls visit(replica) for each replica that a channel is open to.
  template <class Visit>
  void each_peer(Visit visit) {
    for (Replica& replica : network_.replicas()) {
      if (replica.id != self_.id && network_.connected(self_, replica)) {
        visit(replica);
      }
    }
  }
  // Sends a frame of the puppet's own.
  void emit(Replica& to, const bridge::Frame& frame, ByteView body);
  // Words of a phi-list for the frame being made; at most phi_words_max. Valid until the next call in this
  // place.
  bridge::PhiList phi(std::size_t place, const std::vector<std::uint64_t>& words);
  // The highest stamp heard from a peer, and the last one issued to it.
  struct Heard {
    bridge::Stamp heard;
    bridge::Stamp issued;
  };
  [[nodiscard]] Heard& heard(const Replica& peer) { return heard_[peer.id]; }
  // The frame's beginning as a correct gateway would fill it now.
  [[nodiscard]] bridge::Frame blank(const Replica& to);

 private:
  Stage& stage_;
  Network& network_;
  Replica& self_;
  std::unique_ptr<Strategy> strategy_;
  std::vector<std::byte> head_;
  std::vector<std::byte> body_;
  std::array<std::vector<std::byte>, sections_per_frame_max> phi_;
  std::array<Heard, 64> heard_{};
};

}  // namespace mallard::sim
