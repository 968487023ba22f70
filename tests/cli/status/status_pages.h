// Pages of /status as gateways write them, for tests.
#pragma once

#include <string>

namespace mallard::cli {

// east 0, the source of east-west, with west 0 up. `state` and `peer_up` may be changed.
inline std::string source_page(const std::string& state = "active", bool peer_up = true) {
  const bool is_active = state == "active";
  return R"({"process":"gateway","cluster":"east","id":0,"version":"0.1.0",)"
         R"("incarnation":"7","uptime_s":7985.2,)"
         R"("ready":true,"not_ready_because":"",)"
         R"("links":[{"name":"east-west","role":"source","peer_cluster":"west",)"
         R"("state":")" +
         state + R"(","since_s":3.25,"waiting_for":")" + (is_active ? "" : "reports of weight 2 from west") +
         R"(","committed":{"batch":70,"message":63666},"sent":{"batch":65},)"
         R"("quacked":{"batch":60,"message":63000},"received":null,"applied":null,)"
         R"("lag":{"messages":666,"bytes":131072,"seconds":0.12},)"
         R"("latency":{"of":"commit_to_quack","batches":60,"p50_ms":5.0,"p99_ms":25.0},)"
         R"("copies":31833,"resends":2,"messages":63666,"last_error":"","next":")" +
         (is_active ? "" : "on the machines of west: mallard status") +
         R"("}],"peers":[{"cluster":"west","id":0,"up":)" + (peer_up ? "true" : "false") +
         R"(,"since_s":75,"rtt_ms":null,"last_error":")" + (peer_up ? "" : "connection refused") + R"("}]})";
}

// west 0, the destination of east-west.
inline std::string destination_page() {
  return R"({"process":"gateway","cluster":"west","id":0,"version":"0.1.0","incarnation":"8","uptime_s":12,)"
         R"("ready":true,"not_ready_because":"",)"
         R"("links":[{"name":"east-west","role":"destination","peer_cluster":"east",)"
         R"("state":"active","since_s":11,"waiting_for":"",)"
         R"("committed":{"batch":70,"message":63600},"sent":null,"quacked":null,)"
         R"("received":{"batch":64},"applied":{"batch":63,"message":63100},)"
         R"("lag":{"messages":500,"bytes":70000,"seconds":0.31},)"
         R"("latency":{"of":"receive_to_apply","batches":63,"p50_ms":1.0,"p99_ms":2500.0},)"
         R"("copies":33000,"resends":0,"messages":63100,"last_error":"","next":""}],"peers":[]})";
}

// The replica east 0. `state` may be changed.
inline std::string replica_page(const std::string& state = "leading") {
  const bool is_ready = state == "leading" || state == "following";
  return R"({"process":"replica","cluster":"east","id":0,"version":"0.1.0",)"
         R"("incarnation":"9","uptime_s":100.5,)"
         R"("ready":)" +
         std::string(is_ready ? "true" : "false") + R"(,"not_ready_because":")" +
         (is_ready ? "" : "it knows of no leader") + R"(","state":")" + state +
         R"(","since_s":61,"leader":)" + (is_ready ? "0" : "null") + R"(,"role":")" +
         (state == "leading" ? "leader" : "follower") +
         R"(","term":3,"epoch":1,"committed":5002,"durable":5001,"applied":5000,"waiting_for":")" +
         (is_ready ? "" : "2 of the 3 replicas to agree on a leader") +
         R"(","last_error":"","durability":"disk","entries":7,"links":[{"name":"east-west","message":9}]})";
}

}  // namespace mallard::cli
