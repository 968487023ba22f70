#include "tests/bridge/core/core_exchange.h"

#include <algorithm>
#include <array>

#include "bridge/wire/frame_codec.h"
#include "config/base/invariant.h"
#include "transport/driver/core_driver.h"

namespace mallard::bridge {

namespace {

constexpr ClusterIndex east{0};
constexpr ClusterIndex west{1};
constexpr LinkIndex link{0};
constexpr std::uint64_t batches_per_turn = 16;
constexpr std::size_t letters_max = 1024;

BridgeSettings settings_of(const ExchangeOptions& options, ReplicaAddress self) {
  BridgeSettings settings;
  settings.self = self;
  settings.seed = options.seed + 100U * self.cluster.value + self.replica.value;
  for (const ClusterIndex cluster : {east, west}) {
    ClusterView view{.cluster = cluster};
    for (std::size_t i = 0; i < options.replicas; ++i) {
      view.weights.push_back(i == 0 ? options.whale : 1);
    }
    view.u = (view.total() - 1) / 3;
    view.r = view.u;
    settings.clusters.push_back(view);
  }
  settings.links.push_back({.link = link,
                            .from = east,
                            .to = west,
                            .window_messages = options.window_messages,
                            .cursor = BatchNumber(options.start),
                            .cursor_message = MessageNumber(options.start)});
  return settings;
}

}  // namespace

// A frame on its way: as bytes, or as it is, and then `bytes` holds its phi-lists.
struct CoreExchange::Letter {
  ReplicaAddress from;
  PayloadRef body;
  std::size_t used = 0;
  Frame frame;
  std::array<std::byte, wire::frame_head_bytes_max> bytes{};
};

struct CoreExchange::Inbox {
  std::vector<Letter> letters{letters_max};
  std::size_t size = 0;
};

// What stands around one core: a network that is a row of inboxes, certificates that are all good, an RSM
// that applies at once and tells so once a turn.
struct CoreExchange::Shell {
  CoreExchange& exchange;
  ReplicaAddress self;
  const BridgeCore* core = nullptr;
  Inbox inbox;
  Prng random;
  std::array<CertificateChecked, 256> checks{};
  std::size_t checks_size = 0;
  bool tapped = false;
  std::uint64_t applied;  // batches
  std::uint64_t applied_message;
  std::uint64_t applied_wrongly = 0;
  std::int64_t references = 0;  // that the core owns
  Traffic traffic;

  Shell(CoreExchange& its_exchange, ReplicaAddress address)
      : exchange(its_exchange),
        self(address),
        random(Prng(its_exchange.options_.seed)
                   .child("loss", address.cluster.value * 64U + address.replica.value)),
        applied(its_exchange.options_.start),
        applied_message(applied) {}

  void carry_out(const Effect& effect, Instant /*now*/) {
    std::visit([this](const auto& order) { carry_out(order); }, effect);
  }
  bool next_event(Event& event) {
    if (checks_size == 0) return false;
    event = checks[--checks_size];
    return true;
  }

  void carry_out(const SendFrame& frame) {
    const bool between = frame.to.cluster != self.cluster;
    ++(between ? traffic.frames_between : traffic.frames_inside);
    if (between && frame.has_batch) {
      ++traffic.copies;
      traffic.resends += frame.batch.round > 0 || frame.batch.attempt > 0 ? 1U : 0U;
    }
    if (between && random.one_in_million(exchange.options_.loss_in_million)) {
      traffic.batches_lost += frame.has_batch ? 1U : 0U;
      return;
    }
    Shell& receiver = exchange.shell_of(frame.to);
    if (receiver.inbox.size == letters_max) {
      ++traffic.without_room;
      return;
    }
    Letter& letter = receiver.inbox.letters[receiver.inbox.size++];
    letter.from = self;
    letter.body = frame.has_batch ? frame.batch.payload : PayloadRef{};
    receiver.references += frame.has_batch ? 1 : 0;
    if (exchange.options_.codec) {
      letter.used = wire::encode_head(frame, *core, letter.bytes);
    } else {
      copy_frame(frame, letter);
    }
  }
  void carry_out(const StartTap& order) {
    tapped = true;
    MALLARD_INVARIANT(order.after.value == exchange.options_.start);
  }
  void carry_out(const CheckCertificate& order) {
    MALLARD_INVARIANT(checks_size < checks.size());
    checks[checks_size++] = {order.link, order.check, true};
  }
  void carry_out(const Apply& order) {
    const bool continues =
        order.header.batch.value == applied + 1 && order.header.first.value == applied_message + 1;
    applied_wrongly += continues ? 0U : 1U;
    applied = order.header.batch.value;
    applied_message = order.header.last().value;
  }
  void carry_out(const LoadBatch& order) { MALLARD_INVARIANT(order.batch.value == 0); }
  void carry_out(const Quacked&) {}
  void carry_out(const Release&) { --references; }
  void carry_out(const ClosePeer& order) { MALLARD_INVARIANT(order.reason == nullptr); }

  void copy_frame(const SendFrame& from, Letter& letter) const {
    Frame& to = letter.frame;
    static_cast<FrameHead&>(to) = from;
    to.positions.clear();
    for (const LinkIndex its_link : from.positions) to.positions.push_back(core->position_of(its_link));
    to.acks.clear();
    ByteWriter phi(letter.bytes);
    for (const LinkIndex its_link : from.acks) {
      const AckReport& report = core->ack_of(its_link);
      const std::size_t begin = phi.used();
      for (std::size_t i = 0; i < report.phi_words; ++i) phi.write(report.phi[i]);
      to.acks.push_back({report.context, report.prefix, report.durable,
                         PhiList(ByteView(letter.bytes).subspan(begin, phi.used() - begin))});
    }
  }
};

struct CoreExchange::Node {
  Shell shell;
  transport::CoreDriver<BridgeCore, Shell> driver;

  Node(CoreExchange& exchange, ReplicaAddress self)
      : shell(exchange, self), driver(shell, settings_of(exchange.options_, self)) {
    shell.core = &driver.core();
  }

  void read(Instant now, bool codec) {
    for (std::size_t i = 0; i < shell.inbox.size; ++i) {
      Letter& letter = shell.inbox.letters[i];
      if (codec) {
        const auto frame = wire::decode_head(ByteView(letter.bytes).first(letter.used), letter.body);
        MALLARD_INVARIANT(frame.has_value());
        driver.step(FrameArrived{.from = letter.from, .frame = *frame}, now);
      } else {
        driver.step(FrameArrived{.from = letter.from, .frame = letter.frame}, now);
      }
    }
    shell.inbox.size = 0;
    const InboundLink* inbound = driver.core().inbound(link);
    if (inbound != nullptr && shell.applied > inbound->cursor().value) {
      driver.step(Applied{link, BatchNumber(shell.applied), MessageNumber(shell.applied_message)}, now);
    }
  }
  // The next batches of the log that all replicas of the source share, as far as this one accepts them.
  void commit_up_to(std::uint64_t newest, const ExchangeOptions& options, Instant now) {
    const std::uint32_t bytes = options.messages_per_batch * options.message_bytes;
    std::uint64_t admitted = driver.core().outbound(link)->admitted().value;
    while (shell.tapped && admitted < newest && driver.core().accepts_commit(link)) {
      ++shell.references;
      ++admitted;
      driver.step(
          BatchCommitted{
              .link = link,
              .header = {BatchNumber(admitted),
                         MessageNumber(options.start +
                                       (admitted - 1 - options.start) * options.messages_per_batch + 1),
                         options.messages_per_batch},
              .payload = {1, bytes}},
          now);
    }
  }
  void serve_deadlines(Instant now) {
    while (driver.run_deadline(now)) {
    }
  }
};

CoreExchange::CoreExchange(const ExchangeOptions& options) : options_(options), committed_(options.start) {
  for (const ClusterIndex cluster : {east, west}) {
    for (std::size_t i = 0; i < options.replicas; ++i) {
      nodes_.push_back(std::make_unique<Node>(
          *this, ReplicaAddress{cluster, ReplicaIndex(static_cast<std::uint16_t>(i))}));
    }
  }
  for (const auto& node : nodes_) {
    if (node->shell.self.cluster == east) {
      node->driver.step(
          LogExtent{link, BatchNumber(1), BatchNumber(options.start), MessageNumber(options.start)}, now_);
    }
    for (const Peer& peer : node->driver.core().peers().all()) {
      node->driver.step(PeerUp{peer.address}, now_);
    }
  }
}

CoreExchange::~CoreExchange() = default;

CoreExchange::Shell& CoreExchange::shell_of(ReplicaAddress address) {
  return nodes_[address.cluster.value * options_.replicas + address.replica.value]->shell;
}

void CoreExchange::turn(bool commit) {
  const std::uint64_t newest = committed_ + (commit ? batches_per_turn : 0);
  bool admitted_everywhere = true;
  for (const auto& node : nodes_) {
    node->read(now_, options_.codec);
    if (node->shell.self.cluster == east) {
      node->commit_up_to(newest, options_, now_);
      admitted_everywhere &= node->driver.core().outbound(link)->admitted().value >= newest;
    }
    node->serve_deadlines(now_);
  }
  committed_ = admitted_everywhere ? newest : committed_;
  now_ =
      now_ + options_.per_message * static_cast<std::int64_t>(batches_per_turn * options_.messages_per_batch);
}

bool CoreExchange::run_until(std::uint64_t batches) {
  const std::uint64_t turns_max = 1'000'000 + 100 * (batches - options_.start);
  for (std::uint64_t i = 0; i < turns_max; ++i) {
    if (applied() >= batches && quacked() >= batches) return true;
    turn(true);
  }
  return false;
}

bool CoreExchange::drain() {
  for (int i = 0; i < 1'000'000 && (applied() < committed_ || quacked() < committed_); ++i) turn(false);
  for (const auto& node : nodes_) {
    for (const Peer& peer : node->driver.core().peers().all()) {
      node->driver.step(PeerDown{peer.address}, now_);
    }
    const std::uint64_t next = node->shell.applied + 1;  // no peer is left to keep anything for
    const std::uint64_t message = node->shell.applied_message + 1;
    if (node->shell.self.cluster == west) {
      node->driver.step(Applied{link, BatchNumber(next), MessageNumber(message)}, now_);
    }
    node->serve_deadlines(now_);
  }
  return applied() >= committed_ && quacked() >= committed_;
}

std::uint64_t CoreExchange::applied() const {
  std::uint64_t least = UINT64_MAX;
  for (const auto& node : nodes_) {
    const InboundLink* inbound = node->driver.core().inbound(link);
    least = inbound == nullptr ? least : std::min(least, inbound->cursor().value);
  }
  return least;
}

std::uint64_t CoreExchange::quacked() const {
  std::uint64_t least = UINT64_MAX;
  for (const auto& node : nodes_) {
    const OutboundLink* outbound = node->driver.core().outbound(link);
    least = outbound == nullptr ? least : std::min(least, outbound->quacked().value);
  }
  return least;
}

Traffic CoreExchange::traffic() const {
  Traffic sum;
  for (const auto& node : nodes_) {
    const Traffic& its = node->shell.traffic;
    sum.copies += its.copies;
    sum.resends += its.resends;
    sum.batches_lost += its.batches_lost;
    sum.frames_between += its.frames_between;
    sum.frames_inside += its.frames_inside;
    sum.without_room += its.without_room;
  }
  return sum;
}

std::int64_t CoreExchange::references_owned() const {
  std::int64_t sum = 0;
  for (const auto& node : nodes_) sum += node->shell.references;
  return sum;
}

std::uint64_t CoreExchange::applied_wrongly() const {
  std::uint64_t sum = 0;
  for (const auto& node : nodes_) sum += node->shell.applied_wrongly;
  return sum;
}

}  // namespace mallard::bridge
