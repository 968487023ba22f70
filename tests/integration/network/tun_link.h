// A bad line between two network namespaces: one TUN device in each, and between them seeded delay, jitter,
// loss, duplication and reordering of IP packets. The programs on both sides use unmodified TCP and notice
// nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <thread>
#include <vector>

#include "config/base/prng.h"
#include "config/base/time.h"
#include "config/system/file_descriptor.h"
#include "tests/integration/deployment/network_namespace.h"
#include "tests/integration/network/impairment.h"

namespace mallard::integration {

class TunLink {
 public:
  static constexpr const char* device = "line";
  static constexpr std::size_t packet_bytes_max = 1500;
  // Packets on their way in one direction; more are dropped, as by a router whose buffer is full.
  static constexpr std::size_t packets_max = 8192;

  struct Counters {
    std::atomic<std::uint64_t> packets{0};  // taken from the devices
    std::atomic<std::uint64_t> lost{0};
    std::atomic<std::uint64_t> duplicated{0};
    std::atomic<std::uint64_t> reordered{0};
    std::atomic<std::uint64_t> overflowed{0};
  };

  // Makes the device `device` in both namespaces, up, without an address. Throws std::system_error.
  TunLink(const NetworkNamespace& left, const NetworkNamespace& right, const Impairment& impairment,
          std::uint64_t seed);
  ~TunLink();
  TunLink(const TunLink&) = delete;
  TunLink& operator=(const TunLink&) = delete;

  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  using Packet = std::array<std::byte, packet_bytes_max>;

  struct Departure {
    Instant due;
    std::uint64_t order = 0;  // of arrival, where two are due at once
    std::uint32_t slot = 0;
    std::uint32_t bytes = 0;
    friend bool operator>(const Departure& a, const Departure& b) {
      return a.due != b.due ? a.due > b.due : a.order > b.order;
    }
  };

  // One direction.
  struct Lane {
    int from = -1;
    int to = -1;
    Prng random{0};
    Instant last_due;  // of those that keep their order
    std::priority_queue<Departure, std::vector<Departure>, std::greater<>> on_the_way;
    std::vector<Packet> packets;
    std::vector<std::uint32_t> free_slots;
  };

  void run();
  void take_arrivals(Lane& lane, Instant now);
  void schedule(Lane& lane, const Packet& packet, std::size_t bytes, Instant now);
  static void send_due(Lane& lane, Instant now);

  Impairment impairment_;
  FileDescriptor left_;
  FileDescriptor right_;
  FileDescriptor stop_;
  std::array<Lane, 2> lanes_;
  std::uint64_t arrivals_ = 0;
  Counters counters_;
  std::thread thread_;
};

}  // namespace mallard::integration
