// Where the state stands on every link. Outbound: which keys go over it, and the number of the last message.
// Inbound: the cursor, which moves only together with what is applied, so that it cannot be applied twice.
//
// A gateway sees: of an outbound link, its messages with k' from 1 on as the log is executed (EgressSink),
// the same on every replica and after every restart; of an inbound link, that an Apply which is not the next
// one, or of another generation or fence, changes nothing.
//
// They are part of the state: entries of the system tree, key 3, u64 (inbound: 2^16) + link, value u32
// generation, u64 opened at, u64 k', u64 batch, u64 conflicts, 32 bytes rolling hash, prefixes. The numbers
// change with every entry: they are written there only when somebody looks (settle()).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/base/limits.h"
#include "config/contract/machine.h"
#include "rsm/machine/key_forest.h"
#include "rsm/machine/kv_limits.h"
#include "rsm/machine/kv_reply.h"
#include "rsm/machine/link_command.h"

namespace mallard::rsm {

// A set of links: bit i is link i.
using LinkSet = std::uint64_t;
static_assert(links_max <= 64);

class LinkTable {
 public:
  // The system tree of the live version; both outlive the table.
  LinkTable(KeyForest& forest, TreeRoot& system);

  // ok or generation_outdated.
  KvStatus open(const LinkOpenOrder& order, CommitIndex index);

  // Where the link stands; null if it was never opened in this direction.
  [[nodiscard]] const LinkStanding* find(LinkIndex link, LinkDirection direction) const;

  // The outbound links that the key goes over.
  [[nodiscard]] LinkSet takers(ByteView key) const;
  // Gives the write, which was executed at `index` and whose message fits message_bytes_max, its number on
  // each link.
  void emit(LinkSet links, const KvWrite& write, CommitIndex index, EgressSink& egress);

  // The next message of an inbound link that is open; the batch it is of.
  void arrived(LinkIndex link, ByteView message, BatchNumber batch);
  void conflicted(LinkIndex link);

  // Writes what changed into the system tree.
  void settle();
  // Forgets everything and reads what the tree holds, which came from elsewhere. False if it is not what a
  // table writes.
  [[nodiscard]] bool reload();

  // What links can take of the pool.
  [[nodiscard]] static std::uint64_t units_max();

 private:
  struct Link {
    LinkStanding standing;  // generation 0: never opened
    std::uint16_t prefix_bytes = 0;
    std::array<std::byte, link_filter_bytes_max> prefixes{};
    bool changed = false;
    // Of the batch that is being cut.
    CommitIndex cut_at;
    std::uint32_t cut_bytes = 0;
    std::uint16_t cut_messages = 0;
  };

  [[nodiscard]] Link& at(LinkIndex link, LinkDirection direction);
  [[nodiscard]] const Link& at(LinkIndex link, LinkDirection direction) const;
  [[nodiscard]] static bool takes(const Link& link, ByteView key);
  // Cuts batches as every attachment does: within one entry, batch_bytes_max, batch_messages_max.
  static void cut(Link& link, std::size_t bytes, CommitIndex index);
  // The next message of the link lies in message_; counts it and goes on with the rolling hash.
  void count(Link& link, std::size_t bytes);
  [[nodiscard]] ByteSpan message_room();
  void write(std::uint64_t number, const Link& link);
  [[nodiscard]] bool read(std::uint64_t number, UnitIndex leaf);

  KeyForest& forest_;
  TreeRoot& system_;
  std::vector<Link> links_;  // outbound ones, then inbound ones
  LinkSet outbound_ = 0;     // open ones
  bool changed_ = false;
  std::vector<std::byte> message_;  // one message, with what its hash is made of in front
  std::vector<std::byte> record_;
  TreeWalk walk_;
};

}  // namespace mallard::rsm
