// One outbound link: from batches that are durable here to certificates.
//
// Rules, with their origin:
//   final       a batch is signed once it is decided, executed and durable here, in order, each with the root
//               of the one before in it (reliability.md 2.5, E4).
//   once        the mark that covers a batch is durable before its signature is ordered (5.2, SignGuard).
//   enough      a certificate is shares of weight r + 1, u + 1 where r = 0, over the statement that this
//               replica makes of its own log (design 4.2). Each was checked, or is its own.
//   no more     shares are checked only as far as the weight of those that are good, that are being checked
//               and of the own one is not enough; so in a cluster without faults, threshold - 1 of them.
//   pushed      each own share goes to every other replica, once, unasked.
//   asked for   a batch that waits for longer than ask_after has the shares that are missing asked for, from
//               each replica its own, and again with a doubling pause, without end, until it is certified or
//               released. A correct replica signs all batches that are not released, also anew after a
//               restart, and u + r + 1 weight of correct ones is enough; so no certificate waits for more
//               than that one message gets through.
//   halted      what contradicts own earlier signatures, or what enough others say, stops the link by name.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/time.h"
#include "rsm/core/certify/certify_counters.h"
#include "rsm/core/certify/certify_settings.h"
#include "rsm/core/certify/effect.h"
#include "rsm/core/certify/event.h"
#include "rsm/core/certify/share_window.h"
#include "rsm/core/certify/sign_guard.h"
#include "rsm/core/certify/signers.h"

namespace mallard::rsm::certify {

enum class LinkState : std::uint8_t {
  waiting,     // for LinkStarted
  certifying,  //
  behind,      // certifies by others' shares only: it has signed batches that its log has not come to yet
  silent,      // likewise: what it signed in an earlier life is lost (LinkSettings::mark_lost)
  halted,      // see halt_reason()
};

class LinkCertifier {
 public:
  // What a step has at hand.
  struct Turn {
    Instant now;
    Effects& effects;
    Signers& signers;
  };
  // A call orders at most so many effects.
  static constexpr std::size_t effects_max = signs_max + checks_max + 2 * replicas_max + 8;

  LinkCertifier(const CertifySettings& settings, const LinkSettings& link);

  void start(const LinkStarted& event, Turn turn);
  // The roster has changed: waits to be started again.
  void stop();
  [[nodiscard]] bool accepts_batch() const;
  void extend(const BatchDurable& event, Turn turn);
  void mark_persisted(Turn turn);
  void own_signed(const Signed& event, Turn turn);
  void share_checked(const ShareChecked& event, Turn turn);
  void shares_arrived(const SharesArrived& event, Turn turn);
  void shares_wanted(const SharesWanted& event, Turn turn);
  void peer_up(Instant now);
  void release(const Released& event, Turn turn);

  void on_deadline(Turn turn);
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] LinkIndex link() const { return index_; }
  [[nodiscard]] LinkState state() const;
  [[nodiscard]] std::optional<HaltReason> halt_reason() const { return halted_; }
  [[nodiscard]] ShareContext context(const Signers& signers) const;
  [[nodiscard]] const Mark& mark() const { return guard_.mark(); }
  [[nodiscard]] BatchNumber newest() const { return newest_; }
  [[nodiscard]] BatchNumber certified() const { return certified_; }
  [[nodiscard]] BatchNumber released() const { return window_.base(); }
  // The batch is known and not released.
  [[nodiscard]] crypto::CommitStatement statement(BatchNumber batch, const Signers& signers) const;
  // None where it is not signed, or released.
  [[nodiscard]] std::optional<Share> own_share(BatchNumber batch, const Signers& signers) const;
  // None where it is not certified, or released.
  [[nodiscard]] std::optional<crypto::CommitCertificate> certificate(BatchNumber batch,
                                                                     const Signers& signers) const;
  [[nodiscard]] const CertifyCounters& counters() const { return counters_; }

 private:
  using Batch = ShareWindow::Batch;

  [[nodiscard]] bool is_running() const { return started_ && !halted_; }
  void settle(Turn turn);
  void sign(Turn turn);
  void gather(BatchNumber batch, Turn turn);
  void send_gathered(Turn turn);
  void consider(BatchNumber batch, Turn turn);
  void consider_starved(Turn turn);
  void contradict(BatchNumber batch, ReplicaIndex by, Turn turn);
  void take(const Share& share, ReplicaIndex from, Turn turn);
  void tell_certified(Turn turn);
  void ask(Turn turn);
  void halt(HaltReason reason, Turn turn);

  LinkIndex index_;
  Duration gather_;
  Duration ask_after_;
  Duration ask_again_max_;

  SignGuard guard_;
  ShareWindow window_;
  bool started_ = false;
  std::optional<HaltReason> halted_;
  LinkLife life_ = 0;
  crypto::CertifiedLink link_;
  Epoch destination_epoch_;
  BatchNumber newest_;  // known here; may be behind the window
  crypto::Digest newest_root_;
  BatchNumber certified_;  // all up to here, or released
  BatchNumber next_sign_{1};
  std::uint32_t signing_ = 0;  // ordered and not answered, in earlier lives too
  std::uint32_t checking_ = 0;
  BatchNumber check_waits_;  // from this batch on, shares wait for others to be checked; 0: none

  BatchSet gathered_;  // own shares that are to be sent
  Instant send_at_ = Instant::never();
  Instant ask_at_ = Instant::never();
  Duration ask_pause_;
  BatchNumber asked_certified_;       // where certified_ stood when it was asked last
  std::vector<Instant> answer_from_;  // by peer: it is answered again from then on
  CertifyCounters counters_;
};

}  // namespace mallard::rsm::certify
