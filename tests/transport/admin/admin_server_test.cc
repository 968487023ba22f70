#include "transport/admin/admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
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

TEST(AdminServer, stops_at_once_when_it_was_just_opened) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(AdminServer::open({.host = "127.0.0.1", .port = 0}).has_value());
  }
}

}  // namespace
}  // namespace mallard::transport
