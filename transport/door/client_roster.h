// What the clients that come in over the network have taken so far, of what each of them may.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "transport/door/body_budget.h"
#include "transport/door/door_end.h"
#include "transport/door/door_limits.h"

namespace mallard::transport::door {

class ClientRoster {
 public:
  // All memory is allocated here.
  ClientRoster(std::size_t clients, const ClientDoorLimits& limits)
      : connections_max_(limits.connections_per_client), whole_(limits.body_bytes) {
    clients_.reserve(clients);
    for (std::size_t i = 0; i < clients; ++i) {
      clients_.push_back({BodyBudget(limits.body_bytes_per_client, &whole_)});
    }
  }
  ClientRoster(const ClientRoster&) = delete;
  ClientRoster& operator=(const ClientRoster&) = delete;

  // False when the client has as many connections as it may.
  [[nodiscard]] bool enter(std::size_t client) {
    if (clients_[client].connections == connections_max_) {
      return false;
    }
    ++clients_[client].connections;
    return true;
  }
  void leave(std::size_t client) { --clients_[client].connections; }

  [[nodiscard]] BodyBudget& budget(std::size_t client) { return clients_[client].budget; }

  // Whether this is the first time that a connection of the client ended so: worth a line in the log.
  [[nodiscard]] bool is_news(std::size_t client, DoorEnd end) {
    const auto bit = 1U << static_cast<unsigned>(end);
    const bool is_new = (clients_[client].told & bit) == 0;
    clients_[client].told |= bit;
    return is_new;
  }

 private:
  struct Client {
    BodyBudget budget;
    std::uint32_t connections = 0;
    std::uint32_t told = 0;  // a bit for each end
  };

  std::uint32_t connections_max_;
  BodyBudget whole_;
  std::vector<Client> clients_;
};

}  // namespace mallard::transport::door
