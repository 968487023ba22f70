#include "tests/integration/hostile/hostile_seat.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "config/canonical_bytes.h"
#include "crypto/digest.h"
#include "crypto/key_file.h"
#include "tests/integration/deployment/waiting.h"
#include "transport/channel/frame_header.h"

namespace mallard::integration {
namespace {

using transport::Handshake;
using transport::TlsStream;

constexpr std::size_t handshake_bytes_max = 64U << 10;
constexpr int small_buffer_bytes = 16 << 10;  // who does not read shall be felt soon

sockaddr_in loopback(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) {
  const void* bytes = &address;
  return static_cast<const sockaddr*>(bytes);
}

bool wait_on(int socket, short events, Duration limit) {
  pollfd source{socket, events, 0};
  return ::poll(&source, 1, static_cast<int>(std::max<std::int64_t>(limit.ns / 1'000'000, 0))) == 1;
}

crypto::KeyPair load_gateway_key(const std::filesystem::path& directory) {
  auto key = crypto::load_key(directory, crypto::KeyRole::gateway);
  if (!key) throw std::runtime_error(key.error().what);
  return std::move(*key);
}

}  // namespace

bool HostileChannel::write(ByteView bytes, Duration limit) {
  const Instant end = clock_now() + limit;
  TlsStream& stream = handshake_.stream();
  while (clock_now() < end) {
    const TlsStream::Transfer transfer =
        bytes.empty() ? TlsStream::Transfer{stream.flush(), 0} : stream.write(bytes);
    if (transfer.progress == TlsStream::Progress::done) {
      if (bytes.empty()) return true;
      bytes = bytes.subspan(transfer.bytes);
    } else if (transfer.progress == TlsStream::Progress::wants_write) {
      wait_on(socket_.number(), POLLOUT, Duration::milliseconds(20));
    } else if (transfer.progress == TlsStream::Progress::wants_read) {
      wait_on(socket_.number(), POLLIN, Duration::milliseconds(20));
    } else {
      return false;
    }
  }
  return false;
}

bool HostileChannel::write_frame(ByteView head, ByteView body, Duration limit) {
  std::vector<std::byte> bytes(transport::frame_header_bytes + head.size());
  ByteWriter writer(bytes);
  transport::encode_frame_header({.head_bytes = static_cast<std::uint16_t>(head.size()),
                                  .body_bytes = static_cast<std::uint32_t>(body.size())},
                                 writer);
  writer.write_bytes(head);
  // After each whole piece of a body that goes on, the number of frames that are let in: none.
  while (!body.empty()) {
    const ByteView piece = body.first(std::min(body.size(), transport::body_piece_bytes));
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    body = body.subspan(piece.size());
    if (!body.empty()) bytes.push_back(std::byte{0});
  }
  return write(bytes, limit);
}

bool HostileChannel::read_away(Duration limit) {
  std::array<std::byte, 16384> ignored{};
  wait_on(socket_.number(), POLLIN, limit);
  while (true) {
    const TlsStream::Progress progress = handshake_.stream().read(ignored).progress;
    if (progress == TlsStream::Progress::wants_read || progress == TlsStream::Progress::wants_write)
      return true;
    if (progress != TlsStream::Progress::done) return false;
  }
}

HostileSeat::HostileSeat(const Deployment& deployment, ReplicaAddress self, transport::Plane plane)
    : deployment_(deployment),
      self_(self),
      key_(load_gateway_key(deployment.directory(self))),
      context_(key_),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  hello_.plane = plane;
  hello_.from = self;
  hello_.incarnation = Incarnation(static_cast<std::uint64_t>(clock_now().ns));
  hello_.configuration = crypto::digest_of(config::canonical_bytes(deployment.pairing()));
  for (std::uint16_t c = 0; c < deployment.pairing().clusters.size(); ++c) {
    for (const config::ReplicaSettings& replica : deployment.pairing().clusters[c].replicas) {
      const ReplicaAddress address{ClusterIndex(c), replica.id};
      if (address == self) continue;
      peer_addresses_.push_back(address);
      peer_keys_.push_back(replica.keys.gateway);
    }
  }
  const int on = 1;
  ::setsockopt(listener_.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(listener_.number(), SOL_SOCKET, SO_RCVBUF, &small_buffer_bytes, sizeof small_buffer_bytes);
  const sockaddr_in address = loopback("127.0.0.1", port_of(self));
  if (::bind(listener_.number(), generic(address), sizeof address) != 0 ||
      ::listen(listener_.number(), 64) != 0) {
    throw std::runtime_error("the seat's port is taken");
  }
}

std::unique_ptr<HostileChannel> HostileSeat::dial(ReplicaAddress to, Duration limit) const {
  FileDescriptor socket = connect_from("127.8.0.1", port_of(to));
  if (!socket.is_open() || !wait_on(socket.number(), POLLOUT, limit)) return nullptr;
  return shake_hands(std::move(socket), TlsStream::Role::dialer, limit);
}

std::unique_ptr<HostileChannel> HostileSeat::accept(Duration limit) {
  if (!wait_on(listener_.number(), POLLIN, limit)) return nullptr;
  FileDescriptor socket(::accept4(listener_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return socket.is_open() ? shake_hands(std::move(socket), TlsStream::Role::listener, limit) : nullptr;
}

std::uint16_t HostileSeat::port_of(ReplicaAddress address) const {
  const auto& ports =
      deployment_.pairing().clusters[address.cluster.value].replicas[address.replica.value].ports;
  return hello_.plane == transport::Plane::local ? ports.local : ports.bridge;
}

std::unique_ptr<HostileChannel> HostileSeat::shake_hands(FileDescriptor socket, TlsStream::Role role,
                                                         Duration limit) const {
  const Instant end = clock_now() + limit;
  Handshake handshake(TlsStream(context_, socket.number(), role, peer_keys_), hello_, peer_addresses_);
  while (clock_now() < end) {
    const Handshake::Progress progress = handshake.advance(handshake_bytes_max);
    if (progress == Handshake::Progress::done) {
      return std::make_unique<HostileChannel>(std::move(socket), std::move(handshake));
    }
    if (progress == Handshake::Progress::failed) return nullptr;
    wait_on(socket.number(), progress == Handshake::Progress::wants_read ? POLLIN : POLLOUT,
            end - clock_now());
  }
  return nullptr;
}

FileDescriptor connect_from(const std::string& from, std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return socket;
  const sockaddr_in here = loopback(from, 0);
  const sockaddr_in there = loopback("127.0.0.1", port);
  const bool bound = ::bind(socket.number(), generic(here), sizeof here) == 0;
  if (bound && (::connect(socket.number(), generic(there), sizeof there) == 0 || errno == EINPROGRESS)) {
    return socket;
  }
  return FileDescriptor();
}

}  // namespace mallard::integration
