#include "tests/integration/network/tun_link.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

FileDescriptor open_device(const NetworkNamespace& space) {
  FileDescriptor device;
  space.visit([&device] {
    device = FileDescriptor(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!device.is_open()) fail("/dev/net/tun");
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::strncpy(request.ifr_name, TunLink::device, IFNAMSIZ - 1);
    if (::ioctl(device.number(), TUNSETIFF, &request) != 0) fail("TUNSETIFF");
  });
  // Without an IPv6 address nobody but the programs under test sends anything.
  space.run({"ip", "link", "set", TunLink::device, "addrgenmode", "none"});
  space.run({"ip", "link", "set", TunLink::device, "up", "txqueuelen", "2000"});
  return device;
}

}  // namespace

TunLink::TunLink(const NetworkNamespace& left, const NetworkNamespace& right, const Impairment& impairment,
                 std::uint64_t seed)
    : impairment_(impairment),
      left_(open_device(left)),
      right_(open_device(right)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    lane.from = i == 0 ? left_.number() : right_.number();
    lane.to = i == 0 ? right_.number() : left_.number();
    lane.random = Prng(seed).child("lane", i);
    lane.packets.resize(packets_max);
    for (std::uint32_t slot = 0; slot < packets_max; ++slot) lane.free_slots.push_back(slot);
  }
  thread_ = std::thread([this] { run(); });
}

TunLink::~TunLink() {
  const std::uint64_t one = 1;
  if (::write(stop_.number(), &one, sizeof one) == sizeof one) thread_.join();
}

void TunLink::run() {
  std::array<pollfd, 3> sources{
      {{stop_.number(), POLLIN, 0}, {lanes_[0].from, POLLIN, 0}, {lanes_[1].from, POLLIN, 0}}};
  while ((sources[0].revents & POLLIN) == 0) {
    const Instant now = clock_now();
    Instant next = Instant::never();
    for (Lane& lane : lanes_) {
      take_arrivals(lane, now);
      send_due(lane, now);
      if (!lane.on_the_way.empty()) next = std::min(next, lane.on_the_way.top().due);
    }
    const std::int64_t pause = std::clamp<std::int64_t>((next - clock_now()).ns, 0, 1'000'000'000);
    const timespec limit{pause / 1'000'000'000, pause % 1'000'000'000};
    if (::ppoll(sources.data(), sources.size(), &limit, nullptr) < 0 && errno != EINTR) return;
  }
}

void TunLink::take_arrivals(Lane& lane, Instant now) {
  Packet packet;
  for (int turn = 0; turn < 256; ++turn) {
    const ssize_t bytes = ::read(lane.from, packet.data(), packet.size());
    if (bytes <= 0) return;
    ++counters_.packets;
    if (lane.random.one_in_million(impairment_.loss_ppm)) {
      ++counters_.lost;
      continue;
    }
    schedule(lane, packet, static_cast<std::size_t>(bytes), now);
    if (lane.random.one_in_million(impairment_.duplicate_ppm)) {
      ++counters_.duplicated;
      schedule(lane, packet, static_cast<std::size_t>(bytes), now);
    }
  }
}

void TunLink::schedule(Lane& lane, const Packet& packet, std::size_t bytes, Instant now) {
  if (lane.free_slots.empty()) {
    ++counters_.overflowed;
    return;
  }
  const auto jitter_ns = static_cast<std::uint64_t>(impairment_.jitter.ns);
  const Duration jitter{jitter_ns == 0 ? 0 : static_cast<std::int64_t>(lane.random.below(jitter_ns))};
  lane.last_due = std::max(lane.last_due, now + impairment_.delay + jitter);
  Instant due = lane.last_due;
  if (lane.random.one_in_million(impairment_.reorder_ppm)) {
    ++counters_.reordered;
    due = due + impairment_.reorder_delay;
  }
  const std::uint32_t slot = lane.free_slots.back();
  lane.free_slots.pop_back();
  std::copy_n(packet.begin(), bytes, lane.packets[slot].begin());
  lane.on_the_way.push({due, ++arrivals_, slot, static_cast<std::uint32_t>(bytes)});
}

void TunLink::send_due(Lane& lane, Instant now) {
  while (!lane.on_the_way.empty() && lane.on_the_way.top().due <= now) {
    const Departure packet = lane.on_the_way.top();
    lane.on_the_way.pop();
    // What the device refuses is lost, as on any line; TCP sends it again.
    const ssize_t ignored = ::write(lane.to, lane.packets[packet.slot].data(), packet.bytes);
    static_cast<void>(ignored);
    lane.free_slots.push_back(packet.slot);
  }
}

}  // namespace mallard::integration
