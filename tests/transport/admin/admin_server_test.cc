#include "transport/admin/admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace mallard::transport {
namespace {

using testing::HasSubstr;

class AdminServerTest : public testing::Test {
 protected:
  AdminServerTest() {
    auto opened = AdminServer::open({.host = "127.0.0.1", .port = 0});
    server_ = std::move(*opened);
    client_ = std::make_unique<httplib::Client>("127.0.0.1", server_->port());
  }

  static AdminSnapshot snapshot(bool ready) {
    return {.status_json = R"({"state":"active"})",
            .metrics = {{.name = "mallard_peer_up", .help = "Up.", .labels = {{"peer", "1.0"}}, .value = 1}},
            .ready = ready,
            .not_ready_because = ready ? "" : "the log is not there"};
  }
  int status_of(const char* path) {
    const auto answer = client_->Get(path);
    return answer ? answer->status : -1;
  }

  std::unique_ptr<AdminServer> server_;
  std::unique_ptr<httplib::Client> client_;
};

TEST_F(AdminServerTest, is_neither_live_nor_ready_before_the_loop_has_reported) {
  EXPECT_EQ(status_of("/livez"), 503);
  EXPECT_EQ(status_of("/readyz"), 503);
  EXPECT_EQ(status_of("/metrics"), 200);
  EXPECT_THAT(client_->Get("/status")->body, HasSubstr("starting"));
}

TEST_F(AdminServerTest, shows_what_was_published_last) {
  server_->publish(snapshot(false));
  EXPECT_EQ(status_of("/livez"), 200);
  EXPECT_EQ(status_of("/readyz"), 503);
  EXPECT_EQ(client_->Get("/readyz")->body, "the log is not there\n");
  server_->publish(snapshot(true));
  EXPECT_EQ(status_of("/readyz"), 200);
  const auto status = client_->Get("/status");
  EXPECT_EQ(status->body, R"({"state":"active"})");
  EXPECT_EQ(status->get_header_value("Content-Type"), "application/json");
  const auto metrics = client_->Get("/metrics");
  EXPECT_THAT(metrics->body, HasSubstr("mallard_peer_up{peer=\"1.0\"} 1"));
  EXPECT_THAT(metrics->get_header_value("Content-Type"), HasSubstr("version=0.0.4"));
}

TEST_F(AdminServerTest, readiness_does_not_latch) {
  server_->publish(snapshot(true));
  EXPECT_EQ(status_of("/readyz"), 200);
  server_->publish(snapshot(false));
  EXPECT_EQ(status_of("/readyz"), 503);
}

TEST_F(AdminServerTest, readiness_is_a_series_from_the_start) {
  const auto metrics = [&] { return client_->Get("/metrics")->body; };
  EXPECT_THAT(metrics(), HasSubstr("\nmallard_ready 0\n"));
  server_->publish(snapshot(true));
  EXPECT_THAT(metrics(), HasSubstr("\nmallard_ready 1\n"));
  server_->publish(snapshot(false));
  EXPECT_THAT(metrics(), HasSubstr("\nmallard_ready 0\n"));
  EXPECT_THAT(metrics(), HasSubstr("mallard_peer_up"));
}

TEST_F(AdminServerTest, serves_the_page_with_a_policy) {
  const auto page = client_->Get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_THAT(page->get_header_value("Content-Type"), HasSubstr("text/html"));
  EXPECT_THAT(page->get_header_value("Content-Security-Policy"), HasSubstr("default-src 'none'"));
}

TEST_F(AdminServerTest, is_read_only_and_touches_no_files) {
  server_->publish(snapshot(true));
  EXPECT_EQ(client_->Post("/status", "x", "text/plain")->status, 405);
  EXPECT_EQ(client_->Delete("/status")->status, 405);
  EXPECT_EQ(status_of("/etc/passwd"), 404);
  EXPECT_EQ(status_of("/../../etc/passwd"), 404);
  EXPECT_EQ(status_of("/%2e%2e/%2e%2e/etc/passwd"), 404);
}

TEST_F(AdminServerTest, refuses_a_request_that_is_too_long) {
  EXPECT_EQ(status_of(("/" + std::string(20'000, 'a')).c_str()), 414);
}

TEST_F(AdminServerTest, refuses_more_headers_than_anyone_needs) {
  const auto status_with = [&](int headers) {
    httplib::Headers all;
    for (int i = 0; i < headers; ++i) {
      all.emplace("X-" + std::to_string(i), "v");
    }
    return client_->Get("/metrics", all)->status;
  };
  EXPECT_EQ(status_with(40), 200);
  EXPECT_EQ(status_with(100), 431);
}

TEST_F(AdminServerTest, a_taken_port_is_a_problem_with_advice) {
  const auto second = AdminServer::open({.host = "127.0.0.1", .port = server_->port()});
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().what, HasSubstr(std::to_string(server_->port())));
  EXPECT_THAT(second.error().advice, HasSubstr("free the port"));
}

TEST_F(AdminServerTest, answers_while_the_loop_publishes) {
  std::atomic<bool> stop = false;
  std::thread loop([&] {
    while (!stop) {
      server_->publish(snapshot(true));
    }
  });
  std::vector<std::thread> clients;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      httplib::Client client("127.0.0.1", server_->port());
      for (int k = 0; k < 20; ++k) {
        const auto answer = client.Get(k % 2 == 0 ? "/metrics" : "/status");
        good += answer && answer->status == 200 ? 1 : 0;
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  stop = true;
  loop.join();
  EXPECT_EQ(good, 80);
}

TEST(AdminServer, a_loop_that_stops_to_report_is_not_live) {
  const auto opened =
      AdminServer::open({.host = "127.0.0.1", .port = 0, .live_time = Duration::milliseconds(50)});
  ASSERT_TRUE(opened.has_value());
  (*opened)->publish({.status_json = "{}", .ready = true});
  httplib::Client client("127.0.0.1", (*opened)->port());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (client.Get("/livez")->status == 200 && std::chrono::steady_clock::now() < end) {
  }
  EXPECT_EQ(client.Get("/livez")->status, 503);
  EXPECT_EQ(client.Get("/readyz")->status, 503);
  (*opened)->publish({.status_json = "{}", .ready = true});
  EXPECT_EQ(client.Get("/livez")->status, 200);
}

// Somebody who talks to the server without a library.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int small = 4096;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void* erased = &address;
    EXPECT_EQ(::connect(socket_, static_cast<const sockaddr*>(erased), sizeof address), 0);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool send(const std::string& bytes) const {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  // Gives `bytes` again and again, `pause_ms` apart, until the server closes; false when it has not by the
  // deadline.
  bool drip_until_closed(const std::string& bytes, int pause_ms) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end) {
      pollfd source{.fd = socket_, .events = POLLIN, .revents = 0};
      if (::poll(&source, 1, pause_ms) == 1 || !send(bytes)) {
        return true;
      }
    }
    return false;
  }

 private:
  int socket_;
};

TEST(AdminServer, who_gives_a_byte_at_a_time_is_closed_when_the_time_is_over) {
  const auto opened =
      AdminServer::open({.host = "127.0.0.1", .port = 0, .request_time = Duration::milliseconds(200)});
  ASSERT_TRUE(opened.has_value());
  const std::vector<std::string> beginnings{"", "GET /livez HTTP/1.1\r\n", "GET /livez HTTP/1.1\r\nX: ",
                                            "GET /livez HTTP/1.1\r\nContent-Length: 8000\r\n\r\n"};
  std::vector<std::thread> slow;
  std::atomic<std::size_t> closed = 0;
  for (const std::string& beginning : beginnings) {
    slow.emplace_back([&] {
      const RawClient client((*opened)->port());
      EXPECT_TRUE(client.send(beginning));
      closed += client.drip_until_closed("a", 10) ? 1 : 0;
    });
  }
  for (std::thread& client : slow) {
    client.join();
  }
  EXPECT_EQ(closed, beginnings.size());
  httplib::Client client("127.0.0.1", (*opened)->port());
  EXPECT_EQ(client.Get("/metrics")->status, 200);
}

TEST(AdminServer, a_request_without_end_is_closed_long_before_its_time_is_over) {
  const auto opened =
      AdminServer::open({.host = "127.0.0.1", .port = 0, .request_time = Duration::seconds(3600)});
  ASSERT_TRUE(opened.has_value());
  for (const std::string beginning : {"GET /", "GET / HTTP/1.1\r\n"}) {
    const RawClient client((*opened)->port());
    EXPECT_TRUE(client.send(beginning));
    // A first line, or header lines, without end.
    EXPECT_TRUE(client.drip_until_closed(beginning.size() == 5 ? std::string(1000, 'a') : "a: b\r\n", 0));
  }
}

TEST(AdminServer, who_does_not_take_its_answer_holds_nobody_up) {
  const auto opened =
      AdminServer::open({.host = "127.0.0.1", .port = 0, .answer_time = Duration::milliseconds(200)});
  ASSERT_TRUE(opened.has_value());
  (*opened)->publish({.status_json = std::string(32U << 20, ' '), .ready = true});
  const RawClient first((*opened)->port());
  const RawClient second((*opened)->port());
  EXPECT_TRUE(first.send("GET /status HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(second.send("GET /status HTTP/1.1\r\n\r\n"));
  httplib::Client client("127.0.0.1", (*opened)->port());
  client.set_read_timeout(20);
  EXPECT_EQ(client.Get("/livez")->status, 200);
}

// Of this process.
std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST(AdminServer, who_says_nothing_does_not_hold_up_its_end) {
  constexpr Duration request_time = Duration::seconds(10);
  constexpr std::chrono::nanoseconds patience(request_time.ns);
  auto opened = AdminServer::open({.host = "127.0.0.1", .port = 0, .request_time = request_time});
  ASSERT_TRUE(opened.has_value());
  const auto begin = std::chrono::steady_clock::now();
  const std::ptrdiff_t before = open_descriptors();
  // More than are served at a time, some in the middle of a request.
  constexpr int count = 6;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<RawClient>((*opened)->port()));
    EXPECT_TRUE(clients.back()->send(i % 2 == 0 ? "" : "GET /livez HT"));
  }
  while (open_descriptors() < before + 2 * count && std::chrono::steady_clock::now() - begin < patience) {
    std::this_thread::yield();
  }
  ASSERT_EQ(open_descriptors(), before + 2 * count) << "all were let in";
  opened->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, patience) << "nobody's time was over";
}

TEST(AdminServer, stops_at_once_when_it_was_just_opened) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(AdminServer::open({.host = "127.0.0.1", .port = 0}).has_value());
  }
}

}  // namespace
}  // namespace mallard::transport
