#include "bridge/gateway/gateway.h"

#include <optional>
#include <variant>

namespace mallard::bridge {

Gateway::Gateway(const BridgeSettings& settings, const Ports& ports)
    : shell_(settings, ports), driver_(shell_, settings) {
  shell_.core = &driver_.core();
}

void Gateway::on_peer_up(ReplicaAddress peer, Instant now) { driver_.step(PeerUp{peer}, now); }

void Gateway::on_peer_down(ReplicaAddress peer, Instant now) { driver_.step(PeerDown{peer}, now); }

void Gateway::on_frame(ReplicaAddress from, ByteView head, PayloadRef body, Instant now) {
  const Result<Frame, wire::FrameError> frame = wire::decode_head(head, body);
  if (!frame) {
    shell_.ports.pool.release(body);
    ++shell_.counters.frames_malformed;
    shell_.ports.carrier.close(from, wire::describe(frame.error()));
    return;
  }
  driver_.step(FrameArrived{.from = from, .frame = *frame}, now);
}

bool Gateway::turn(Instant now) {
  bool worked = take_answers(now);
  const std::size_t taps = shell_.taps.size();
  for (std::size_t i = 0; i < taps; ++i) {
    Tap& tap = shell_.taps[(first_tap_ + i) % taps];
    worked |= tell_extent(tap, now);
    worked |= feed_commits(tap, now);
  }
  first_tap_ = taps == 0 ? 0 : (first_tap_ + 1) % taps;
  worked |= driver_.run_deadline(now);
  return worked;
}

void Gateway::tell_core(const Event& event, Instant now) {
  if (shell_.ports.observer != nullptr) {
    shell_.ports.observer->on_event(event, now);
  }
  driver_.step(event, now);
}

bool Gateway::take_answers(Instant now) {
  bool worked = false;
  for (std::size_t i = 0; i < answers_per_turn_max; ++i) {
    const std::optional<Applied> applied = shell_.ports.attachment.poll();
    if (!applied) {
      break;
    }
    worked = true;
    tell_core(*applied, now);
  }
  for (std::size_t i = 0; i < answers_per_turn_max; ++i) {
    const std::optional<BatchLoaded> loaded = shell_.ports.attachment.poll_loaded();
    if (!loaded) {
      break;
    }
    worked = true;
    driver_.step(*loaded, now);
  }
  for (std::size_t i = 0; i < answers_per_turn_max; ++i) {
    const std::optional<CertificateChecked> checked = shell_.ports.certificates.poll();
    if (!checked) {
      break;
    }
    worked = true;
    driver_.step(*checked, now);
  }
  return worked;
}

bool Gateway::tell_extent(Tap& tap, Instant now) {
  const LogExtent extent = shell_.ports.attachment.extent(tap.link);
  if (extent.oldest_readable == tap.told.oldest_readable && extent.newest == tap.told.newest) {
    return false;
  }
  tap.told = extent;
  driver_.step(extent, now);
  return true;
}

bool Gateway::feed_commits(const Tap& tap, Instant now) {
  bool worked = false;
  for (std::size_t i = 0; i < commits_per_turn_max && tap.started && core().accepts_commit(tap.link); ++i) {
    const std::optional<StoredBatch> batch = shell_.ports.attachment.tap_next(tap.link);
    if (!batch) {
      break;
    }
    worked = true;
    tell_core(BatchCommitted{.link = tap.link,
                             .header = batch->header,
                             .payload = batch->payload,
                             .proof_bytes = batch->proof_bytes},
              now);
  }
  return worked;
}

Gateway::Shell::Shell(const BridgeSettings& settings, const Ports& its_ports)
    : ports(its_ports), own_cluster_(settings.self.cluster) {
  for (const LinkSettings& link : settings.links) {
    if (link.from == own_cluster_) {
      taps.push_back(Tap{.link = link.link, .told = {}, .started = false});
    }
  }
}

void Gateway::Shell::carry_out(const Effect& effect, Instant now) {
  if (ports.observer != nullptr) {
    ports.observer->on_effect(effect, now);
  }
  std::visit([this](const auto& order) { carry_out(order); }, effect);
}

bool Gateway::Shell::next_event(Event& event) {
  if (const std::optional<BatchLoaded> loaded = ports.attachment.poll_loaded()) {
    event = *loaded;
    return true;
  }
  if (const std::optional<CertificateChecked> checked = ports.certificates.poll()) {
    event = *checked;
    return true;
  }
  return false;
}

void Gateway::Shell::carry_out(const SendFrame& frame) {
  const std::size_t head_bytes = wire::encode_head(frame, *core, head_);
  const PayloadRef body = frame.has_batch ? frame.batch.payload : PayloadRef{};
  if (!ports.carrier.send(frame.to, ByteView(head_).first(head_bytes), body, frame.lane)) {
    ++counters.frames_unqueued;
    return;
  }
  counters.wire_bytes_out += head_bytes + body.bytes;
  if (frame.has_batch && frame.to.cluster != own_cluster_) {
    counters.head_bytes_out += head_bytes;
  }
}

void Gateway::Shell::carry_out(const StartTap& order) {
  for (Tap& tap : taps) {
    if (tap.link == order.link) {
      tap.started = true;
      ports.attachment.tap_from(order.link, order.after);
    }
  }
}

void Gateway::Shell::carry_out(const CheckCertificate& order) { ports.certificates.check(order); }

void Gateway::Shell::carry_out(const Apply& order) { ports.attachment.apply(order); }

void Gateway::Shell::carry_out(const LoadBatch& order) { ports.attachment.load(order); }

void Gateway::Shell::carry_out(const Quacked& order) { ports.attachment.quacked(order); }

void Gateway::Shell::carry_out(const Release& order) { ports.pool.release(order.payload); }

void Gateway::Shell::carry_out(const ClosePeer& order) { ports.carrier.close(order.peer, order.reason); }

}  // namespace mallard::bridge
