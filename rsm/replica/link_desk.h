// What the gateway beside this replica asks and is told: taps on outbound links, batches to apply on inbound
// ones. It keeps nothing that is not in the log or asked again by a gateway that comes anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/payload_pool.h"
#include "config/base/zeroed_array.h"
#include "config/contract/machine.h"
#include "rsm/replica/door_port.h"
#include "rsm/replica/egress_log.h"
#include "rsm/replica/engine.h"

namespace mallard::rsm {

// A link of the pairing. Whoever leads and finds that the state has never heard of it opens its first
// generation.
struct LinkOpening {
  LinkIndex link;
  LinkDirection direction = LinkDirection::outbound;
  std::vector<std::string> prefixes;  // outbound: keys that go over it; none: all
};

struct LinkDeskSettings {
  EgressLogSettings egress;  // egress.links: of the whole pairing, by LinkIndex
  std::vector<LinkOpening> openings;
};

struct LinkDeskCounters {
  std::uint64_t batches_sent = 0;
  std::uint64_t applies_proposed = 0;  // again after each change of leaders
  std::uint64_t applies_refused = 0;   // the machine had no room; they are proposed again
  std::uint64_t applies_fenced = 0;    // of an older fence than the machine's; they are forgotten
  std::uint64_t gateways_cut_off = 0;
};

class LinkDesk {
 public:
  // All outlive the desk. All memory is allocated here.
  struct Ports {
    Machine& machine;
    PayloadPool& pool;
    DoorPort& door;
  };
  LinkDesk(const LinkDeskSettings& settings, const Ports& ports);

  // Takes what executed commands emit.
  [[nodiscard]] EgressSink& egress() { return egress_; }

  // From the gateway; takes over one reference to the message's body. Returns whether a batch to apply came.
  bool on_message(transport::door::DoorConnection from, const transport::door::DoorMessage& message);
  // The gateway has gone: its taps end, and what it ordered is forgotten.
  void on_closed(transport::door::DoorConnection from);

  // What was proposed beyond `after` may be lost: it is proposed again.
  void on_deposed(CommitIndex after);
  // Opens links and orders what waits, where this replica leads. Returns whether there was anything to do.
  bool propose(Engine& engine, Instant now);
  // Tells the gateway what has moved and sends batches as far as its credit and the queue reach.
  bool tell_gateway();

  [[nodiscard]] const EgressLog& bodies() const { return egress_; }
  // For what comes from a snapshot.
  [[nodiscard]] EgressLog& bodies() { return egress_; }
  [[nodiscard]] const LinkDeskCounters& counters() const { return counters_; }

 private:
  struct Tap {
    bool open = false;
    std::uint32_t serial = 0;
    std::uint64_t credit = 0;
    BatchNumber next;
  };
  struct Order {
    transport::door::Apply apply;
    std::optional<CommitIndex> placed;  // in own log, in this reign
  };
  struct Opening {
    LinkOpening of;
    std::optional<CommitIndex> placed;  // in own log, in this reign
  };
  struct Line {
    Tap tap;
    EgressExtent told_extent;
    LinkStanding told_inbound;
    std::vector<Order> orders;  // by batch number, rising; at most door::applies_ahead_max
    BatchNumber refused;        // that the machine refused last; 0: none that still waits
    Instant again_at;           // when it is proposed again
  };

  void attach(transport::door::DoorConnection from);
  // Tells where the link stands; false if it was never opened.
  bool announce(LinkIndex link, LinkDirection direction);
  bool take(transport::door::DoorConnection from, const transport::door::Apply& apply);
  bool open_links(Engine& engine, Instant now);
  void drop_applied(Line& line, const LinkStanding& standing);
  void reconsider(LinkIndex link, Line& line, Instant now);
  void drop_orders(Line& line, std::size_t count);
  // The command of an order; valid until the next call.
  [[nodiscard]] ByteView command_of(const transport::door::Apply& apply);
  bool send_batches(LinkIndex link, Line& line);
  bool tell_extent(LinkIndex link, Line& line);
  bool tell_applied(LinkIndex link, Line& line);
  bool tell_fence();
  [[nodiscard]] EgressExtent extent_of(LinkIndex link) const;

  Ports ports_;
  EgressLog egress_;
  std::vector<Line> lines_;
  std::vector<Opening> openings_;
  ZeroedArray<std::byte> command_;  // room for one
  std::optional<transport::door::DoorConnection> gateway_;
  Fence told_fence_;
  CommitIndex told_at_;      // what was executed until here was told
  bool tell_again_ = false;  // a link may have moved otherwise, or the door did not take what was to be told
  LinkDeskCounters counters_;
};

}  // namespace mallard::rsm
