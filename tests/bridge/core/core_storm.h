// One bridge core in the middle of a storm: a shell that keeps its contract, and peers that say anything at
// all. What the core owes its shell is checked at every step.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "bridge/core/bridge_core.h"
#include "config/base/prng.h"

namespace mallard::bridge {

class CoreStorm {
 public:
  // The core under test is w0 of two clusters of four; link 0 comes in, link 1 goes out. `seed` decides all.
  explicit CoreStorm(std::uint64_t seed);

  // So many random events, with the deadlines between them.
  void rage(int events);
  // Everything open is answered, everything sent is QUACKed, everything received is applied: then the core
  // owns no payload.
  void calm_down();

  // What the core did that it must not; empty when nothing.
  [[nodiscard]] const std::string& faults() const { return faults_; }
  [[nodiscard]] std::size_t payloads_given() const { return owners_.size(); }
  [[nodiscard]] std::size_t payloads_owned() const;
  [[nodiscard]] std::uint64_t batches_applied() const { return applied_; }
  [[nodiscard]] std::uint64_t batches_quacked() const { return quacked_; }
  // Of all effects in order.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

 private:
  struct Load {
    BatchNumber batch;
    ReplicaIndex for_peer;
  };

  void step(const Event& event);
  void serve_deadlines();
  void judge();
  void judge(const SendFrame& frame);
  void judge(const StartTap& effect);
  void judge(const CheckCertificate& effect);
  void judge(const Apply& effect);
  void judge(const LoadBatch& effect);
  void judge(const Quacked& effect);
  void judge(const Release& effect);
  void judge(const ClosePeer& effect);

  void flip_channel();
  void commit();
  void answer_check();
  void apply_some();
  void answer_load();
  void receive_anything();
  void receive_plausible_batch();
  void receive_plausible_ack();

  [[nodiscard]] std::uint64_t number_near(std::uint64_t centre);
  [[nodiscard]] LinkContext context(LinkIndex link) const;
  [[nodiscard]] FrameArrived frame_from(ReplicaAddress peer);
  [[nodiscard]] ReplicaAddress any_peer();
  PayloadRef payload();
  void fault(const char* what, std::uint64_t number);

  Prng random_;
  std::unique_ptr<BridgeCore> core_;
  std::unique_ptr<Effects> effects_ = std::make_unique<Effects>();
  Instant now_ = Instant{} + Duration::seconds(1);
  std::vector<int> owners_;  // references that the core has, by slot
  std::vector<CertificateChecked> checks_;
  std::deque<Apply> applies_;
  std::deque<Load> loads_;
  std::uint64_t tap_next_ = 0;  // next batch to commit; 0: no tap yet
  std::uint64_t log_newest_ = 0;
  std::uint64_t submitted_ = 0;  // highest batch that was ordered to be applied or passed over
  std::uint64_t submitted_message_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t quacked_ = 0;
  std::vector<std::byte> phi_bytes_;
  std::string faults_;
  std::uint64_t digest_ = 0;
};

}  // namespace mallard::bridge
