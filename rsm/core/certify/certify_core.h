// The certifying part of one replica: turns batches that are decided and durable here into commit
// certificates, together with the other replicas of the cluster and in the background. Nothing that commits
// waits for it.
//
// It is told of batches and orders marks, signatures, checks and messages; it never sees a key, a payload or
// a channel. One core serves all certified links of a replica. The rules: link_certifier.h; the guard against
// signing twice: sign_guard.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/time.h"
#include "rsm/core/certify/certify_settings.h"
#include "rsm/core/certify/effect.h"
#include "rsm/core/certify/event.h"
#include "rsm/core/certify/link_certifier.h"
#include "rsm/core/certify/signers.h"

namespace mallard::rsm::certify {

class CertifyCore {
 public:
  using Event = certify::Event;
  using Effects = certify::Effects;
  static constexpr std::size_t effects_per_step_max = certify::effects_per_step_max;

  // All memory that the core will ever use is allocated here. `settings` must be valid (the loader's duty).
  explicit CertifyCore(const CertifySettings& settings);

  void step(const Event& event, Instant now, Effects& effects) noexcept;
  void on_deadline(Instant now, Effects& effects) noexcept;
  [[nodiscard]] Instant next_deadline() const noexcept;

  // Whether BatchDurable may be told of the link: it is started, not halted, and its window has room. All of
  // the shell's back-pressure: who is slower than the log stays behind, and the log keeps the bodies.
  [[nodiscard]] bool accepts_batch(LinkIndex link) const;

  // What orders name. `link` is one of the settings'.
  [[nodiscard]] ShareContext context(LinkIndex link) const { return at(link).context(signers_); }
  // Of a batch that a Sign or CheckShare of this step names.
  [[nodiscard]] crypto::CommitStatement statement(LinkIndex link, BatchNumber batch) const {
    return at(link).statement(batch, signers_);
  }
  [[nodiscard]] std::optional<Share> own_share(LinkIndex link, BatchNumber batch) const {
    return at(link).own_share(batch, signers_);
  }
  // Once Certified was ordered up to there, or further, and until it is released.
  [[nodiscard]] std::optional<crypto::CommitCertificate> certificate(LinkIndex link,
                                                                     BatchNumber batch) const {
    return at(link).certificate(batch, signers_);
  }

  // For status, metrics and tests.
  [[nodiscard]] const LinkCertifier& link(LinkIndex link) const { return at(link); }
  [[nodiscard]] const Signers& signers() const { return signers_; }
  // Messages of links that are not certified here.
  [[nodiscard]] std::uint64_t foreign_messages() const { return foreign_messages_; }

 private:
  void on(const LinkStarted& event, Effects& effects) { at(event.link.link).start(event, turn(effects)); }
  void on(const BatchDurable& event, Effects& effects) { at(event.link).extend(event, turn(effects)); }
  void on(const MarkPersisted& event, Effects& effects) { at(event.link).mark_persisted(turn(effects)); }
  void on(const Signed& event, Effects& effects) { at(event.link).own_signed(event, turn(effects)); }
  void on(const ShareChecked& event, Effects& effects) { at(event.link).share_checked(event, turn(effects)); }
  void on(const SharesArrived& event, Effects& effects);
  void on(const SharesWanted& event, Effects& effects);
  void on(const PeerUp& event, Effects& effects);
  void on(const Released& event, Effects& effects);
  void on(const RosterChanged& event, Effects& effects);

  [[nodiscard]] LinkCertifier::Turn turn(Effects& effects) { return {now_, effects, signers_}; }
  // Null: not certified here. What peers and gateways name may be any.
  [[nodiscard]] LinkCertifier* find(LinkIndex link);
  [[nodiscard]] LinkCertifier& at(LinkIndex link);
  [[nodiscard]] const LinkCertifier& at(LinkIndex link) const;

  Instant now_;
  Signers signers_;
  std::uint32_t signers_max_;
  std::vector<LinkCertifier> links_;
  std::size_t next_link_ = 0;  // whose turn it is first at the next deadline
  bool unfinished_ = false;    // effects were full before every link had its turn
  std::uint64_t foreign_messages_ = 0;
};

}  // namespace mallard::rsm::certify
