#include "transport/channel/handshake.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace mallard::transport {

Handshake::Handshake(TlsStream stream, const Hello& ours, std::span<const ReplicaAddress> addresses)
    : stream_(std::move(stream)), ours_(ours), addresses_(addresses) {}

// Each step either moves step_ on and yields done, or says what it waits for.
Handshake::Progress Handshake::advance(std::size_t bytes_max) {
  while (step_ != Step::done) {
    Progress progress = Progress::done;
    switch (step_) {
      case Step::tls:
        progress = advance_tls(bytes_max);
        break;
      case Step::prepare:
        progress = prepare_hello();
        break;
      case Step::send:
        progress = send_hello();
        break;
      case Step::receive:
        progress = receive_hello();
        break;
      case Step::judge:
        progress = judge_theirs();
        break;
      case Step::done:
        break;
    }
    if (progress != Progress::done) {
      return progress;
    }
  }
  return Progress::done;
}

Handshake::Progress Handshake::advance_tls(std::size_t bytes_max) {
  const TlsStream::Progress progress = stream_.handshake(bytes_max);
  if (progress == TlsStream::Progress::done) {
    step_ = Step::prepare;
    return Progress::done;
  }
  return fail_stream(progress, "the TLS handshake");
}

Handshake::Progress Handshake::prepare_hello() {
  encode_hello(ours_, outgoing_);
  const auto binding = stream_.exported_key(ByteView(outgoing_).first(hello_bound_bytes));
  if (!binding) {
    return fail(Failure::connection, "TLS yields no key to bind the hello with");
  }
  ours_.binding = *binding;
  encode_hello(ours_, outgoing_);
  step_ = Step::send;
  return Progress::done;
}

Handshake::Progress Handshake::send_hello() {
  while (sent_ < outgoing_.size()) {
    const TlsStream::Transfer transfer = stream_.write(ByteView(outgoing_).subspan(sent_));
    if (transfer.progress != TlsStream::Progress::done) {
      return fail_stream(transfer.progress, "our hello");
    }
    sent_ += transfer.bytes;
  }
  const TlsStream::Progress flushed = stream_.flush();
  if (flushed != TlsStream::Progress::done) {
    return fail_stream(flushed, "our hello");
  }
  step_ = Step::receive;
  return Progress::done;
}

Handshake::Progress Handshake::receive_hello() {
  while (received_ < wanted_) {
    const TlsStream::Transfer transfer =
        stream_.read(ByteSpan(incoming_).subspan(received_, wanted_ - received_));
    if (transfer.progress != TlsStream::Progress::done) {
      return fail_stream(transfer.progress, "the peer's hello");
    }
    received_ += transfer.bytes;
    if (received_ == hello_prefix_bytes) {
      const auto rest = decode_hello_prefix(ByteView(incoming_).first(hello_prefix_bytes));
      if (!rest) {
        return fail(Failure::hello, std::string(hello_refusal_text(rest.error())));
      }
      wanted_ = hello_prefix_bytes + *rest;
    }
  }
  step_ = Step::judge;
  return Progress::done;
}

Handshake::Progress Handshake::judge_theirs() {
  const auto theirs = decode_hello(ByteView(incoming_).first(wanted_));
  if (!theirs) {
    return fail(Failure::hello, std::string(hello_refusal_text(theirs.error())));
  }
  const auto binding = stream_.exported_key(ByteView(incoming_).first(hello_bound_bytes));
  if (!binding) {
    return fail(Failure::connection, "TLS yields no key to check the hello with");
  }
  const auto version = judge_hello(*theirs, ours_, peer(), *binding);
  if (!version) {
    return fail(Failure::hello, std::string(hello_refusal_text(version.error())));
  }
  theirs_ = *theirs;
  wire_version_ = *version;
  step_ = Step::done;
  return Progress::done;
}

Handshake::Progress Handshake::fail(Failure failure, std::string problem) {
  failure_ = failure;
  problem_ = std::move(problem);
  return Progress::failed;
}

Handshake::Progress Handshake::fail_stream(TlsStream::Progress progress, std::string_view during) {
  switch (progress) {
    case TlsStream::Progress::wants_read:
      return Progress::wants_read;
    case TlsStream::Progress::wants_write:
      return Progress::wants_write;
    case TlsStream::Progress::closed:
    case TlsStream::Progress::broken:
      return fail(Failure::connection,
                  fmt::format("the peer ended the connection during {}: its log may say why", during));
    case TlsStream::Progress::done:
    case TlsStream::Progress::refused:
      break;
  }
  if (stream_.refused_unknown_key()) {
    return fail(Failure::unknown_key,
                "the peer's gateway key is not the one in our YAML file: compare keys.gateway");
  }
  if (stream_.peer_refused_certificate()) {
    return fail(Failure::connection,
                "the peer refused our gateway key: compare keys.gateway in its YAML file with ours");
  }
  return fail(Failure::connection, fmt::format("TLS failed during {}: {}", during, stream_.failure()));
}

}  // namespace mallard::transport
