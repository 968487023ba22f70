#include "tests/bridge/core/core_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace mallard::bridge {

namespace {

using support::StoryCommand;
using support::StoryError;

constexpr ClusterIndex east{0};
constexpr ClusterIndex west{1};

std::string name_of_replica(ReplicaAddress address) {
  return fmt::format("{}{}", address.cluster == east ? 'e' : 'w', address.replica.value);
}

std::uint64_t parse_number(std::string_view text, std::string_view& rest) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) {
    throw StoryError(std::string(text) + " does not start with a number");
  }
  rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return value;
}

// "250ms", "3s", "10us".
Duration parse_duration(std::string_view text) {
  std::string_view unit;
  const auto value = static_cast<std::int64_t>(parse_number(text, unit));
  if (unit == "us") return Duration::microseconds(value);
  if (unit == "ms") return Duration::milliseconds(value);
  if (unit == "s") return Duration::seconds(value);
  throw StoryError(std::string(text) + " is not a duration");
}

Duration duration_or(const StoryCommand& command, std::string_view key, Duration otherwise) {
  return command.has(key) ? parse_duration(command.text(key)) : otherwise;
}

std::string text_of(Instant at) {
  if (at == Instant::never()) return "never";
  return at.ns % 1'000'000 == 0 ? fmt::format("{}ms", at.ns / 1'000'000) : fmt::format("{}us", at.ns / 1000);
}

std::string text_of(const BatchHeader& header) {
  return header.count == 1
             ? fmt::format("{} [{}]", header.batch.value, header.first.value)
             : fmt::format("{} [{}..{}]", header.batch.value, header.first.value, header.last().value);
}

// Bits from the batch after the prefix on: "..#" says that the third is there.
std::string text_of(const AckReport& report) {
  std::string bits;
  for (std::size_t i = 0; i < report.phi_words * 64; ++i) {
    bits += ((report.phi.at(i / 64) >> (i % 64)) & 1U) != 0 ? '#' : '.';
  }
  bits.erase(bits.find_last_not_of('.') + 1);
  return fmt::format("prefix={} durable={}{}{}", report.prefix.value, report.durable.value,
                     bits.empty() ? "" : " phi=", bits);
}

ClusterView view_of(ClusterIndex cluster, const StoryCommand& command, std::string_view name) {
  ClusterView view{.cluster = cluster};
  for (const std::uint64_t weight : command.numbers(name)) {
    view.weights.push_back(weight);
  }
  const std::string suffix(name.substr(0, 1));
  view.u = command.number("u" + suffix);
  view.r = command.number_or("r" + suffix, 0);
  return view;
}

}  // namespace

std::string CoreStory::play(const StoryCommand& command) {
  const std::string& name = command.name();
  if (name == "clusters") return set_up(command);
  if (!core_) throw StoryError("the story must begin with `clusters`");
  if (name == "up" || name == "down") {
    std::string answer;
    for (const Peer& peer : core_->peers().all()) {
      const bool named = command.has("all") || name_of_replica(peer.address) == command.text("peer");
      if (!named) continue;
      answer += name == "up" ? step(PeerUp{peer.address}) : step(PeerDown{peer.address});
    }
    return command.has("quietly") ? "" : answer;
  }
  if (name == "log") {
    return step(LogExtent{link_of(command), BatchNumber(command.number_or("oldest", 1)),
                          BatchNumber(command.number("newest")),
                          MessageNumber(command.number_or("message", command.number("newest")))});
  }
  if (name == "commit") return commit(command);
  if (name == "frame") return receive(command);
  if (name == "checked") {
    const auto check = static_cast<std::uint32_t>(command.number("check"));
    if (open_checks_.erase(check) == 0) throw StoryError("nobody asked for this check");
    return step(CertificateChecked{link_of(command), check, command.has("valid")});
  }
  if (name == "applied") {
    const std::uint64_t cursor = command.number("cursor");
    return step(
        Applied{link_of(command), BatchNumber(cursor), MessageNumber(command.number_or("message", cursor))});
  }
  if (name == "loaded") {
    BatchLoaded event{.link = link_of(command), .for_peer = replica_of(command, "for").replica};
    event.found = !command.has("missing");
    const std::uint64_t batch = command.number("batch");
    event.header = {BatchNumber(batch), MessageNumber(batch), 1};
    event.payload = event.found ? payload_of(batch, 100) : PayloadRef{};
    return step(event);
  }
  if (name == "advance") return advance(command);
  if (name == "starve") return starve(command);
  if (name == "outbound") return show_outbound(command);
  if (name == "inbound") return show_inbound(command);
  if (name == "peer") return show_peer(command);
  if (name == "payloads") return show_payloads();
  throw StoryError("no such command: " + name);
}

std::string CoreStory::set_up(const StoryCommand& command) {
  *this = CoreStory();
  BridgeSettings settings;
  settings.clusters = {view_of(east, command, "east"), view_of(west, command, "west")};
  settings.self = replica_of(command, "self");
  settings.ack_interval = duration_or(command, "ack-interval", Duration::milliseconds(2));
  settings.rto_min = duration_or(command, "rto", Duration::milliseconds(100));
  settings.round_backoff_max = duration_or(command, "backoff", Duration::seconds(30));
  settings.heartbeat_interval = duration_or(command, "heartbeat", Duration::seconds(60));
  settings.pull_delay = duration_or(command, "pull-delay", Duration::milliseconds(2));
  LinkSettings link{.link = LinkIndex(0), .from = east, .to = west};
  link.window_messages = static_cast<std::uint32_t>(command.number_or("window", 64));
  link.window_bytes = command.number_or("bytes", 64ULL << 20);
  link.cursor = BatchNumber(command.number_or("cursor", 0));
  link.cursor_message = MessageNumber(command.number_or("message", link.cursor.value));
  link.storage_lost = command.has("lost");
  settings.links.push_back(link);
  if (command.has("both")) {
    settings.links.push_back({.link = LinkIndex(1), .from = west, .to = east});
  }
  core_.emplace(settings);
  now_ = Instant{} + Duration::seconds(1);
  answers_checks_ = command.has("checks-pass");
  return "";
}

std::string CoreStory::commit(const StoryCommand& command) {
  std::string_view rest;
  const std::string& range = command.text("batch");
  const std::uint64_t from = parse_number(range, rest);
  const std::uint64_t to = rest.empty() ? from : parse_number(rest.substr(2), rest);
  const std::uint64_t count = command.number_or("count", 1);
  std::string answer;
  for (std::uint64_t batch = from; batch <= to; ++batch) {
    const std::uint64_t first = command.number_or("first", count * (batch - 1) + 1);
    answer += step(BatchCommitted{
        .link = link_of(command),
        .header = {BatchNumber(batch), MessageNumber(first), static_cast<std::uint16_t>(count)},
        .payload = payload_of(batch, static_cast<std::uint32_t>(command.number_or("bytes", 100)))});
  }
  return answer;
}

LinkIndex CoreStory::link_of(const StoryCommand& command) const {
  return LinkIndex(static_cast<std::uint16_t>(command.number_or("link", 0)));
}

LinkContext CoreStory::context_of(const StoryCommand& command) const {
  return {link_of(command), Generation(static_cast<std::uint32_t>(command.number_or("generation", 1))),
          Epoch(static_cast<std::uint32_t>(command.number_or("source-epoch", 1))),
          Epoch(static_cast<std::uint32_t>(command.number_or("destination-epoch", 1)))};
}

ReplicaAddress CoreStory::replica_of(const StoryCommand& command, std::string_view key) const {
  const std::string_view text = command.text(key);
  std::string_view rest;
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'w')) {
    throw StoryError(std::string(text) + " is no replica; they are called e0, w1 ...");
  }
  const std::uint64_t index = parse_number(text.substr(1), rest);
  return {text[0] == 'e' ? east : west, ReplicaIndex(static_cast<std::uint16_t>(index))};
}

void CoreStory::add_batch(const StoryCommand& command, Frame& frame) {
  const std::uint64_t batch = command.number("batch");
  const auto bytes = static_cast<std::uint32_t>(command.number_or("bytes", 100));
  const std::uint64_t count = command.number_or("count", 1);
  frame.has_batch = true;
  frame.batch.context = context_of(command);
  frame.batch.header = {BatchNumber(batch),
                        MessageNumber(command.number_or("first", count * (batch - 1) + 1)),
                        static_cast<std::uint16_t>(count)};
  frame.batch.quacked = BatchNumber(command.number_or("quacked", 0));
  frame.batch.payload = payload_of(batch, bytes);
}

void CoreStory::add_ack(const StoryCommand& command, Frame& frame) {
  AckSection ack{.context = context_of(command), .prefix = BatchNumber(command.number("prefix"))};
  ack.durable = BatchNumber(command.number_or("durable", ack.prefix.value));
  const std::string bits = command.has("phi") ? command.text("phi") : "";
  phi_bytes_.assign((bits.size() + 63) / 64 * 8, std::byte{0});
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (bits[i] == '#') {
      phi_bytes_[i / 8] |= static_cast<std::byte>(1U << (i % 8));
    }
  }
  ack.phi = PhiList(phi_bytes_);
  frame.acks.push_back(ack);
}

// One frame with the sections that the arguments speak of: batch, prefix (an acknowledgement), committed (a
// position), pull.
std::string CoreStory::receive(const StoryCommand& command) {
  FrameArrived event{.from = replica_of(command, "from")};
  Frame& frame = event.frame;
  frame.stamp =
      command.has("stamp") ? stamp_at(Instant{} + parse_duration(command.text("stamp"))) : stamp_at(now_);
  if (command.has("echo")) {
    const bool last = command.text("echo") == "last";
    frame.echo = last ? last_asked_[event.from] : stamp_at(Instant{} + parse_duration(command.text("echo")));
    // Unless the story says otherwise the network takes no time.
    const Duration held = duration_or(command, "held", now_ - issued_at(frame.echo));
    frame.echo_delay_us = static_cast<std::uint32_t>(held.ns / 1000);
  }
  frame.wants_ack = command.has("wants-ack");
  if (command.has("batch")) add_batch(command, frame);
  if (command.has("prefix")) add_ack(command, frame);
  if (command.has("committed")) {
    frame.positions.push_back({context_of(command), BatchNumber(command.number_or("quacked", 0)),
                               BatchNumber(command.number("committed")),
                               MessageNumber(command.number("committed"))});
  }
  if (command.has("pull")) {
    frame.has_pull = true;
    frame.pull.context = context_of(command);
    for (const std::uint64_t batch : command.numbers("pull"))
      frame.pull.batches.push_back(BatchNumber(batch));
  }
  return step(event);
}

// Time passes: every deadline of the core on the way is served at its instant.
std::string CoreStory::advance(const StoryCommand& command) {
  const Instant target = now_ + parse_duration(command.text("by"));
  std::string answer;
  for (int served = 0; core_->next_deadline() <= target; ++served) {
    if (served > 10'000) return answer + "it asks for deadlines without end\n";
    now_ = std::max(now_, core_->next_deadline());
    Effects effects;
    core_->on_deadline(now_, effects);
    const std::string lines = told(effects);
    answer += lines.empty() ? "" : text_of(now_) + "\n" + lines;
  }
  now_ = target;
  return answer;
}

// Time passes while one replica answers at once whenever it is asked, and always that it has nothing after
// its prefix. Only batches are told of.
std::string CoreStory::starve(const StoryCommand& command) {
  const ReplicaAddress from = replica_of(command, "from");
  const BatchNumber prefix(command.number("prefix"));
  const Instant target = now_ + parse_duration(command.text("by"));
  std::string answer;
  while (core_->next_deadline() <= target) {
    now_ = std::max(now_, core_->next_deadline());
    Effects effects;
    core_->on_deadline(now_, effects);
    for (bool asked = true; asked;) {
      asked = false;
      FrameArrived event{.from = from};
      for (const Effect& effect : effects) {
        const auto* frame = std::get_if<SendFrame>(&effect);
        if (frame == nullptr) continue;
        if (frame->has_batch) answer += text_of(now_) + " " + tell(*frame);
        if (frame->to != from || !frame->wants_ack) continue;
        asked = true;
        event.frame.echo = frame->stamp;
      }
      if (!asked) break;
      event.frame.stamp = stamp_at(now_);
      event.frame.acks.push_back({.context = context_of(command), .prefix = prefix, .durable = prefix});
      effects.clear();
      core_->step(event, now_, effects);
    }
  }
  now_ = target;
  return answer;
}

std::string CoreStory::show_outbound(const StoryCommand& command) const {
  const OutboundLink* link = core_->outbound(link_of(command));
  if (link == nullptr) throw StoryError("the core has no such outbound link");
  constexpr std::array<std::string_view, 3> states{"learning", "active", "needs_snapshot"};
  const OutboundCounters& count = link->counters();
  return fmt::format(
      "{} quacked={} (message {}) admitted={} window={} messages, {} bytes{}{} rto={}\n"
      "first sends {}, resends {}, attempts {}, rounds {}, probes {}, acks ahead {}\n",
      states.at(static_cast<std::size_t>(link->state())), link->quacked().value,
      link->quacked_message().value, link->admitted().value, link->window_messages(), link->window_bytes(),
      core_->accepts_commit(link_of(command)) ? ", accepts" : "",
      link->destination_reset() ? ", destination reset" : "", text_of(Instant{} + link->rto()),
      count.first_sends, count.resends, count.attempts_opened, count.rounds_opened, count.probes_sent,
      count.acks_ahead);
}

std::string CoreStory::show_inbound(const StoryCommand& command) const {
  const InboundLink* link = core_->inbound(link_of(command));
  if (link == nullptr) throw StoryError("the core has no such inbound link");
  const InboundCounters& count = link->counters();
  return fmt::format(
      "cursor={} (message {}) prefix={} holds {} bytes{}, source at {} (message {})\n"
      "received {}, duplicates {}, beyond window {}, no room {}, forged {}, discontinuous {}\n"
      "shares {}, pulls {} ({} by hint), served {}, refused {}\n",
      link->cursor().value, link->cursor_message().value, link->prefix().value, link->window_bytes(),
      link->withholds_acks() ? ", withholds" : "", link->source_committed().value,
      link->source_committed_message().value, count.batches_received, count.duplicates_dropped,
      count.beyond_window_dropped, count.no_room_dropped, count.verify_failures, count.discontinuous_dropped,
      count.shares_sent, count.pulls_sent, count.pulls_by_hint, count.pulls_served, count.pulls_refused);
}

std::string CoreStory::show_peer(const StoryCommand& command) const {
  const Peer* peer = core_->peers().find(replica_of(command, "of"));
  if (peer == nullptr) throw StoryError("the core has no such peer");
  return fmt::format("{} frames in {}, out {}, stale context {}, stale frames {}, violations {}\n",
                     peer->up ? "up" : "down", peer->counters.frames_in, peer->counters.frames_out,
                     peer->counters.stale_context_dropped, peer->counters.stale_frames,
                     peer->counters.violations);
}

std::string CoreStory::show_payloads() const {
  std::string held;
  for (std::size_t slot = 0; slot < owned_.size(); ++slot) {
    if (owned_[slot] != 0) held += (held.empty() ? "" : " ") + names_[slot];
  }
  return held.empty() ? "none\n" : held + "\n";
}

std::string CoreStory::step(const Event& event) {
  Effects effects;
  core_->step(event, now_, effects);
  std::string answer = told(effects);
  while (!checks_to_answer_.empty()) {
    const CertificateChecked check = checks_to_answer_.front();
    checks_to_answer_.erase(checks_to_answer_.begin());
    effects.clear();
    core_->step(check, now_, effects);
    answer += told(effects);
  }
  return answer;
}

// Frames that say the same to several peers are told of in one line.
std::string CoreStory::told(const Effects& effects) {
  std::string lines;
  std::string receivers;
  std::string said;
  const auto finish_line = [&] {
    lines += receivers + said;
    receivers.clear();
    said.clear();
  };
  for (const Effect& effect : effects) {
    const std::string line = std::visit([&](const auto& ordered) { return tell(ordered); }, effect);
    const std::size_t arrow = std::holds_alternative<SendFrame>(effect) ? line.find(" <-") : 0;
    if (arrow == 0 || line.substr(arrow) != said) {
      finish_line();
      said = line.substr(arrow);
    }
    receivers += (receivers.empty() ? "" : " ") + line.substr(0, arrow);
  }
  finish_line();
  return lines;
}

std::string CoreStory::tell(const SendFrame& frame) {
  std::string line = fmt::format("{} <-{}", name_of_replica(frame.to), frame.lane == Lane::data ? "" : "!");
  if (frame.has_batch) {
    line += fmt::format(" batch {} payload {}", text_of(frame.batch.header), name_of(frame.batch.payload));
    if (frame.batch.context.link == LinkIndex(0) && core_->outbound(LinkIndex(0)) != nullptr) {
      line += fmt::format(" try {}.{} hint {}", frame.batch.round, frame.batch.attempt,
                          frame.batch.quacked.value);
    }
  }
  for (const LinkIndex link : frame.acks) line += fmt::format(" ack {}", text_of(core_->ack_of(link)));
  for (const LinkIndex link : frame.positions) {
    const PositionSection position = core_->position_of(link);
    line += fmt::format(" position quacked={} committed={} [{}]", position.quacked.value,
                        position.committed.value, position.committed_message.value);
  }
  if (frame.has_pull) {
    line += " pull";
    for (const BatchNumber batch : frame.pull.batches) line += fmt::format(" {}", batch.value);
  }
  if (frame.wants_ack) {
    line += " ?";
    last_asked_[frame.to] = frame.stamp;
  }
  return line + "\n";
}

std::string CoreStory::tell(const StartTap& effect) {
  return fmt::format("tap after {}\n", effect.after.value);
}

std::string CoreStory::tell(const CheckCertificate& effect) {
  if (answers_checks_) {
    checks_to_answer_.push_back({effect.link, effect.check, true});
    return "";
  }
  open_checks_.insert(effect.check);
  return fmt::format("check #{} batch {} payload {}\n", effect.check, text_of(effect.header),
                     name_of(effect.payload));
}

std::string CoreStory::tell(const Apply& effect) {
  return fmt::format("apply {} payload {}\n", text_of(effect.header), name_of(effect.payload));
}

std::string CoreStory::tell(const LoadBatch& effect) {
  return fmt::format("load {} for {}\n", effect.batch.value, effect.for_peer.value);
}

std::string CoreStory::tell(const Quacked& effect) {
  return fmt::format("quacked {}\n", effect.through.value);
}

std::string CoreStory::tell(const Release& effect) {
  const std::string name = name_of(effect.payload);
  --owned_[effect.payload.slot];
  return fmt::format("release {}\n", name);
}

std::string CoreStory::tell(const ClosePeer& effect) {
  return fmt::format("close {}: {}\n", name_of_replica(effect.peer), effect.reason);
}

PayloadRef CoreStory::payload_of(std::uint64_t batch, std::uint32_t bytes) {
  const int copy = copies_[batch]++;
  names_.push_back(copy == 0 ? std::to_string(batch)
                             : fmt::format("{}{}", batch, static_cast<char>('a' + copy)));
  owned_.push_back(1);
  return {static_cast<std::uint32_t>(names_.size() - 1), bytes};
}

std::string CoreStory::name_of(PayloadRef payload) const {
  return names_.at(payload.slot) + (owned_.at(payload.slot) > 0 ? "" : " WHICH IT DOES NOT OWN");
}

}  // namespace mallard::bridge
