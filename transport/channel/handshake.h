// The beginning of a channel: TLS, then a hello each way. Knows no event loop: each call says what to wait
// for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "transport/channel/hello.h"
#include "transport/channel/tls_stream.h"

namespace mallard::transport {

class Handshake {
 public:
  enum class Progress : std::uint8_t { done, wants_read, wants_write, failed };
  // What a failure is counted as.
  enum class Failure : std::uint8_t { none, connection, unknown_key, hello };

  // Who may be at the other end: `addresses` and the keys that `stream` allows, in the same order. Both
  // outlive the handshake. `ours` is what we say, its binding is filled in here.
  Handshake(TlsStream stream, const Hello& ours, std::span<const ReplicaAddress> addresses);

  // Goes on as far as it can. `bytes_max` of TLS handshake from the peer are too many.
  [[nodiscard]] Progress advance(std::size_t bytes_max);

  // After done.
  [[nodiscard]] ReplicaAddress peer() const { return addresses_[stream_.proved()]; }
  [[nodiscard]] const Hello& theirs() const { return theirs_; }
  [[nodiscard]] std::uint16_t wire_version() const { return wire_version_; }
  [[nodiscard]] TlsStream& stream() { return stream_; }

  // After failed: for the counters, and a sentence for the operator.
  [[nodiscard]] Failure failure() const { return failure_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // Whether the peer had proved its key when it failed, so that the failure is its own.
  [[nodiscard]] bool peer_is_proved() const { return stream_.proved() < addresses_.size(); }

 private:
  enum class Step : std::uint8_t { tls, prepare, send, receive, judge, done };

  Progress advance_tls(std::size_t bytes_max);
  Progress prepare_hello();
  Progress send_hello();
  Progress receive_hello();
  Progress judge_theirs();
  Progress fail(Failure failure, std::string problem);
  Progress fail_stream(TlsStream::Progress progress, std::string_view during);

  TlsStream stream_;
  Hello ours_;
  std::span<const ReplicaAddress> addresses_;
  Step step_ = Step::tls;
  std::array<std::byte, hello_bytes> outgoing_{};
  std::size_t sent_ = 0;
  std::array<std::byte, hello_prefix_bytes + hello_rest_bytes_max> incoming_{};
  std::size_t received_ = 0;
  std::size_t wanted_ = hello_prefix_bytes;
  Hello theirs_;
  std::uint16_t wire_version_ = 0;
  Failure failure_ = Failure::none;
  std::string problem_;
};

}  // namespace mallard::transport
