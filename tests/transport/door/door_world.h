// A door in a directory of its own, with what both sides were told written down.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/base/payload_pool.h"
#include "tests/support/scratch_directory.h"
#include "transport/channel/loop_clock.h"
#include "transport/door/door_client.h"
#include "transport/door/door_codec.h"
#include "transport/door/door_server.h"

namespace mallard::transport::door {

inline PayloadRef stored(PayloadPool& pool, std::string_view text) {
  const PayloadRef body = pool.allocate(text.size()).value();
  ByteWriter(pool.span(body)).write_bytes(std::as_bytes(std::span(text)));
  return body;
}
inline std::string text_of(const PayloadPool& pool, PayloadRef body) {
  const ByteView bytes = pool.view(body);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A replica that keeps what it is told until the test looks.
struct RecordingReplica final : DoorServerObserver {
  explicit RecordingReplica(PayloadPool& its_pool) : pool(its_pool) {}
  void on_open(DoorConnection from, const DoorPeer& peer) override { opened.emplace_back(from, peer); }
  void on_message(DoorConnection from, const DoorMessage& message) override {
    if (record) {
      received.emplace_back(from, message);
    }
    if (answer) {
      answer(from, message);
    }
  }
  void on_room(DoorConnection) override { ++rooms; }
  void on_closed(DoorConnection from, DoorEnd end) override { closed.emplace_back(from, end); }
  // Gives the bodies of what was received back.
  void forget() {
    for (const auto& [from, message] : received) {
      pool.release(body_of(message));
    }
    received.clear();
  }

  PayloadPool& pool;
  std::function<void(DoorConnection, const DoorMessage&)> answer;
  std::vector<std::pair<DoorConnection, DoorPeer>> opened;
  std::deque<std::pair<DoorConnection, DoorMessage>> received;
  std::vector<std::pair<DoorConnection, DoorEnd>> closed;
  int rooms = 0;
  bool record = true;
};

struct RecordingCaller final : DoorClientObserver {
  explicit RecordingCaller(PayloadPool& its_pool) : pool(its_pool) {}
  void on_open(const Welcome& welcome) override { welcomes.push_back(welcome); }
  void on_message(const DoorMessage& message) override {
    ++messages;
    if (const auto* const reply = std::get_if<Reply>(&message); reply != nullptr && record) {
      replies.emplace_back(reply->request, reply->status);
      texts.push_back(text_of(pool, reply->bytes));
    }
    last = message;
    pool.release(body_of(message));
  }
  void on_room() override { ++rooms; }
  void on_closed(DoorEnd end) override { closed.push_back(end); }
  void on_failed(const std::string& what, const std::string& /*advice*/) override { failed.push_back(what); }

  PayloadPool& pool;
  std::vector<Welcome> welcomes;
  std::vector<std::pair<std::uint64_t, ReplyStatus>> replies;
  std::vector<std::string> texts;
  std::vector<DoorEnd> closed;
  std::vector<std::string> failed;
  DoorMessage last;
  int messages = 0;
  int rooms = 0;
  bool record = true;
};

// A caller that says what it likes.
class RawCaller {
 public:
  explicit RawCaller(const std::filesystem::path& path) : socket_(std::move(*connect_door(path))) {}

  // As much as the socket takes.
  std::size_t say(ByteView bytes) {
    const ssize_t said = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return said < 0 ? 0 : static_cast<std::size_t>(said);
  }
  // A message with a body of zeros; false when the socket does not take all of it.
  bool say(const DoorMessage& message) {
    std::vector<std::byte> bytes(frame_header_bytes + head_bytes_max);
    bytes.resize(encode_head(message, bytes));
    bytes.resize(bytes.size() + body_of(message).bytes);
    return say(ByteView(bytes)) == bytes.size();
  }
  // True when the other side has closed the connection; what it said before is in heard().
  bool is_closed() {
    std::byte bytes[4096];
    for (;;) {
      const ssize_t got = ::recv(socket_.number(), bytes, sizeof bytes, 0);
      if (got <= 0) {
        return got == 0 || (errno != EAGAIN && errno != EINTR);
      }
      heard_.insert(heard_.end(), bytes, bytes + got);
    }
  }
  // The next whole message, without its body.
  std::optional<DoorMessage> hear() {
    static_cast<void>(is_closed());
    if (heard_.size() < frame_header_bytes) {
      return std::nullopt;
    }
    const auto lengths = decode_frame_header(ByteView(heard_).first(frame_header_bytes));
    const std::size_t whole = frame_header_bytes + lengths->head_bytes + lengths->body_bytes;
    if (heard_.size() < whole) {
      return std::nullopt;
    }
    const auto message =
        decode_message(ByteView(heard_).subspan(frame_header_bytes, lengths->head_bytes),
                       lengths->body_bytes == 0 ? PayloadRef{} : PayloadRef{1, lengths->body_bytes});
    heard_.erase(heard_.begin(), heard_.begin() + static_cast<std::ptrdiff_t>(whole));
    return message;
  }
  void hang_up() { socket_ = FileDescriptor(); }

 private:
  FileDescriptor socket_;
  std::vector<std::byte> heard_;
};

class DoorTest : public ::testing::Test {
 protected:
  void open_server() {
    auto opened = DoorServer::open(settings, {io, server_pool, replica});
    ASSERT_TRUE(opened.has_value()) << opened.error().what;
    server = std::move(*opened);
  }
  void open_client(Role role) {
    client_settings.path = settings.path;
    client_settings.role = role;
    client = std::make_unique<DoorClient>(client_settings, DoorClient::Ports{io, client_pool, caller});
  }
  void open_both(Role role) {
    open_server();
    open_client(role);
    ASSERT_TRUE(run_until([&] { return caller.welcomes.size() == 1 && replica.opened.size() == 1; }));
  }
  // Runs the loop until `done`; false after ten seconds.
  bool run_until(const std::function<bool()>& done) {
    const Instant deadline = loop_now() + Duration::seconds(10);
    while (!done()) {
      if (loop_now() > deadline) {
        return false;
      }
      io.run_one_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  bool submit(std::uint64_t request, std::string_view text) {
    const PayloadRef command = stored(client_pool, text);
    const bool sent = client->send(Submit{.request = request, .command = command});
    client_pool.release(command);
    return sent;
  }
  bool reply(DoorConnection to, std::uint64_t request, std::string_view text) {
    const PayloadRef bytes = stored(server_pool, text);
    const bool sent = server->send(to, Reply{.request = request, .bytes = bytes});
    server_pool.release(bytes);
    return sent;
  }

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  ScratchDirectory directory;
  PayloadPool server_pool{8U << 20};
  PayloadPool client_pool{8U << 20};
  RecordingReplica replica{server_pool};
  RecordingCaller caller{client_pool};
  DoorServerSettings settings{.path = door_path(directory.path()),
                              .replica = {ClusterIndex(1), ReplicaIndex(2)},
                              .incarnation = Incarnation(77)};
  DoorClientSettings client_settings;
  std::unique_ptr<DoorServer> server;
  std::unique_ptr<DoorClient> client;
};

}  // namespace mallard::transport::door
