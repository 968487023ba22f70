#include "tests/sim/puppet.h"

#include <algorithm>

#include "bridge/wire/frame_codec.h"
#include "config/base/invariant.h"
#include "tests/sim/frame_image.h"

namespace mallard::sim {

bool Puppet::send(Replica& to, ByteView head, ByteView body, bridge::Lane lane) {
  const PayloadRef shown{.slot = 0, .bytes = static_cast<std::uint32_t>(body.size())};
  const Result<bridge::Frame, bridge::wire::FrameError> frame = bridge::wire::decode_head(head, shown);
  MALLARD_INVARIANT(frame.has_value());
  heard_[to.id].issued = std::max(heard_[to.id].issued, frame->stamp);
  body_.assign(body.begin(), body.end());
  Outgoing out{.to = to, .frame = *frame, .body = body_};
  strategy_->on_out(*this, out);
  if (out.drop) {
    return true;  // the correct half believes that it went out
  }
  write_image(out.frame, head_);
  return network_.send(self_, to, {.head = head_, .body = body_, .held = {}, .lane = lane});
}

bool Puppet::receive(const Replica& from, ByteView head, std::size_t body_bytes) {
  const PayloadRef shown{.slot = 0, .bytes = static_cast<std::uint32_t>(body_bytes)};
  const Result<bridge::Frame, bridge::wire::FrameError> frame = bridge::wire::decode_head(head, shown);
  if (!frame) {
    return false;
  }
  heard_[from.id].heard = std::max(heard_[from.id].heard, frame->stamp);
  return strategy_->on_in(*this, from, *frame);
}

void Puppet::emit(Replica& to, const bridge::Frame& frame, ByteView body) {
  write_image(frame, head_);
  const bridge::Lane lane = frame.has_batch ? bridge::Lane::data : bridge::Lane::control;
  network_.send(self_, to, {.head = head_, .body = body, .held = {}, .lane = lane});
}

bridge::PhiList Puppet::phi(std::size_t place, const std::vector<std::uint64_t>& words) {
  std::vector<std::byte>& bytes = phi_.at(place);
  bytes.clear();
  std::size_t used = words.size();
  while (used > 0 && words[used - 1] == 0) {
    --used;
  }
  for (std::size_t i = 0; i < used; ++i) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      bytes.push_back(static_cast<std::byte>((words[i] >> shift) & 0xffU));
    }
  }
  return bridge::PhiList(bytes);
}

bridge::Frame Puppet::blank(const Replica& to) {
  Heard& known = heard_[to.id];
  bridge::Frame frame;
  frame.stamp =
      bridge::Stamp((static_cast<std::uint64_t>(self_.clock(stage_.now).ns) / 1000 + 1) & bridge::stamp_max);
  frame.echo = known.heard;
  known.issued = std::max(known.issued, frame.stamp);
  return frame;
}

}  // namespace mallard::sim
