// The certificate policy of a gateway whose clusters may lie: what comes over a link between clusters of
// which at least one has r > 0 must carry a commit certificate of the source (design.md 4.2), which the
// threads of a verify pool check. What comes over other links is accepted, as AcceptAll does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "bridge/core/check_table.h"
#include "bridge/gateway/certificate_checker.h"
#include "config/base/fixed_vector.h"
#include "config/base/payload_pool.h"
#include "crypto/commit_certificate.h"
#include "crypto/signer_roster.h"
#include "crypto/verify_pool.h"

namespace mallard::bridge {

// What is demanded of an inbound link. A link that no policy names delivers nothing.
struct CertificatePolicy {
  LinkIndex link;
  // Not set: the link's clusters both have r = 0, and everything is accepted.
  struct Demand {
    crypto::CertifiedLink link;
    Epoch destination_epoch;
    crypto::SignerRoster roster;  // the source's; its epoch is the source epoch
  };
  std::optional<Demand> demand;
};

// Two statements of a source, each with enough signatures, that cannot both be true: more keys than it
// tolerates are in wrong hands (reliability.md E7). Either both name the same batch, or the second is the
// direct successor of the first and names another root before it, or the other way round.
struct CertificateConflict {
  crypto::BatchFact first;   // found true before
  crypto::BatchFact second;  // refused
};

class PooledChecker final : public CertificateChecker {
 public:
  // How many of a link's newest batches are remembered, to notice conflicts.
  static constexpr std::size_t facts_kept = 1024;
  // The most memory that one link takes.
  static constexpr std::size_t bytes_per_link =
      facts_kept * sizeof(std::optional<crypto::CertifiedBatch>) +
      CheckTable::checks_max * (sizeof(crypto::VerifyOrder) + 2 * sizeof(crypto::VerifyAnswer)) +
      crypto::VerifyPool::Settings{}.claims_kept * sizeof(crypto::Digest) + 8192;

  struct Counters {
    std::uint64_t accepted = 0;                                         // with a certificate
    std::array<std::uint64_t, crypto::certificate_refusals> refused{};  // by CertificateRefusal
    std::uint64_t unknown_link = 0;                                     // refused: no policy names the link
    std::uint64_t no_room = 0;                                          // refused: the pool took no more
    std::uint64_t conflicts = 0;                                        // refused, and told to on_conflict
  };
  struct Callbacks {
    std::function<void()> wake;  // from the pool's threads: poll() has something
    std::function<void(const CertificateConflict&)> on_conflict;  // from inside poll(); may be empty
  };
  // All memory is taken here. `payloads` outlives it. Throws as crypto::VerifyPool does.
  PooledChecker(const std::vector<CertificatePolicy>& policies, std::size_t threads,
                const PayloadPool& payloads, Callbacks callbacks);

  void check(const CheckCertificate& order) override;
  std::optional<CertificateChecked> poll() override;

  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Watched {
    CertificatePolicy policy;
    crypto::CertificateContext context;                        // into the policy's demand
    std::vector<std::optional<crypto::CertifiedBatch>> facts;  // facts_kept places, by batch number
  };

  [[nodiscard]] Watched* find(LinkIndex link);
  void answer_at_once(const CheckCertificate& order, bool valid);
  [[nodiscard]] bool judge(Watched& watched, const crypto::VerifyAnswer& answer);
  [[nodiscard]] static const crypto::CertifiedBatch* conflicting(const Watched& watched,
                                                                 const crypto::CertifiedBatch& batch);

  const PayloadPool& payloads_;
  Callbacks callbacks_;
  std::vector<Watched> links_;  // never changes after construction: orders point into it
  FixedVector<CertificateChecked, 2 * effects_per_step_max> at_once_;
  Counters counters_;
  std::optional<crypto::VerifyPool>
      pool_;  // where any link demands certificates; last, so that it ends first
};

}  // namespace mallard::bridge
