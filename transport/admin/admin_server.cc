#include "transport/admin/admin_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include "transport/admin/bounded_stream.h"
#include "transport/admin/live_page.h"
#include "transport/admin/metrics_text.h"
#include "transport/admin/request_queue.h"

namespace mallard::transport {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t threads = 2;
constexpr std::size_t waiting_max = 16;
constexpr std::size_t request_bytes_max = 32U << 10;
constexpr std::size_t headers_max = 64;
constexpr std::size_t body_bytes_max = 8U << 10;
constexpr int service_unavailable = 503;
constexpr int headers_too_large = 431;
constexpr int method_not_allowed = 405;

constexpr const char* plain_text = "text/plain; charset=utf-8";

// httplib would also set SO_REUSEPORT, with which two processes share a port without noticing.
void set_socket_options(socket_t socket) {
  const int on = 1;
  static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
}

// One request on a connection, since a connection that is kept holds a thread between its requests.
class BoundedServer final : public httplib::Server {
 public:
  BoundedServer(Duration request_time, Duration answer_time)
      : request_time_(request_time), answer_time_(answer_time) {}

  // As stop(), and nobody is waited for: who was let in and has said nothing yet is closed.
  void end() {
    ending_ = true;
    stop();
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    bool answered = false;
    if (!ending_) {
      BoundedStream stream(socket, request_bytes_max, request_time_, answer_time_, ending_);
      bool closed = false;
      answered = process_request(stream, true, closed, nullptr);
    }
    ::shutdown(socket, SHUT_RDWR);
    ::close(socket);
    return answered;
  }

  Duration request_time_;
  Duration answer_time_;
  std::atomic<bool> ending_ = false;
};

}  // namespace

class AdminServer::Service {
 public:
  explicit Service(const AdminSettings& settings)
      : live_time_(settings.live_time), server_(settings.request_time, settings.answer_time) {
    server_.new_task_queue = [] { return new RequestQueue(threads, waiting_max); };
    server_.set_socket_options(set_socket_options);
    server_.set_payload_max_length(body_bytes_max);
    server_.set_default_headers({{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}});
    server_.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
      if (request.headers.size() > headers_max) {
        response.status = headers_too_large;
        response.set_content("too many headers\n", plain_text);
        return httplib::Server::HandlerResponse::Handled;
      }
      if (request.method == "GET" || request.method == "HEAD") {
        return httplib::Server::HandlerResponse::Unhandled;
      }
      response.status = method_not_allowed;
      response.set_content("read-only\n", plain_text);
      return httplib::Server::HandlerResponse::Handled;
    });
    route();
  }

  ~Service() {
    if (thread_.joinable()) {
      server_.end();
      thread_.join();
    }
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  bool open(const AdminSettings& settings) {
    if (settings.port == 0) {
      const int bound = server_.bind_to_any_port(settings.host.c_str());
      port_ = static_cast<std::uint16_t>(bound > 0 ? bound : 0);
    } else if (server_.bind_to_port(settings.host.c_str(), settings.port)) {
      port_ = settings.port;
    }
    if (port_ == 0) {
      return false;
    }
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() does nothing to a server that has not begun to listen.
    while (!server_.is_running()) {
      std::this_thread::yield();
    }
    return true;
  }

  void publish(AdminSnapshot snapshot) {
    auto next = std::make_shared<const Published>(Published{std::move(snapshot), Clock::now()});
    const std::lock_guard lock(mutex_);
    published_.swap(next);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  struct Published {
    AdminSnapshot snapshot;
    Clock::time_point at;
  };

  std::shared_ptr<const Published> latest() {
    const std::lock_guard lock(mutex_);
    return published_;
  }

  // Why the process is not live; empty while it is.
  [[nodiscard]] std::string not_live_because(const Published* published) const {
    if (published == nullptr) {
      return "starting";
    }
    const auto silent = Clock::now() - published->at;
    if (silent < std::chrono::nanoseconds(live_time_.ns)) {
      return {};
    }
    return fmt::format("the loop has not reported for {} s",
                       std::chrono::duration_cast<std::chrono::seconds>(silent).count());
  }

  // Why it is not ready; empty while it is.
  [[nodiscard]] std::string not_ready_because(const Published* published) const {
    std::string trouble = not_live_because(published);
    if (trouble.empty() && !published->snapshot.ready) {
      trouble =
          published->snapshot.not_ready_because.empty() ? "not ready" : published->snapshot.not_ready_because;
    }
    return trouble;
  }

  // What the snapshot has, and what only a server can say of a loop that no longer speaks for itself.
  [[nodiscard]] std::string metrics_page(const Published* published) const {
    const MetricSample ready{.name = "mallard_ready",
                             .help = "1 while /readyz says that the process is ready.",
                             .value = not_ready_because(published).empty() ? 1.0 : 0.0};
    return metrics_text({ready}) + (published != nullptr ? metrics_text(published->snapshot.metrics) : "");
  }

  static void answer_health(const std::string& trouble, httplib::Response& response) {
    response.status = trouble.empty() ? 200 : service_unavailable;
    response.set_content(trouble.empty() ? "ok\n" : trouble + "\n", plain_text);
  }

  void route() {
    server_.Get("/livez", [this](const httplib::Request&, httplib::Response& response) {
      answer_health(not_live_because(latest().get()), response);
    });
    server_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      answer_health(not_ready_because(latest().get()), response);
    });
    server_.Get("/status", [this](const httplib::Request&, httplib::Response& response) {
      const auto published = latest();
      response.set_content(published ? published->snapshot.status_json : "{\"state\": \"starting\"}",
                           "application/json");
    });
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(metrics_page(latest().get()), "text/plain; version=0.0.4; charset=utf-8");
    });
    server_.Get("/", [](const httplib::Request&, httplib::Response& response) {
      response.set_header("Content-Security-Policy", std::string(live_page_policy));
      response.set_content(live_page().data(), live_page().size(), "text/html; charset=utf-8");
    });
  }

  const Duration live_time_;
  BoundedServer server_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::shared_ptr<const Published> published_;
  std::thread thread_;
};

Result<std::unique_ptr<AdminServer>, AdminProblem> AdminServer::open(const AdminSettings& settings) {
  auto service = std::make_unique<Service>(settings);
  if (!service->open(settings)) {
    return Failure<AdminProblem>(
        {fmt::format("cannot serve admin HTTP on {} port {}", settings.host, settings.port),
         "free the port, or choose another one, or another admin_address, in the YAML file"});
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(service)));
}

AdminServer::AdminServer(std::unique_ptr<Service> service) : service_(std::move(service)) {}
AdminServer::~AdminServer() = default;

void AdminServer::publish(AdminSnapshot snapshot) { service_->publish(std::move(snapshot)); }
std::uint16_t AdminServer::port() const { return service_->port(); }

}  // namespace mallard::transport
