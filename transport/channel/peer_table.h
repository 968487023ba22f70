// The peers of a ChannelSet: which channel is up, what happened to it, and what is written when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "config/base/limits.h"
#include "transport/channel/channel_set.h"
#include "transport/channel/dialer.h"
#include "transport/channel/listener.h"
#include "transport/channel/loop_timer.h"
#include "transport/channel/session.h"
#include "transport/channel/tls_context.h"

namespace mallard::transport {

// What ChannelSet's calls do. Lives until the last callback of its io_context is gone; after stop() it does
// nothing.
class PeerTable final : public SessionOwner {
 public:
  PeerTable(const ChannelSettings& settings, const crypto::KeyPair& key, const ChannelSet::Ports& ports);

  [[nodiscard]] std::error_code listen();
  void start();
  void stop();

  bool send(ReplicaAddress to, ByteView head, PayloadRef body, Lane lane);
  void flush();
  void close(ReplicaAddress peer, std::string_view reason);
  void resume_reads();

  [[nodiscard]] std::uint16_t listening_port() const { return listener_->port(); }
  [[nodiscard]] std::size_t peers() const { return peers_.size(); }
  [[nodiscard]] PeerStatus status(std::size_t index) const;
  [[nodiscard]] const PeerCounters& counters(std::size_t index) const { return peers_[index]->counters; }
  [[nodiscard]] const AcceptCounters& accept_counters() const { return listener_->counters(); }

  void session_received(std::size_t peer, ByteView head, PayloadRef body) override;
  void session_broke(std::size_t peer, CloseReason reason, std::string_view detail) override;
  void session_wants_turn() override { schedule(); }

 private:
  struct Peer {
    Peer(const PeerIdentity& who, std::size_t index, const Session::Surroundings& around)
        : identity(who), session(index, around, counters) {}

    PeerIdentity identity;
    PeerCounters counters;
    Session session;
    std::shared_ptr<Dialer> dialer;  // none when the peer dials us
    bool up = false;                 // as the observer knows it
    bool broken = false;             // the session is to be shut and the observer to be told
    CloseReason broken_by = CloseReason::lost;
    Incarnation incarnation;
    std::uint16_t wire_version = 0;
    Instant up_since;
    std::string last_error;
  };
  struct Turn;  // what Asio calls back

  static constexpr std::uint16_t no_peer = UINT16_MAX;

  [[nodiscard]] Peer* find(ReplicaAddress address);
  void adopt(HandshakeRun& run);
  void bring_down(Peer& peer);
  void note_error(Peer& peer, std::string_view error);
  void schedule();
  void run_turn();
  void wait_for_tick();
  void tick();

  ChannelSettings settings_;
  TlsContext context_;
  asio::io_context& io_;
  PayloadPool& pool_;
  ChannelObserver& observer_;
  Hello ours_;
  std::vector<PublicKey> dialer_keys_;  // of the peers that dial us
  std::vector<ReplicaAddress> dialer_addresses_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::uint16_t> index_of_;  // by cluster * replicas_max + replica
  std::shared_ptr<Listener> listener_;
  LoopTimer tick_;
  HandlerMemory handler_memory_;
  bool turn_scheduled_ = false;
  bool reads_resume_ = false;
  bool stopped_ = false;
};

}  // namespace mallard::transport
