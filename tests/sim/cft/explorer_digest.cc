// When are two states of the explored cluster the same? Numbers of cards, looks and instants differ between
// ways to the same state; only what is compared with them counts: whether a card is newer than what was read.
#include <algorithm>

#include "config/base/uint128.h"
#include "tests/sim/cft/explorer.h"

namespace mallard::sim::cft {

using rsm::cft::card_bytes;

namespace {

constexpr std::uint64_t card_words = card_bytes / memory::word_bytes;

class Digest {
 public:
  void mix(std::uint64_t value) {
    const Uint128 product = static_cast<Uint128>(hash_ ^ value) * 0x9e3779b97f4a7c15ULL;
    hash_ = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^
            0xd1b54a32d192ed03ULL;
  }
  // But for the number of the card, and the checksum that covers it.
  void mix_card(const std::uint64_t* words) {
    for (std::uint64_t i = 1; i + 1 < card_words; ++i) mix(words[i]);
  }
  [[nodiscard]] std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 1;
};

enum class Tag : std::uint8_t { entries = 1, control, card, look, fetch, status };

}  // namespace

std::uint64_t Explorer::digest_of_memory(std::size_t owner) const {
  Digest digest;
  const auto& regions = fabric_.state().processes[owner].regions;
  const RegionState& log = regions[rsm::cft::log_region.value];
  for (const std::uint64_t word : log.words) digest.mix(word);
  digest.mix(log.grant);
  digest.mix(log.holder.value);
  digest.mix(log.pending.active ? log.pending.writer.value + 1ULL : 0);
  const std::uint64_t* status = regions[rsm::cft::status_region.value].words.data();
  digest.mix_card(status);
  const std::uint64_t* mail = regions[rsm::cft::mail_region.value].words.data();
  for (std::uint16_t i = 0; i < hosts_.size(); ++i) {
    if (i == owner) continue;
    const rsm::cft::Peer& sender = hosts_[owner]->core().peer(memory::ProcessIndex(i));
    const std::uint64_t* card = mail + i * card_words;
    const bool unread = card[0] != sender.mail_beat;
    digest.mix(unread ? 1 : 0);
    if (unread) {
      digest.mix_card(card);
      digest.mix(card[0] > sender.card.beat ? 1 : 0);
    }
    // What a look of the other would find.
    const rsm::cft::Peer& seen =
        hosts_[i]->core().peer(memory::ProcessIndex(static_cast<std::uint16_t>(owner)));
    digest.mix((status[0] != seen.look_beat ? 2U : 0U) | (status[0] > seen.card.beat ? 1U : 0U));
  }
  return digest.value();
}

std::uint64_t Explorer::digest_of_link(std::size_t from, std::size_t to) const {
  Digest digest;
  const LinkState& link = fabric_.state().links[from * hosts_.size() + to];
  const rsm::cft::Peer& peer =
      hosts_[from]->core().peer(memory::ProcessIndex(static_cast<std::uint16_t>(to)));
  const auto mix_flight = [&](const SimFlight& flight) {
    const memory::Work& work = flight.work;
    const Tag tag = static_cast<Tag>(work.id.value >> 60);
    digest.mix(static_cast<std::uint64_t>(tag) << 48 | static_cast<std::uint64_t>(flight.phase) << 40 |
               static_cast<std::uint64_t>(flight.status) << 32 | flight.done << 16 | flight.end);
    digest.mix(flight.done > 0 && flight.done < flight.total ? flight.order.front() : 0);
    digest.mix(tag == Tag::look ? 0 : work.id.value & 0xffff'ffff'ffffULL);
    digest.mix((work.id.value >> 48 & 0xfffU) == (peer.generation & 0xfffU) ? 1 : 0);
    digest.mix(work.offset);
    digest.mix(work.grant.value);
    if (tag == Tag::card || tag == Tag::status) {
      digest.mix_card(flight.has_source ? flight.words.data()
                                        : reinterpret_cast<const std::uint64_t*>(work.source.data()));
    } else if (tag == Tag::look) {
      digest.mix(flight.phase >= SimFlight::Phase::settled && !flight.words.empty()
                     ? (flight.words[0] != peer.look_beat ? 2U : 0U) |
                           (flight.words[0] > peer.card.beat ? 1U : 0U)
                     : 0U);
      if (flight.phase >= SimFlight::Phase::settled && !flight.words.empty())
        digest.mix_card(flight.words.data());
    } else if (flight.has_source || tag == Tag::fetch) {
      for (std::uint32_t i = 0; i < flight.total && i < flight.words.size(); ++i) digest.mix(flight.words[i]);
    }
  };
  digest.mix(static_cast<std::uint64_t>(link.condition) << 2 | (link.broken ? 2U : 0U) |
             (link.in_vain ? 1U : 0U));
  digest.mix(link.count);
  for (std::size_t i = 0; i < link.count; ++i) mix_flight(link.queue[(link.head + i) % link.queue.size()]);
  for (const SimFlight& ghost : link.ghosts) {
    if (ghost.phase < SimFlight::Phase::settled) mix_flight(ghost);
  }
  return digest.value();
}

std::uint64_t Explorer::digest() const {
  Digest digest;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    digest.mix(known_[i]);
    digest.mix(digest_of_memory(i));
    for (std::size_t to = 0; to < hosts_.size(); ++to) digest.mix(digest_of_link(i, to));
  }
  digest.mix(judge_.fingerprint());
  digest.mix(std::uint64_t{failed_works_} << 16 | suspected_);
  return digest.value();
}

}  // namespace mallard::sim::cft
