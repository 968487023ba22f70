// A pairing whose clusters are in different networks, joined by nothing but a bad line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/integration/deployment/deployment.h"
#include "tests/integration/deployment/network_namespace.h"
#include "tests/integration/deployment/workload.h"
#include "tests/integration/network/tun_link.h"

namespace mallard::integration {

class TwoSites {
 public:
  static constexpr std::uint16_t replicas = 3;  // on each side
  static constexpr std::size_t message_bytes = 200;
  static constexpr std::uint64_t messages_per_entry = 50;

  // Throws where the machine does not let us: ask NetworkNamespace::create() first.
  TwoSites(const Impairment& impairment, std::uint64_t seed);

  // East commits this many more messages.
  void commit(std::uint64_t messages) { source_.commit(messages, messages_per_entry); }
  // How many messages the slowest replica of west was delivered; each was checked.
  [[nodiscard]] std::uint64_t delivered_everywhere();
  // Waits until that is all that was committed, and all of east knows it. Empty, or what was wrong.
  [[nodiscard]] std::string finish(Duration limit);

  // A fault of a site's network: iptables -A with these arguments, for as long as the object lives.
  class Fault {
   public:
    Fault(const NetworkNamespace& space, std::vector<std::string> rule);
    ~Fault();
    Fault(const Fault&) = delete;
    Fault& operator=(const Fault&) = delete;

   private:
    const NetworkNamespace& space_;
    std::vector<std::string> rule_;
  };
  [[nodiscard]] const NetworkNamespace& west() const { return west_; }

  [[nodiscard]] Deployment& deployment() { return deployment_; }
  [[nodiscard]] const TunLink& line() const { return line_; }
  // Of all of east's gateways, as they count them.
  [[nodiscard]] double copies_per_message() const;
  [[nodiscard]] double resends_per_message() const;
  // What the line and the gateways counted, on stdout.
  void print_counters(const std::string& title) const;

 private:
  [[nodiscard]] bool known_everywhere() const;

  NetworkNamespace east_;
  NetworkNamespace west_;
  TunLink line_;
  Deployment deployment_;
  SourceLogs source_;
  std::vector<DeliveryCheck> checks_;
};

}  // namespace mallard::integration
