#include "tests/integration/hostile/hostile_client.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "tests/integration/deployment/waiting.h"
#include "tests/integration/hostile/hostile_seat.h"
#include "transport/door/door_codec.h"

namespace mallard::integration {

namespace door = transport::door;
using transport::TlsStream;

HostileClient::HostileClient(const door::RemoteDoor& door, const std::string& from, Duration limit)
    : replica_(door.replica),
      context_(*door.key),
      socket_(connect_from(from, door.port)),
      tls_(context_, socket_.number(), TlsStream::Role::dialer, std::span(&replica_, 1)) {
  const Instant end = clock_now() + limit;
  if (!socket_.is_open() || !shake_hands(end)) return;
  done_ = true;
  std::array<std::byte, door::frame_header_bytes + door::head_bytes_max> hello{};
  const std::size_t bytes = door::encode_head(door::Hello{.role = door::Role::client}, hello);
  std::vector<std::byte> body;
  if (!say(ByteView(hello).first(bytes), limit)) return;
  const auto welcome = hear(end, body);
  open_ = welcome && std::holds_alternative<door::Welcome>(*welcome);
}

bool HostileClient::shake_hands(Instant end) {
  wait_on(POLLOUT, end);
  while (clock_now() < end) {
    switch (tls_.handshake(64U << 10)) {
      case TlsStream::Progress::done:
        return true;
      case TlsStream::Progress::wants_read:
        wait_on(POLLIN, end);
        break;
      case TlsStream::Progress::wants_write:
        wait_on(POLLOUT, end);
        break;
      default:
        return false;
    }
  }
  return false;
}

bool HostileClient::say(ByteView bytes, Duration limit) {
  const Instant end = clock_now() + limit;
  while (clock_now() < end) {
    const TlsStream::Transfer transfer =
        bytes.empty() ? TlsStream::Transfer{tls_.flush(), 0} : tls_.write(bytes);
    if (transfer.progress == TlsStream::Progress::done) {
      if (bytes.empty()) return true;
      bytes = bytes.subspan(transfer.bytes);
    } else if (transfer.progress == TlsStream::Progress::wants_write) {
      wait_on(POLLOUT, end);
    } else {
      return false;
    }
  }
  return false;
}

std::vector<HostileClient::Answer> HostileClient::ask(std::span<const std::vector<std::byte>> commands,
                                                      Duration limit) {
  std::vector<std::byte> bytes;
  const std::uint64_t before = requests_;
  for (const std::vector<std::byte>& command : commands) {
    std::array<std::byte, door::frame_header_bytes + door::head_bytes_max> head{};
    const door::Submit submit{.request = ++requests_,
                              .command = {.slot = 1, .bytes = static_cast<std::uint32_t>(command.size())}};
    const std::size_t head_bytes = door::encode_head(submit, head);
    bytes.insert(bytes.end(), head.begin(), head.begin() + static_cast<std::ptrdiff_t>(head_bytes));
    bytes.insert(bytes.end(), command.begin(), command.end());
  }
  std::vector<Answer> answers(commands.size());
  std::size_t answered = 0;
  const Instant end = clock_now() + limit;
  open_ = open_ && say(bytes, limit);
  while (open_ && answered < commands.size()) {
    std::vector<std::byte> body;
    const auto message = hear(end, body);
    const auto* const reply = message ? std::get_if<door::Reply>(&*message) : nullptr;
    if (reply == nullptr || reply->request <= before || reply->request > requests_) {
      open_ = false;
      break;
    }
    answers[reply->request - before - 1] = {reply->status, std::move(body)};
    ++answered;
  }
  answers.resize(open_ ? answers.size() : 0);
  return answers;
}

bool HostileClient::is_ended(Duration limit) {
  const Instant end = clock_now() + limit;
  while (clock_now() < end) {
    if (!read_more(end)) return clock_now() < end;
  }
  return false;
}

std::optional<door::DoorMessage> HostileClient::hear(Instant end, std::vector<std::byte>& body) {
  while (true) {
    if (heard_.size() >= door::frame_header_bytes) {
      const auto lengths = door::decode_frame_header(ByteView(heard_).first(door::frame_header_bytes));
      if (!lengths) return std::nullopt;
      const std::size_t body_at = door::frame_header_bytes + lengths->head_bytes;
      if (heard_.size() >= body_at + lengths->body_bytes) {
        const ByteView bytes(heard_);
        const PayloadRef slot =
            lengths->body_bytes == 0 ? PayloadRef{} : PayloadRef{.slot = 1, .bytes = lengths->body_bytes};
        const auto message =
            door::decode_message(bytes.subspan(door::frame_header_bytes, lengths->head_bytes), slot);
        const ByteView rest = bytes.subspan(body_at, lengths->body_bytes);
        body.assign(rest.begin(), rest.end());
        heard_.erase(heard_.begin(),
                     heard_.begin() + static_cast<std::ptrdiff_t>(body_at + lengths->body_bytes));
        return message;
      }
    }
    if (!read_more(end)) return std::nullopt;
  }
}

// False when the connection has ended or the time is over.
bool HostileClient::read_more(Instant end) {
  std::array<std::byte, 16384> bytes{};
  while (clock_now() < end) {
    const TlsStream::Transfer transfer = tls_.read(bytes);
    if (transfer.progress == TlsStream::Progress::done) {
      heard_.insert(heard_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(transfer.bytes));
      return true;
    }
    if (transfer.progress != TlsStream::Progress::wants_read) return false;
    wait_on(POLLIN, end);
  }
  return false;
}

void HostileClient::wait_on(short events, Instant end) const {
  pollfd source{socket_.number(), events, 0};
  const std::int64_t left = (end - clock_now()).ns / 1'000'000;
  ::poll(&source, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 1000)));
}

}  // namespace mallard::integration
