#include "bridge/gateway/pooled_checker.h"

#include <algorithm>
#include <utility>

#include "config/base/invariant.h"

namespace mallard::bridge {
namespace {

std::uint64_t ticket_of(LinkIndex link, std::uint32_t check) {
  return std::uint64_t{link.value} << 32U | check;
}
LinkIndex link_of(std::uint64_t ticket) { return LinkIndex(static_cast<std::uint16_t>(ticket >> 32U)); }
std::uint32_t check_of(std::uint64_t ticket) { return static_cast<std::uint32_t>(ticket); }

std::size_t place_of(std::uint64_t batch) { return batch % PooledChecker::facts_kept; }

}  // namespace

PooledChecker::PooledChecker(const std::vector<CertificatePolicy>& policies, std::size_t threads,
                             const PayloadPool& payloads, Callbacks callbacks)
    : payloads_(payloads), callbacks_(std::move(callbacks)) {
  links_.reserve(policies.size());
  std::size_t demanding = 0;
  for (const CertificatePolicy& policy : policies) {
    Watched& watched = links_.emplace_back(Watched{.policy = policy, .context = {}, .facts = {}});
    if (const auto& demand = watched.policy.demand) {
      ++demanding;
      watched.context = {.link = demand->link,
                         .source_epoch = demand->roster.epoch(),
                         .destination_epoch = demand->destination_epoch,
                         .roster = &demand->roster};
      watched.facts.resize(facts_kept);
    }
  }
  if (demanding > 0) {
    pool_.emplace(
        crypto::VerifyPool::Settings{.orders_max = demanding * CheckTable::checks_max, .threads = threads},
        callbacks_.wake);
  }
}

PooledChecker::Watched* PooledChecker::find(LinkIndex link) {
  const auto found =
      std::ranges::find_if(links_, [link](const Watched& watched) { return watched.policy.link == link; });
  return found != links_.end() ? &*found : nullptr;
}

void PooledChecker::answer_at_once(const CheckCertificate& order, bool valid) {
  at_once_.push_back({.link = order.link, .check = order.check, .valid = valid});
}

void PooledChecker::check(const CheckCertificate& order) {
  const Watched* const watched = find(order.link);
  if (watched == nullptr) {
    ++counters_.unknown_link;
    answer_at_once(order, false);
    return;
  }
  if (!watched->policy.demand) {
    answer_at_once(order, true);
    return;
  }
  const ByteView payload = payloads_.view(order.payload);
  if (order.proof_bytes >= payload.size()) {
    ++counters_.refused[static_cast<std::size_t>(crypto::CertificateRefusal::malformed)];
    answer_at_once(order, false);
    return;
  }
  const bool taken = pool_->submit(
      {.ticket = ticket_of(order.link, order.check),
       .context = &watched->context,
       .range = {.batch = order.header.batch, .first = order.header.first, .count = order.header.count},
       .messages = payload.first(payload.size() - order.proof_bytes),
       .proof = payload.last(order.proof_bytes)});
  if (!taken) {
    ++counters_.no_room;
    answer_at_once(order, false);
  }
}

std::optional<CertificateChecked> PooledChecker::poll() {
  if (!at_once_.empty()) {
    const CertificateChecked answer = at_once_.back();
    at_once_.pop_back();
    return answer;
  }
  const auto answer = pool_ ? pool_->poll() : std::nullopt;
  if (!answer) {
    return std::nullopt;
  }
  const LinkIndex link = link_of(answer->ticket);
  Watched* const watched = find(link);
  MALLARD_INVARIANT(watched != nullptr);
  return CertificateChecked{
      .link = link, .check = check_of(answer->ticket), .valid = judge(*watched, *answer)};
}

bool PooledChecker::judge(Watched& watched, const crypto::VerifyAnswer& answer) {
  if (!answer.verdict) {
    ++counters_.refused[static_cast<std::size_t>(answer.verdict.error())];
    return false;
  }
  const crypto::CertifiedBatch& batch = *answer.verdict;
  if (const crypto::CertifiedBatch* const other = conflicting(watched, batch)) {
    ++counters_.conflicts;
    if (callbacks_.on_conflict) {
      callbacks_.on_conflict({.first = other->fact(), .second = batch.fact()});
    }
    return false;
  }
  auto& place = watched.facts[place_of(batch.fact().range.batch.value)];
  if (!place || place->fact().range.batch < batch.fact().range.batch) {
    place = batch;
  }
  ++counters_.accepted;
  return true;
}

const crypto::CertifiedBatch* PooledChecker::conflicting(const Watched& watched,
                                                         const crypto::CertifiedBatch& batch) {
  const std::uint64_t number = batch.fact().range.batch.value;
  const auto known = [&watched](std::uint64_t wanted) -> const crypto::CertifiedBatch* {
    const auto& place = watched.facts[place_of(wanted)];
    return place && place->fact().range.batch.value == wanted ? &*place : nullptr;
  };
  if (const auto* same = known(number); same != nullptr && same->root() != batch.root()) {
    return same;
  }
  if (const auto* before = known(number - 1); before != nullptr && !batch.continues(before->root())) {
    return before;
  }
  if (const auto* after = known(number + 1); after != nullptr && !after->continues(batch.root())) {
    return after;
  }
  return nullptr;
}

}  // namespace mallard::bridge
