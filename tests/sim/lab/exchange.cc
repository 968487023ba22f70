#include "tests/sim/lab/exchange.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <queue>
#include <utility>

#include "config/base/invariant.h"
#include "tests/sim/lab/participant.h"
#include "tests/sim/lab/server.h"
#include "tests/sim/lab/tally.h"

namespace mallard::lab {

namespace {

// Beyond these a run is cut off.
constexpr std::uint64_t events_max = 400'000'000;
constexpr std::uint64_t batches_max = 4'000'000;
// After crashes, the measurement waits for what they brought about to be over.
constexpr Duration settling = Duration::seconds(1);
// A calibration run: so many batches, with events of some cost.
constexpr std::uint64_t calibration_batches = 400;
constexpr double calibration_event_ns = 1'000;

enum class Happening : std::uint8_t {
  served,     // a: server, b: parcel
  reaches,    // b: parcel, at the receiver's NIC
  turn_ends,  // a: node
  wakes,      // a: node
  crashes,
  noticed
};

struct Event {
  Instant at;
  std::uint64_t order = 0;
  Happening what = Happening::wakes;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};

struct Later {
  bool operator()(const Event& x, const Event& y) const {
    return x.at != y.at ? x.at > y.at : x.order > y.order;
  }
};

struct Node {
  std::unique_ptr<Participant> participant;
  Turn turn;
  std::deque<std::uint32_t> inbox;
  std::deque<NodeId> downs;  // channels whose end it has not been told yet
  bool busy = false;
  bool crashed = false;
  Instant wakes_at = Instant::never();

  Node(ParcelPool& parcels, NodeId id) : turn(parcels, id) {}
};

// What a step of the core took, and how many events it was.
struct Sample {
  std::int64_t ns = 0;
  std::uint32_t events = 0;
};

class Exchange {
 public:
  Exchange(const RunShape& shape, double event_ns);

  RunFigures run();
  void keep_samples() { keeps_samples_ = true; }
  [[nodiscard]] std::vector<Sample>& samples() { return samples_; }

 private:
  [[nodiscard]] bool in_source(std::size_t node) const { return node < shape_.from; }
  [[nodiscard]] bool between(const Parcel& parcel) const {
    return in_source(parcel.from) != in_source(parcel.to);
  }
  [[nodiscard]] std::size_t egress(std::size_t node) const { return node; }
  [[nodiscard]] std::size_t ingress(std::size_t node) const { return nodes_.size() + node; }
  [[nodiscard]] std::size_t way(const Parcel& parcel) const {
    return 2 * nodes_.size() + std::size_t{parcel.from} * nodes_.size() + parcel.to;
  }

  void schedule(Duration after, Event event);
  void serve(std::size_t server);
  void served(std::size_t server, std::uint32_t index);
  void reach(std::uint32_t index);
  void pump(NodeId id);
  bool step(Node& node);
  void end_turn(NodeId id);
  void post(std::uint32_t index);
  void delivered(NodeId id, std::uint64_t batch);
  void advance_flow();
  void close(NodeId a, NodeId b);
  void crash();
  void notice();
  void happen(const Event& event);
  [[nodiscard]] RunFigures figures();

  const RunShape shape_;
  double event_ns_;
  std::uint64_t window_;  // batches
  Tally tally_;
  ParcelPool parcels_;
  Flow flow_;
  std::vector<Node> nodes_;
  std::vector<Server> servers_;
  std::vector<bool> closed_;  // by pair
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::uint64_t order_ = 0;
  Instant now_;
  bool crashed_ = false;
  std::uint64_t frames_ = 0;
  std::uint64_t closed_channels_ = 0;
  bool keeps_samples_ = false;
  std::vector<Sample> samples_;
};

Exchange::Exchange(const RunShape& shape, double event_ns)
    : shape_(shape),
      event_ns_(event_ns * shape.cpu_factor),
      window_(window_batches(shape_, event_ns_)),
      tally_(shape_, window_) {
  const std::size_t n = shape_.from + shape_.to;
  flow_.admit_up_to = window_;
  nodes_.reserve(n);
  for (NodeId id = 0; id < n; ++id) {
    nodes_.emplace_back(parcels_, id);
    nodes_.back().participant = make_participant({.shape = shape_,
                                                  .self = id,
                                                  .window_batches = window_,
                                                  .rto_min = rto_min(shape_, event_ns_),
                                                  .flow = flow_});
  }
  const double nic = shape_.network->nic_bits_per_second;
  for (std::size_t i = 0; i < n; ++i) {
    servers_.emplace_back(nic, n);
  }
  for (std::size_t i = 0; i < n; ++i) {
    servers_.emplace_back(nic, 1);
  }
  if (shape_.network->pair_bits_per_second > 0) {
    servers_.resize(2 * n + n * n, Server(shape_.network->pair_bits_per_second, 1));
  }
  closed_.resize(n * n);
}

void Exchange::schedule(Duration after, Event event) {
  event.at = now_ + after;
  event.order = order_++;
  events_.push(event);
}

// ---- The network

void Exchange::post(std::uint32_t index) {
  const Parcel& parcel = parcels_[index];
  ++frames_;
  if (parcel.batch != 0 && between(parcel)) {
    tally_.crossed(parcel);
  }
  servers_[egress(parcel.from)].add(index, parcel.control, parcel.to);
  serve(egress(parcel.from));
}

void Exchange::serve(std::size_t server) {
  Server& its = servers_[server];
  if (its.can_start()) {
    const std::uint32_t index = its.start();
    const Parcel& parcel = parcels_[index];
    schedule(its.time_for(channel_header_bytes + parcel.head_bytes + parcel.payload),
             {.what = Happening::served, .a = static_cast<std::uint32_t>(server), .b = index});
  }
}

void Exchange::served(std::size_t server, std::uint32_t index) {
  servers_[server].finish();
  const Parcel& parcel = parcels_[index];
  const std::size_t n = nodes_.size();
  const bool crosses = between(parcel);
  const Duration latency = crosses ? shape_.network->one_way_between : shape_.network->one_way_inside;
  if (server >= n && server < 2 * n) {
    Node& to = nodes_[parcel.to];
    if (to.crashed || closed_[std::size_t{parcel.from} * n + parcel.to]) {
      parcels_.give_back(index);
    } else {
      to.inbox.push_back(index);
      pump(parcel.to);
    }
  } else if (nodes_[parcel.from].crashed) {
    parcels_.give_back(index);
  } else if (server < n && crosses && servers_.size() > 2 * n) {
    const std::size_t its_way = way(parcel);
    servers_[its_way].add(index, parcel.control, 0);
    serve(its_way);
  } else {
    schedule(latency, {.what = Happening::reaches, .b = index});
  }
  serve(server);
}

void Exchange::reach(std::uint32_t index) {
  const Parcel& parcel = parcels_[index];
  servers_[ingress(parcel.to)].add(index, parcel.control, 0);
  serve(ingress(parcel.to));
}

// ---- The processors

// Does what is to be done next; false if nothing is.
bool Exchange::step(Node& node) {
  Participant& its = *node.participant;
  if (!node.downs.empty()) {
    its.channel_down(node.downs.front(), node.turn);
    node.downs.pop_front();
    return true;
  }
  if (!node.inbox.empty()) {
    const std::uint32_t index = node.inbox.front();
    node.inbox.pop_front();
    its.receive(parcels_[index], node.turn);
    parcels_.give_back(index);
    return true;
  }
  if (its.next_deadline() <= now_) {
    its.on_deadline(node.turn);
    return true;
  }
  const std::uint64_t batch = its.next_batch();
  if (batch != 0 && batch < batches_max) {
    tally_.committed(batch, now_);
    its.commit(batch, node.turn);
    return true;
  }
  return false;
}

void Exchange::pump(NodeId id) {
  Node& node = nodes_[id];
  if (node.busy || node.crashed) {
    return;
  }
  node.turn.begin(now_);
  const auto before =
      keeps_samples_ ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point{};
  if (!step(node)) {
    const Instant next = node.participant->next_deadline();
    if (next < node.wakes_at) {
      node.wakes_at = next;
      schedule(next - now_, {.what = Happening::wakes, .a = id});
    }
    return;
  }
  const auto events = static_cast<std::uint32_t>(1 + node.turn.sent().size());
  if (keeps_samples_) {
    const auto took = std::chrono::steady_clock::now() - before;
    samples_.push_back({std::chrono::duration_cast<std::chrono::nanoseconds>(took).count(), events});
  }
  const auto cost = static_cast<std::int64_t>(std::llround(event_ns_ * events));
  tally_.spent(static_cast<std::uint64_t>(cost));
  node.busy = true;
  schedule(Duration::nanoseconds(cost), {.what = Happening::turn_ends, .a = id});
}

void Exchange::end_turn(NodeId id) {
  Node& node = nodes_[id];
  node.busy = false;
  if (node.crashed) {
    for (const std::uint32_t index : node.turn.sent()) {
      parcels_.give_back(index);
    }
    return;
  }
  for (const std::uint32_t index : node.turn.sent()) {
    post(index);
  }
  for (const std::uint64_t batch : node.turn.delivered()) {
    delivered(id, batch);
  }
  if (node.turn.quacked() > 0) {
    tally_.quacked(id, node.turn.quacked(), now_);
  }
  for (const NodeId peer : node.turn.closed()) {
    close(id, peer);
  }
  advance_flow();
  pump(id);
}

// ---- Faults and the end

void Exchange::delivered(NodeId id, std::uint64_t batch) {
  tally_.delivered(id - shape_.from, batch, now_);
  if (shape_.has_crashes() && !crashed_ && tally_.half_warm()) {
    crashed_ = true;
    tally_.not_before(now_ + crash_notice + settling);
    schedule(Duration{}, {.what = Happening::crashes});
  }
}

// Tells those who follow it how far the flow goes.
void Exchange::advance_flow() {
  const std::uint64_t limit = tally_.prefix() + window_;
  if (limit == flow_.admit_up_to) {
    return;
  }
  flow_.admit_up_to = limit;
  for (NodeId id = 0; id < shape_.from; ++id) {
    pump(id);
  }
}

void Exchange::crash() {
  for (std::size_t id = 0; id < nodes_.size(); ++id) {
    const bool crashes =
        in_source(id) ? shape_.source_crashes(id) : shape_.destination_crashes(id - shape_.from);
    if (crashes) {
      nodes_[id].crashed = true;
      for (const std::uint32_t index : nodes_[id].inbox) {
        parcels_.give_back(index);
      }
      nodes_[id].inbox.clear();
    }
  }
  schedule(crash_notice, {.what = Happening::noticed});
}

void Exchange::notice() {
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    for (NodeId peer = 0; peer < nodes_.size(); ++peer) {
      if (!nodes_[id].crashed && nodes_[peer].crashed) {
        nodes_[id].downs.push_back(peer);
      }
    }
    pump(id);
  }
}

void Exchange::close(NodeId a, NodeId b) {
  const std::size_t n = nodes_.size();
  if (closed_[a * n + b]) {
    return;
  }
  closed_[a * n + b] = closed_[b * n + a] = true;
  ++closed_channels_;
  nodes_[a].downs.push_back(b);
  nodes_[b].downs.push_back(a);
  pump(b);
}

RunFigures Exchange::run() {
  for (Node& node : nodes_) {
    node.turn.begin(now_);
    node.participant->start(node.turn);
    node.busy = true;
  }
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    schedule(Duration{}, {.what = Happening::turn_ends, .a = id});
  }
  std::uint64_t happened = 0;
  while (!events_.empty() && !tally_.finished() && ++happened < events_max &&
         now_ < Instant{} + run_time_max) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    happen(event);
  }
  return figures();
}

void Exchange::happen(const Event& event) {
  switch (event.what) {
    case Happening::served:
      served(event.a, event.b);
      break;
    case Happening::reaches:
      reach(event.b);
      break;
    case Happening::turn_ends:
      end_turn(static_cast<NodeId>(event.a));
      break;
    case Happening::wakes:
      nodes_[event.a].wakes_at = Instant::never();
      pump(static_cast<NodeId>(event.a));
      break;
    case Happening::crashes:
      crash();
      break;
    case Happening::noticed:
      notice();
      break;
  }
}

RunFigures Exchange::figures() {
  RunFigures its = tally_.figures(now_);
  its.closed_form = closed_form(shape_, event_ns_);
  its.window_bytes = window_ * shape_.batch_payload();
  its.event_ns = event_ns_;
  its.simulated_s = static_cast<double>(now_.ns) / 1e9;
  its.frames = frames_;
  if (its.problem.empty() && closed_channels_ > 0) {
    its.problem = "channels were closed: " + std::to_string(closed_channels_);
  }
  return its;
}

// How long reading the clock takes.
std::int64_t clock_ns() {
  std::int64_t least = 1'000;
  for (int i = 0; i < 1'000; ++i) {
    const auto before = std::chrono::steady_clock::now();
    const auto took = std::chrono::steady_clock::now() - before;
    least = std::min<std::int64_t>(least, std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
  }
  return least;
}

}  // namespace

RunFigures run_exchange(const RunShape& shape, double event_ns) { return Exchange(shape, event_ns).run(); }

double measure_event_ns(const RunShape& shape) {
  RunShape calm{.from = shape.from, .to = shape.to, .network = &lan};
  calm.measured_batches = calibration_batches;
  Exchange exchange(calm, calibration_event_ns);
  exchange.keep_samples();
  (void)exchange.run();
  std::vector<Sample>& samples = exchange.samples();
  MALLARD_INVARIANT(!samples.empty());
  std::sort(samples.begin(), samples.end(), [](const Sample& x, const Sample& y) { return x.ns < y.ns; });
  const std::size_t kept = samples.size() - samples.size() / 200;
  const std::int64_t clock = clock_ns();
  double ns = 0;
  double events = 0;
  for (std::size_t i = 0; i < kept; ++i) {
    ns += static_cast<double>(std::max<std::int64_t>(0, samples[i].ns - clock));
    events += samples[i].events;
  }
  return ns / events;
}

}  // namespace mallard::lab
