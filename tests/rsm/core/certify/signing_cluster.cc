#include "tests/rsm/core/certify/signing_cluster.h"

#include <array>
#include <cstring>
#include <utility>

namespace mallard::rsm::certify {

namespace {

crypto::Digest digest_of_numbers(std::span<const std::uint64_t> numbers) {
  return crypto::digest_of(std::as_bytes(numbers));
}

std::vector<crypto::KeyPair> make_keys(std::size_t count) {
  std::vector<crypto::KeyPair> keys;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<std::byte, crypto::seed_bytes> seed{};
    seed[0] = static_cast<std::byte>(i + 1);
    keys.push_back(crypto::KeyPair::from_seed(seed));
  }
  return keys;
}

crypto::SignerRoster make_roster(std::span<const crypto::KeyPair> keys, std::span<const Weight> weights,
                                 const crypto::RosterHead& head) {
  std::vector<crypto::Signer> members;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    members.push_back({keys[i].public_key(), weights[i]});
  }
  return crypto::SignerRoster::make(head, members).value();
}

}  // namespace

DecidedChain::DecidedChain(const crypto::CertifiedLink& link, std::uint64_t fork, BatchNumber fork_from)
    : link_(link), fork_(fork), fork_from_(fork_from), facts_(1), roots_{crypto::chain_start(link)} {}

void DecidedChain::grow(BatchNumber batch) {
  while (facts_.size() <= batch.value) {
    const std::uint64_t number = facts_.size();
    const std::array<std::uint64_t, 2> content{number, number >= fork_from_.value ? fork_ : 0};
    facts_.push_back({.link = link_,
                      .range = {BatchNumber(number), MessageNumber(number * 3 - 2), 3},
                      .previous = roots_.back(),
                      .payload = digest_of_numbers(content)});
    roots_.push_back(crypto::root_of(facts_.back()));
  }
}

const crypto::BatchFact& DecidedChain::fact(BatchNumber batch) {
  grow(batch);
  return facts_[batch.value];
}

const crypto::Digest& DecidedChain::root(BatchNumber batch) {
  grow(batch);
  return roots_[batch.value];
}

SigningCluster::SigningCluster(std::span<const Weight> weights, Weight u, Weight r, Epoch epoch)
    : keys_(make_keys(weights.size())),
      roster_(make_roster(keys_, weights, {.cluster = ClusterIndex(0), .epoch = epoch, .u = u, .r = r})) {}

crypto::CertifiedLink SigningCluster::link(LinkIndex link, Generation generation) {
  return {.names = crypto::names_digest("east", "west", "east-west"),
          .source = ClusterIndex(0),
          .destination = ClusterIndex(1),
          .link = link,
          .generation = generation};
}

crypto::CommitStatement SigningCluster::statement(const crypto::BatchFact& fact) const {
  return {.fact = fact,
          .source_epoch = roster_.epoch(),
          .destination_epoch = destination_epoch,
          .roster = roster_.digest()};
}

crypto::Signature SigningCluster::sign(ReplicaIndex by, const crypto::CommitStatement& statement) const {
  return crypto::sign(keys_[by.value], crypto::canonical_bytes(statement));
}

crypto::Signature SigningCluster::mark(ReplicaIndex by, const crypto::CommitStatement& statement) {
  std::array<std::byte, crypto::statement_bytes + 1> signed_bytes{};
  const crypto::StatementBytes bytes = crypto::canonical_bytes(statement);
  std::memcpy(signed_bytes.data(), bytes.data(), bytes.size());
  signed_bytes.back() = static_cast<std::byte>(by.value + 1);
  const crypto::Digest digest = crypto::digest_of(signed_bytes);
  crypto::Signature signature;
  std::memcpy(signature.bytes.data(), digest.bytes.data(), digest.bytes.size());
  return signature;
}

Share SigningCluster::share(ReplicaIndex by, const crypto::BatchFact& fact) const {
  return {fact.range.batch, crypto::root_of(fact), mark(by, statement(fact))};
}

}  // namespace mallard::rsm::certify
