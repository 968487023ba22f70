// Replicas of a pairing, each with its channels, on one event loop and real loopback sockets.
#pragma once

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/base/payload_pool.h"
#include "crypto/key_pair.h"
#include "transport/channel/channel_set.h"

namespace mallard::transport {

inline ReplicaAddress address_of(std::uint16_t cluster, std::uint16_t replica) {
  return {ClusterIndex(cluster), ReplicaIndex(replica)};
}

inline std::vector<std::byte> bytes_of(std::size_t count, std::uint8_t first) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>(first + i * 7);
  }
  return bytes;
}

// A replica's observer: writes down what it is told, and gives bodies back unless it is told to keep them.
class RecordingObserver final : public ChannelObserver {
 public:
  struct Received {
    ReplicaAddress from;
    std::vector<std::byte> head;
    std::vector<std::byte> body;
  };

  explicit RecordingObserver(PayloadPool& pool) : pool_(pool) {}

  void on_peer_up(ReplicaAddress peer, Incarnation incarnation) override {
    ups.emplace_back(peer, incarnation);
    order += 'u';
  }
  void on_peer_down(ReplicaAddress peer, CloseReason reason) override {
    downs.emplace_back(peer, reason);
    order += 'd';
  }
  void on_frame(ReplicaAddress from, ByteView head, PayloadRef body) override {
    ++frames;
    order += 'f';
    if (record) {
      const ByteView view = pool_.view(body);
      received.push_back({from, {head.begin(), head.end()}, {view.begin(), view.end()}});
    }
    if (keep_bodies) {
      kept.push_back(body);
    } else {
      pool_.release(body);
    }
    if (on_received) {
      on_received();
    }
  }
  void release_kept() {
    for (const PayloadRef body : kept) {
      pool_.release(body);
    }
    kept.clear();
  }

  std::vector<std::pair<ReplicaAddress, Incarnation>> ups;
  std::vector<std::pair<ReplicaAddress, CloseReason>> downs;
  std::vector<Received> received;
  std::vector<PayloadRef> kept;
  std::string order;  // u, d, f: what came after what
  std::size_t frames = 0;
  bool record = true;
  bool keep_bodies = false;
  std::function<void()> on_received;

 private:
  PayloadPool& pool_;
};

// One replica. `settings` may be changed before open().
struct Node {
  Node(ReplicaAddress self, asio::io_context& loop) : io(loop) {
    settings.self = self;
    settings.listen_host = "127.0.0.1";
    settings.incarnation = Incarnation(1);
    settings.configuration.bytes[0] = 42;
  }

  [[nodiscard]] PeerIdentity identity() const {
    return {settings.self, key.public_key(), "127.0.0.1", channels ? channels->listening_port() : port};
  }
  void open() {
    settings.listen_port = port;
    auto opened = ChannelSet::open(settings, key, {io, pool, observer});
    ASSERT_TRUE(opened.has_value()) << opened.error().what;
    channels = std::move(*opened);
    port = channels->listening_port();
  }
  // As a kill of the process would.
  void kill() { channels.reset(); }

  PayloadRef body(std::size_t bytes, std::uint8_t first = 0) {
    const PayloadRef ref = pool.allocate(bytes).value();
    const auto source = bytes_of(bytes, first);
    std::copy(source.begin(), source.end(), pool.span(ref).begin());
    return ref;
  }
  // Sends, and gives up its own reference to the body.
  bool send(ReplicaAddress to, ByteView head, PayloadRef payload, Lane lane = Lane::data) {
    const bool sent = channels->send(to, head, payload, lane);
    pool.release(payload);
    return sent;
  }

  asio::io_context& io;
  crypto::KeyPair key = crypto::KeyPair::generate();
  PayloadPool pool{8U << 20};
  RecordingObserver observer{pool};
  ChannelSettings settings;
  std::uint16_t port = 0;
  std::unique_ptr<ChannelSet> channels;
};

class ChannelTest : public testing::Test {
 protected:
  // Runs the loop until the condition holds; false when it does not within ten seconds.
  template <class Condition>
  bool run_until(Condition condition, std::chrono::seconds limit = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(20));
      if (std::chrono::steady_clock::now() > end) {
        return false;
      }
    }
    return true;
  }
  // Runs the loop for a while in which nothing is expected.
  void run_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    run_until([&] { return std::chrono::steady_clock::now() >= end; });
  }

  // The listener opens first, so that the dialer knows its port.
  void open_pair() {
    listener_.settings.peers = {dialer_.identity()};
    listener_.open();
    dialer_.settings.peers = {listener_.identity()};
    dialer_.open();
  }
  void connect_pair() {
    open_pair();
    ASSERT_TRUE(run_until([&] { return !dialer_.observer.ups.empty() && !listener_.observer.ups.empty(); }))
        << dialer_.channels->status(0).last_error << " / " << listener_.channels->status(0).last_error;
  }

  asio::io_context io_;
  Node dialer_{address_of(0, 1), io_};
  Node listener_{address_of(1, 0), io_};
};

}  // namespace mallard::transport
