#include "rsm/machine/link_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "config/base/invariant.h"
#include "crypto/digest.h"
#include "rsm/machine/system_key.h"

namespace mallard::rsm {
namespace {

constexpr std::string_view start_domain = "mallard.link.start.1";
constexpr std::string_view message_domain = "mallard.link.message.1";
constexpr std::size_t hash_bytes = sizeof(StateDigest);
constexpr std::size_t message_at = message_domain.size() + hash_bytes + 8;
constexpr std::size_t record_head_bytes = 4 + 4 * 8 + hash_bytes;

SystemKey link_key(std::uint64_t number) { return SystemKey(SystemSpace::link, number); }

std::uint64_t number_of(std::size_t position) {
  return position < links_max ? position : (1ULL << 16U) + position - links_max;
}

StateDigest start_hash(LinkIndex link, Generation generation) {
  std::array<std::byte, start_domain.size() + 6> message{};
  ByteWriter writer(message);
  writer.write_bytes(std::as_bytes(std::span(start_domain)));
  writer.write(link.value);
  writer.write(generation.value);
  return StateDigest{crypto::digest_of(message).bytes};
}

}  // namespace

LinkTable::LinkTable(KeyForest& forest, TreeRoot& system)
    : forest_(forest),
      system_(system),
      links_(2 * links_max),
      message_(message_at + message_bytes_max),
      record_(record_head_bytes + link_filter_bytes_max),
      walk_(forest) {
  static_assert(record_head_bytes + link_filter_bytes_max <= system_value_bytes_max);
}

std::uint64_t LinkTable::units_max() {
  return 2 * links_max *
         KeyForest::units_of(SystemKey::size_bytes, record_head_bytes + link_filter_bytes_max);
}

KvStatus LinkTable::open(const LinkOpenOrder& order, CommitIndex index) {
  Link& link = at(order.link, order.direction);
  if (order.generation <= link.standing.generation) {
    return KvStatus::generation_outdated;
  }
  link.standing = LinkStanding{.generation = order.generation,
                               .opened_at = index,
                               .rolling_hash = start_hash(order.link, order.generation)};
  link.prefix_bytes = static_cast<std::uint16_t>(order.prefixes.size());
  std::ranges::copy(order.prefixes, link.prefixes.begin());
  link.cut_at = CommitIndex{};
  link.changed = true;
  changed_ = true;
  if (order.direction == LinkDirection::outbound) {
    outbound_ |= LinkSet{1} << order.link.value;
  }
  return KvStatus::ok;
}

const LinkStanding* LinkTable::find(LinkIndex link, LinkDirection direction) const {
  if (link.value >= links_max) {
    return nullptr;
  }
  const LinkStanding& standing = at(link, direction).standing;
  return standing.generation == Generation{} ? nullptr : &standing;
}

LinkSet LinkTable::takers(ByteView key) const {
  LinkSet links = 0;
  for (LinkSet left = outbound_; left != 0; left &= left - 1) {
    const auto link = static_cast<std::size_t>(std::countr_zero(left));
    links |= takes(links_[link], key) ? left & (~left + 1) : 0;
  }
  return links;
}

void LinkTable::emit(LinkSet links, const KvWrite& write, CommitIndex index, EgressSink& egress) {
  const std::size_t bytes = message_bytes(write);
  MALLARD_INVARIANT(bytes <= message_bytes_max);
  if (links != 0) {
    write_message(write, message_room());
  }
  for (; links != 0; links &= links - 1) {
    const LinkIndex index_of_link(static_cast<std::uint16_t>(std::countr_zero(links)));
    Link& link = at(index_of_link, LinkDirection::outbound);
    cut(link, bytes, index);
    count(link, bytes);
    egress.emit(LinkMessage{.link = index_of_link,
                            .generation = link.standing.generation,
                            .number = link.standing.message,
                            .batch = link.standing.batch,
                            .index = index,
                            .message = message_room().first(bytes)});
  }
}

void LinkTable::arrived(LinkIndex link, ByteView message, BatchNumber batch) {
  std::memcpy(message_room().data(), message.data(), message.size());
  Link& to = at(link, LinkDirection::inbound);
  to.standing.batch = batch;
  count(to, message.size());
}

void LinkTable::conflicted(LinkIndex link) { ++at(link, LinkDirection::inbound).standing.conflicts; }

void LinkTable::settle() {
  for (std::size_t i = 0; changed_ && i < links_.size(); ++i) {
    if (links_[i].changed) {
      write(number_of(i), links_[i]);
      links_[i].changed = false;
    }
  }
  changed_ = false;
}

bool LinkTable::reload() {
  for (Link& link : links_) {
    link.standing = LinkStanding{};
    link.changed = false;
    link.cut_at = CommitIndex{};
  }
  outbound_ = 0;
  changed_ = false;
  for (walk_.seek(system_, link_key(0).view()); walk_.leaf() != 0; walk_.next()) {
    std::array<std::byte, system_key_bytes_max> key_bytes{};
    const ByteView key = forest_.copy_key(walk_.leaf(), key_bytes);
    if (key.size() != SystemKey::size_bytes || key[0] != static_cast<std::byte>(SystemSpace::link) ||
        !read(SystemKey::number_of(key), walk_.leaf())) {
      return false;
    }
  }
  return true;
}

LinkTable::Link& LinkTable::at(LinkIndex link, LinkDirection direction) {
  return links_[link.value + (direction == LinkDirection::inbound ? links_max : 0)];
}

const LinkTable::Link& LinkTable::at(LinkIndex link, LinkDirection direction) const {
  return links_[link.value + (direction == LinkDirection::inbound ? links_max : 0)];
}

bool LinkTable::takes(const Link& link, ByteView key) {
  bool takes = link.prefix_bytes == 0;
  ByteReader prefixes(ByteView(link.prefixes).first(link.prefix_bytes));
  while (!takes && prefixes.remaining() > 0) {
    const ByteView prefix = next_prefix(prefixes);
    takes = key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
  }
  return takes;
}

void LinkTable::cut(Link& link, std::size_t bytes, CommitIndex index) {
  const auto framed = static_cast<std::uint32_t>(message_length_bytes + bytes);
  if (link.cut_at != index || link.cut_messages == batch_messages_max ||
      link.cut_bytes + framed > batch_bytes_max) {
    link.standing.batch = link.standing.batch.next();
    link.cut_at = index;
    link.cut_bytes = 0;
    link.cut_messages = 0;
  }
  link.cut_bytes += framed;
  ++link.cut_messages;
}

void LinkTable::count(Link& link, std::size_t bytes) {
  LinkStanding& standing = link.standing;
  standing.message = standing.message.next();
  ByteWriter writer(message_);
  writer.write_bytes(std::as_bytes(std::span(message_domain)));
  writer.write_bytes(std::as_bytes(std::span(standing.rolling_hash.bytes)));
  writer.write(standing.message.value);
  standing.rolling_hash.bytes = crypto::digest_of(ByteView(message_).first(message_at + bytes)).bytes;
  link.changed = true;
  changed_ = true;
}

ByteSpan LinkTable::message_room() { return ByteSpan(message_).subspan(message_at); }

void LinkTable::write(std::uint64_t number, const Link& link) {
  ByteWriter writer(record_);
  writer.write(link.standing.generation.value);
  writer.write(link.standing.opened_at.value);
  writer.write(link.standing.message.value);
  writer.write(link.standing.batch.value);
  writer.write(link.standing.conflicts);
  writer.write_bytes(std::as_bytes(std::span(link.standing.rolling_hash.bytes)));
  writer.write_bytes(ByteView(link.prefixes).first(link.prefix_bytes));
  forest_.put(system_, link_key(number).view(), ByteView(record_).first(writer.used()));
}

bool LinkTable::read(std::uint64_t number, UnitIndex leaf) {
  const std::uint64_t inbound = number >> 16U;
  const std::uint64_t index = number & 0xffffU;
  const std::size_t bytes = forest_.value_bytes(leaf);
  if (inbound > 1 || index >= links_max || bytes < record_head_bytes || bytes > record_.size()) {
    return false;
  }
  forest_.copy_value(leaf, 0, ByteSpan(record_).first(bytes));
  ByteReader reader(ByteView(record_).first(bytes));
  Link& link = links_[index + inbound * links_max];
  link.standing.generation = Generation(reader.read<std::uint32_t>());
  link.standing.opened_at = CommitIndex(reader.read<std::uint64_t>());
  link.standing.message = MessageNumber(reader.read<std::uint64_t>());
  link.standing.batch = BatchNumber(reader.read<std::uint64_t>());
  link.standing.conflicts = reader.read<std::uint64_t>();
  for (std::uint8_t& byte : link.standing.rolling_hash.bytes) {
    byte = reader.read<std::uint8_t>();
  }
  link.prefix_bytes = static_cast<std::uint16_t>(reader.remaining());
  std::ranges::copy(reader.take(reader.remaining()), link.prefixes.begin());
  outbound_ |= inbound == 0 ? LinkSet{1} << index : 0;
  return link.standing.generation != Generation{} &&
         are_prefixes(ByteView(link.prefixes).first(link.prefix_bytes));
}

}  // namespace mallard::rsm
