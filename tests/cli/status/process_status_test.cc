#include "cli/status/process_status.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "tests/cli/status/status_pages.h"
#include "tests/config/pairings.h"

namespace mallard::cli {
namespace {

using testing::HasSubstr;

// Answers every request on a loopback port with one page, until it goes.
class PageServer {
 public:
  explicit PageServer(std::string page)
      : page_(std::move(page)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    void* erased = &address;
    auto* generic = static_cast<sockaddr*>(erased);
    if (::bind(socket_, generic, size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, generic, &size) != 0) {
      throw std::runtime_error("no loopback port");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~PageServer() {
    ::shutdown(socket_, SHUT_RDWR);  // ends accept()
    thread_.join();
    ::close(socket_);
  }
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve() {
    for (int client = 0; (client = ::accept(socket_, nullptr, nullptr)) >= 0; ::close(client)) {
      std::string request(4096, '\0');
      std::size_t filled = 0;
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = ::recv(client, request.data() + filled, request.size() - filled, 0);
        if (got <= 0) break;
        filled += static_cast<std::size_t>(got);
      }
      const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(page_.size()) +
                                 "\r\nConnection: close\r\n\r\n" + page_;
      static_cast<void>(::send(client, answer.data(), answer.size(), MSG_NOSIGNAL));
    }
  }

  std::string page_;
  int socket_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(ProcessStatus, ReadsWhatAGatewayWrites) {
  const auto source = parse_status(source_page("learning", false));
  ASSERT_TRUE(source) << source.error();
  EXPECT_EQ(source->cluster, "east");
  EXPECT_EQ(source->id, 0U);
  EXPECT_TRUE(source->is_ready);
  EXPECT_DOUBLE_EQ(source->uptime_seconds, 7985.2);
  ASSERT_EQ(source->links.size(), 1U);
  const LinkStatus& link = source->links[0];
  EXPECT_TRUE(link.is_source);
  EXPECT_EQ(link.state, "learning");
  EXPECT_EQ(link.waiting_for, "reports of weight 2 from west");
  EXPECT_EQ(link.committed_message, 63'666U);
  EXPECT_EQ(link.done_message, 63'000U);
  EXPECT_EQ(link.lag_messages, 666U);
  EXPECT_EQ(link.lag_bytes, 131'072U);
  EXPECT_DOUBLE_EQ(link.latency_p99_ms, 25);
  EXPECT_EQ(link.copies, 31'833U);
  EXPECT_EQ(link.repeats, 2U);
  ASSERT_EQ(source->peers.size(), 1U);
  EXPECT_FALSE(source->peers[0].is_up);
  EXPECT_EQ(source->peers[0].last_error, "connection refused");
  const auto destination = parse_status(destination_page());
  ASSERT_TRUE(destination) << destination.error();
  EXPECT_FALSE(destination->links[0].is_source);
  EXPECT_EQ(destination->links[0].done_message, 63'100U);
}

TEST(ProcessStatus, ReadsWhatAReplicaWrites) {
  const auto leader = parse_status(replica_page());
  ASSERT_TRUE(leader) << leader.error();
  EXPECT_EQ(leader->kind, ProcessKind::replica);
  EXPECT_TRUE(leader->is_ready);
  EXPECT_TRUE(leader->engine.leads);
  EXPECT_EQ(leader->engine.leader, 0U);
  EXPECT_EQ(leader->engine.term, 3U);
  EXPECT_EQ(leader->engine.epoch, 1U);
  EXPECT_EQ(leader->engine.committed, 5002U);
  EXPECT_EQ(leader->engine.durable, 5001U);
  EXPECT_EQ(leader->engine.applied, 5000U);
  const auto without_leader = parse_status(replica_page("electing"));
  ASSERT_TRUE(without_leader) << without_leader.error();
  EXPECT_FALSE(without_leader->is_ready);
  EXPECT_FALSE(without_leader->engine.leads);
  EXPECT_FALSE(without_leader->engine.leader);
  EXPECT_EQ(without_leader->engine.waiting_for, "2 of the 3 replicas to agree on a leader");
}

TEST(ProcessStatus, SaysWhyAPageIsNone) {
  EXPECT_FALSE(parse_status(""));
  EXPECT_FALSE(parse_status("[]"));
  EXPECT_FALSE(parse_status("{\"cluster\":"));
  EXPECT_THAT(parse_status("{}").error(), HasSubstr("'cluster' not found"));
  std::string wrong = source_page();
  wrong.replace(wrong.find("\"id\":0"), 6, "\"id\":\"\"");
  EXPECT_THAT(parse_status(wrong).error(), HasSubstr("must be number"));
}

TEST(ProcessStatus, AsksTheReplicasOfThisMachine) {
  const PageServer east(source_page());
  const PageServer other("no status");
  config::Pairing pairing = config::small_pairing();  // east: 3 replicas on other machines; west: 1
  config::ClusterSettings& replicas = pairing.clusters[0];
  replicas.replicas[0].ports.admin = east.port();  // answers, so it is here, whatever its host is called
  replicas.replicas[1].host = "127.0.0.1";
  replicas.replicas[1].ports.admin = east.port();  // belongs to east 0
  replicas.replicas[2].ports.admin = other.port();
  pairing.clusters[1].replicas[0].host = "localhost";
  pairing.clusters[1].replicas[0].ports.admin = other.port();
  const LocalProcesses local = ask_local_processes(pairing, Duration::seconds(5));
  ASSERT_EQ(local.replicas.size(), 3U);
  EXPECT_EQ(local.elsewhere, 1U);
  ASSERT_TRUE(local.replicas[0].answer) << local.replicas[0].answer.error();
  EXPECT_EQ(local.replicas[0].page, source_page());
  EXPECT_EQ(local.replicas[1].answer.error(),
            "port " + std::to_string(east.port()) + " belongs to the gateway of east 0");
  EXPECT_EQ(local.replicas[2].cluster, "west");
  EXPECT_THAT(local.replicas[2].answer.error(), HasSubstr(" answered something else: "));
}

TEST(ProcessStatus, AsksReplicasThatMallardRunsWhereTheyServe) {
  const PageServer gateway(source_page());
  const PageServer replica(replica_page("following"));
  config::Pairing pairing = config::small_pairing();
  pairing.clusters.pop_back();
  pairing.clusters[0].kind = config::ClusterKind::cft;
  for (config::ReplicaSettings& one : pairing.clusters[0].replicas) {
    one.ports.admin = gateway.port();
    one.ports.replica_admin = replica.port();
  }
  std::vector<config::ReplicaSettings>& replicas = pairing.clusters[0].replicas;
  replicas[0].admin_address = "0.0.0.0";
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size() - 1), 0);
  replicas[1].host = name.data();            // this machine, by its name
  replicas[1].ports.admin = replica.port();  // which is no gateway's
  replicas[2].host = "127.0.0.1";
  replicas[2].admin_address = "192.0.2.77";  // an address for examples: nobody's
  const LocalProcesses local = ask_local_processes(pairing, Duration::seconds(5));
  ASSERT_EQ(local.replicas.size(), 6U);
  EXPECT_EQ(local.elsewhere, 0U);
  ASSERT_TRUE(local.replicas[0].answer) << local.replicas[0].answer.error();
  EXPECT_EQ(local.replicas[0].kind, ProcessKind::gateway);
  ASSERT_TRUE(local.replicas[1].answer) << local.replicas[1].answer.error();
  EXPECT_EQ(local.replicas[1].kind, ProcessKind::replica);
  EXPECT_EQ(local.replicas[1].answer->engine.state, "following");
  EXPECT_THAT(local.replicas[2].answer.error(), HasSubstr(" belongs to the replica of east 0"));
  EXPECT_THAT(local.replicas[3].answer.error(), HasSubstr(" belongs to the replica of east 0"));
  EXPECT_THAT(local.replicas[5].answer.error(), HasSubstr(" is served at 192.0.2.77, which is not"));
}

TEST(ProcessStatus, ADeadProcessIsAnAnswerToo) {
  std::uint16_t port = 0;
  {
    const PageServer gone("");
    port = gone.port();
  }
  config::Pairing pairing = config::small_pairing();
  pairing.clusters[1].replicas[0].host = "::1";
  pairing.clusters[1].replicas[0].ports.admin = port;
  const LocalProcesses local = ask_local_processes(pairing, Duration::seconds(5));
  ASSERT_FALSE(local.replicas.empty());
  EXPECT_THAT(local.replicas.back().answer.error(), HasSubstr("no answer on port " + std::to_string(port)));
}

}  // namespace
}  // namespace mallard::cli
