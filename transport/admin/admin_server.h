// The admin HTTP of a process: /metrics, /livez, /readyz, /status and a live page at /. Read-only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/base/result.h"
#include "config/base/time.h"
#include "transport/admin/admin_snapshot.h"

namespace mallard::transport {

struct AdminSettings {
  std::string host =
      "127.0.0.1";  // an address of this machine; nothing here authenticates: who reaches it may read
  std::uint16_t port = 9780;                     // 0: any; AdminServer::port() tells
  Duration live_time = Duration::seconds(5);     // a loop that has not published for so long is stuck
  Duration request_time = Duration::seconds(2);  // for a whole request to arrive
  Duration answer_time = Duration::seconds(5);   // for a whole answer to leave
};

struct AdminProblem {
  std::string what;
  std::string advice;
};

// Serves in threads of its own, from the snapshot that was published last, so that no request ever waits for
// the loop or holds it up.
//
//   /livez    200 while publish() is called at least every live_time, else 503
//   /readyz   200 while live and the snapshot says ready, else 503 with its reason
//   /metrics  Prometheus text format 0.0.4: the snapshot's series, and mallard_ready, 1 when /readyz is 200
//   /status   the snapshot's JSON
//   /         a page that shows /status and keeps up with it
//
// Limits: 2 requests at a time and 16 that wait, the times of the settings, 32 KiB and 64 headers for a
// request, 8 KiB for a line of it and for its body, one request on a connection. Only GET and HEAD.
class AdminServer {
 public:
  // How often a loop should publish at most: often enough for people, seldom enough to cost nothing.
  static constexpr Duration publish_interval = Duration::milliseconds(250);

  // Binds and starts to serve.
  [[nodiscard]] static Result<std::unique_ptr<AdminServer>, AdminProblem> open(const AdminSettings& settings);
  // Answers what has arrived whole and is taken at once; waits for nobody, so that it takes 200 ms or so.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // From any thread; holds a lock for the time of one pointer's exchange.
  void publish(AdminSnapshot snapshot);

  [[nodiscard]] std::uint16_t port() const;

 private:
  class Service;
  explicit AdminServer(std::unique_ptr<Service> service);
  std::unique_ptr<Service> service_;
};

}  // namespace mallard::transport
