#include "tests/integration/hostile/attacks.h"

#include <sys/socket.h>

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "bridge/core/ack_report.h"
#include "bridge/core/effect.h"
#include "bridge/wire/frame_codec.h"
#include "config/base/prng.h"
#include "tests/integration/deployment/waiting.h"
#include "transport/channel/channel_limits.h"
#include "transport/channel/frame_header.h"

namespace mallard::integration {
namespace {

constexpr Duration moment = Duration::milliseconds(20);
constexpr Duration patience = Duration::seconds(1);
constexpr LinkIndex link{0};
constexpr std::uint64_t far_away = 1ULL << 40;

const bridge::LinkContext context{
    .link = link, .generation = Generation(1), .source_epoch = Epoch(1), .destination_epoch = Epoch(1)};

// What a liar puts where a correct gateway asks its core.
struct Lies {
  bridge::AckReport ack;
  bridge::PositionSection position;
  [[nodiscard]] const bridge::AckReport& ack_of(LinkIndex) const { return ack; }
  [[nodiscard]] bridge::PositionSection position_of(LinkIndex) const { return position; }
};

using Head = std::array<std::byte, bridge::wire::frame_head_bytes_max>;

ByteView encode(const bridge::SendFrame& frame, const Lies& lies, Head& head) {
  return ByteView(head).first(bridge::wire::encode_head(frame, lies, head));
}

bridge::SendFrame stamped_frame() {
  bridge::SendFrame frame;
  frame.stamp = bridge::Stamp(static_cast<std::uint64_t>(clock_now().ns / 1000));
  return frame;
}

// Takes one channel after the other and does `treat` to each that is open; those for which it yields false
// are closed.
template <class Treat>
std::uint64_t serve(HostileSeat& seat, const Stop& stop, Treat treat) {
  std::vector<std::unique_ptr<HostileChannel>> channels;
  std::uint64_t taken = 0;
  while (!stop) {
    if (auto channel = seat.accept(moment)) {
      channels.push_back(std::move(channel));
      ++taken;
    }
    std::erase_if(channels, [&](const auto& channel) { return !treat(*channel); });
  }
  return taken;
}

// Keeps a channel to each of `to` and does `treat` to each.
template <class Treat>
void pester(const HostileSeat& seat, const std::vector<ReplicaAddress>& to, const Stop& stop, Treat treat) {
  std::vector<std::unique_ptr<HostileChannel>> channels(to.size());
  while (!stop) {
    for (std::size_t i = 0; i < to.size() && !stop; ++i) {
      if (channels[i] == nullptr) channels[i] = seat.dial(to[i], patience);
      if (channels[i] == nullptr) {
        let_pass(moment);
      } else if (!treat(*channels[i])) {
        channels[i].reset();
      }
    }
  }
}

}  // namespace

std::uint64_t stay_silent(HostileSeat& seat, const Stop& stop) {
  return serve(seat, stop, [](HostileChannel&) { return true; });
}

std::uint64_t never_acknowledge(HostileSeat& seat, const Stop& stop) {
  return serve(seat, stop, [](HostileChannel& channel) { return channel.read_away(Duration{}); });
}

std::uint64_t acknowledge_the_future(HostileSeat& seat, const Stop& stop) {
  std::uint64_t acknowledgements = 0;
  Head head{};
  serve(seat, stop, [&](HostileChannel& channel) {
    Lies lies;
    lies.ack.context = context;
    lies.ack.prefix = BatchNumber(far_away + acknowledgements);
    lies.ack.durable = lies.ack.prefix;
    lies.ack.phi_words = lies.ack.phi.size();
    lies.ack.phi.fill(~std::uint64_t{1});
    bridge::SendFrame frame = stamped_frame();
    frame.acks.push_back(link);
    if (!channel.read_away(Duration{}) || !channel.write_frame(encode(frame, lies, head), {}, patience))
      return false;
    ++acknowledgements;
    return true;
  });
  return acknowledgements;
}

std::uint64_t send_the_future(const HostileSeat& seat, const std::vector<ReplicaAddress>& to,
                              const Stop& stop) {
  constexpr std::uint16_t messages = batch_bytes_max / message_bytes_max;
  std::vector<std::byte> body(batch_bytes_max);
  ByteWriter writer(body);
  const std::vector<std::byte> message(message_bytes_max - 4, std::byte{0x66});
  for (std::uint16_t i = 0; i < messages; ++i) {
    writer.write(static_cast<std::uint32_t>(message.size()));
    writer.write_bytes(message);
  }
  std::uint64_t batches = 0;
  Head head{};
  pester(seat, to, stop, [&](HostileChannel& channel) {
    bridge::SendFrame frame = stamped_frame();
    frame.lane = bridge::Lane::data;
    frame.has_batch = true;
    frame.batch.context = context;
    frame.batch.header = {.batch = BatchNumber(far_away + batches),
                          .first = MessageNumber(far_away + batches * messages),
                          .count = messages};
    frame.batch.payload.bytes = static_cast<std::uint32_t>(body.size());
    if (!channel.write_frame(encode(frame, {}, head), body, patience) || !channel.read_away(Duration{}))
      return false;
    ++batches;
    return true;
  });
  return batches;
}

std::uint64_t drip(const HostileSeat& seat, const std::vector<ReplicaAddress>& to, const Stop& stop) {
  std::uint64_t bytes = 0;
  std::array<std::byte, transport::frame_header_bytes> header{};
  ByteWriter writer(header);
  transport::encode_frame_header(
      {.head_bytes = transport::frame_head_bytes_max, .body_bytes = transport::frame_body_bytes_max}, writer);
  std::vector<std::size_t> given(to.size());  // of each channel's header; after it the head's bytes, all zero
  pester(seat, to, stop, [&](HostileChannel& channel) {
    std::size_t& at = given[channel.peer().replica.value % given.size()];
    const std::byte next = header[at % header.size()];
    let_pass(Duration::milliseconds(100 / static_cast<std::int64_t>(to.size())));
    at = channel.write(ByteView(&next, 1), patience) && channel.read_away(Duration{}) ? at + 1 : 0;
    ++bytes;
    return at > 0;
  });
  return bytes;
}

std::uint64_t open_and_hang(const HostileSeat& seat, const std::vector<ReplicaAddress>& to,
                            const Stop& stop) {
  constexpr std::size_t open_at_once = 200;
  const std::array<std::byte, 3> half_a_header{};
  std::deque<std::unique_ptr<HostileChannel>> channels;
  std::uint64_t opened = 0;
  for (std::size_t turn = 0; !stop; ++turn) {
    auto channel = seat.dial(to[turn % to.size()], patience);
    if (channel == nullptr) {
      let_pass(moment);
      continue;
    }
    static_cast<void>(channel->write(half_a_header, patience));
    channels.push_back(std::move(channel));
    if (channels.size() > open_at_once) channels.pop_front();
    ++opened;
  }
  return opened;
}

std::uint64_t pull_endlessly(const HostileSeat& seat, const std::vector<ReplicaAddress>& to,
                             const Stop& stop) {
  constexpr std::uint64_t old_batches = 40;  // of the time before the attack
  std::uint64_t asked = 0;
  Head head{};
  pester(seat, to, stop, [&](HostileChannel& channel) {
    bridge::SendFrame frame = stamped_frame();
    frame.has_pull = true;
    frame.pull.context = context;
    for (std::size_t i = 0; i < pulls_per_frame_max; ++i) {
      frame.pull.batches.push_back(BatchNumber(1 + (asked + i) % old_batches));
    }
    const bool reads = channel.peer().replica.value % 2 == 0;
    // Some hundred times what is granted; without a pause, the attacker's own thread would be what is
    // measured.
    let_pass(Duration::milliseconds(1));
    if (!channel.write_frame(encode(frame, {}, head), {}, patience)) return false;
    if (reads && !channel.read_away(Duration{})) return false;
    asked += pulls_per_frame_max;
    return true;
  });
  return asked;
}

std::uint64_t drip_requests(const std::vector<std::uint16_t>& ports, const Stop& stop) {
  constexpr std::size_t requests_at_once = 24;
  constexpr std::string_view beginning = "GET /status HTTP/1.1\r\nX: ";
  const std::string piece_of_a_line(4096, 'a');
  const auto give = [](const FileDescriptor& socket, std::string_view bytes) {
    return ::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
  };
  std::vector<FileDescriptor> requests(ports.size() * requests_at_once);
  std::uint64_t begun = 0;
  while (!stop) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      FileDescriptor& request = requests[i];
      const std::string_view more = i % 4 == 0 ? std::string_view(piece_of_a_line) : "a";
      if (!request.is_open()) {
        request = connect_from("127.8.0.2", ports[i % ports.size()]);
        begun += request.is_open() && give(request, beginning) ? 1U : 0U;
      } else if (!give(request, more)) {
        request = FileDescriptor();
      }
    }
    let_pass(Duration::milliseconds(100));
  }
  return begun;
}

std::uint64_t flood(const std::vector<std::uint16_t>& ports, std::size_t open_at_once,
                    std::uint64_t connections, const Stop& stop) {
  std::deque<FileDescriptor> open;
  Prng random(1);
  std::uint64_t made = 0;
  for (std::uint64_t i = 0; i < connections && !stop; ++i) {
    const std::string from =
        "127.9." + std::to_string(random.below(250)) + "." + std::to_string(1 + random.below(250));
    FileDescriptor socket = connect_from(from, ports[i % ports.size()]);
    if (!socket.is_open()) {
      let_pass(moment);
      continue;
    }
    ++made;
    std::array<std::uint8_t, 300> bytes{};
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
    const std::array<std::uint8_t, 5> client_hello_begins{0x16, 0x03, 0x01, 0x01, 0x00};
    if (i % 3 == 1) ::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (i % 3 == 2) {
      ::send(socket.number(), client_hello_begins.data(), client_hello_begins.size(),
             MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    open.push_back(std::move(socket));
    if (open.size() > open_at_once) open.pop_front();
  }
  return made;
}

}  // namespace mallard::integration
