// What the door carries between a replica and what is beside it, and what a message costs: batches to a
// gateway that grants credit, and commands of clients with their replies. Both ends run in this one thread,
// so the time is the CPU time of both together.

#include <benchmark/benchmark.h>

#include <asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "config/base/payload_pool.h"
#include "tests/support/alloc_guard.h"
#include "tests/support/scratch_directory.h"
#include "transport/door/door_client.h"
#include "transport/door/door_codec.h"
#include "transport/door/door_server.h"

namespace mallard::transport::door {
namespace {

constexpr std::uint32_t read_ahead = 16;

// Answers each command with its own bytes, and taps with as many batches as there is credit for.
class Replica final : public DoorServerObserver {
 public:
  explicit Replica(PayloadPool& pool) : pool_(pool) {}
  void on_open(DoorConnection from, const DoorPeer&) override { peer = from; }
  void on_message(DoorConnection from, const DoorMessage& message) override {
    if (const auto* const submit = std::get_if<Submit>(&message)) {
      server->send(from, Reply{.request = submit->request, .bytes = submit->command});
    } else if (const auto* const more = std::get_if<Credit>(&message)) {
      credit += more->batches;
    }
    pool_.release(body_of(message));
  }
  void on_room(DoorConnection) override {}
  void on_closed(DoorConnection, DoorEnd) override {}

  DoorServer* server = nullptr;
  DoorConnection peer;
  std::uint64_t credit = 0;

 private:
  PayloadPool& pool_;
};

class Caller final : public DoorClientObserver {
 public:
  explicit Caller(PayloadPool& pool) : pool_(pool) {}
  void on_open(const Welcome&) override { open = true; }
  void on_message(const DoorMessage& message) override {
    ++messages;
    pool_.release(body_of(message));
  }
  void on_room() override {}
  void on_closed(DoorEnd) override { open = false; }
  void on_failed(const std::string&, const std::string&) override {}

  bool open = false;
  std::uint64_t messages = 0;

 private:
  PayloadPool& pool_;
};

struct House {
  explicit House(Role role) {
    DoorServerSettings settings;
    settings.path = door_path(directory.path());
    settings.replica = {ClusterIndex(0), ReplicaIndex(0)};
    settings.incarnation = Incarnation(1);
    server = std::move(*DoorServer::open(settings, {io, server_pool, replica}));
    replica.server = server.get();
    DoorClientSettings calls;
    calls.path = settings.path;
    calls.role = role;
    client = std::make_unique<DoorClient>(calls, DoorClient::Ports{io, client_pool, caller});
    while (!caller.open) {
      io.run_one_for(std::chrono::milliseconds(5));
    }
  }

  ScratchDirectory directory;
  asio::io_context io{1};
  PayloadPool server_pool{16U << 20};
  PayloadPool client_pool{16U << 20};
  Replica replica{server_pool};
  Caller caller{client_pool};
  std::unique_ptr<DoorServer> server;
  std::unique_ptr<DoorClient> client;
};

void report(benchmark::State& state, std::uint64_t messages, const support::AllocGuard& guard) {
  const auto bytes = static_cast<std::int64_t>(messages) * state.range(0);
  state.SetItemsProcessed(static_cast<std::int64_t>(messages));
  state.SetBytesProcessed(bytes);
  state.counters["allocations"] = static_cast<double>(guard.allocations());
}

// A batch of state.range(0) bytes from the replica to its gateway; credit as the built-in attachment gives
// it.
void tapped_batches(benchmark::State& state) {
  House house(Role::gateway);
  const PayloadRef payload = house.server_pool.allocate(static_cast<std::size_t>(state.range(0))).value();
  std::uint64_t sent = 0;
  std::uint64_t granted = read_ahead;
  house.replica.credit = read_ahead;
  const support::AllocGuard guard;
  for (auto _ : state) {
    while (sent == house.replica.credit) {
      if (granted - house.caller.messages <= read_ahead / 2 &&
          house.client->send(Credit{.link = LinkIndex(0), .serial = 1, .batches = read_ahead / 2})) {
        granted += read_ahead / 2;
      }
      house.io.poll();
    }
    ++sent;
    while (!house.server->send(house.replica.peer, Batch{.link = LinkIndex(0),
                                                         .serial = 1,
                                                         .generation = Generation(1),
                                                         .range = {BatchNumber(sent), MessageNumber(sent), 1},
                                                         .payload = payload})) {
      house.io.poll();
    }
  }
  while (house.caller.messages < sent) {
    house.io.poll();
  }
  report(state, sent, guard);
  house.server_pool.release(payload);
}

// A command of state.range(0) bytes and its reply of as many, with as many under way as the replica allows.
void commands(benchmark::State& state) {
  House house(Role::client);
  const PayloadRef command = house.client_pool.allocate(static_cast<std::size_t>(state.range(0))).value();
  std::uint64_t sent = 0;
  const support::AllocGuard guard;
  for (auto _ : state) {
    while (!house.client->send(Submit{.request = sent + 1, .command = command})) {
      house.io.poll();
    }
    ++sent;
  }
  while (house.caller.messages < sent) {
    house.io.poll();
  }
  report(state, sent, guard);
  house.client_pool.release(command);
}

// One command at a time: the time of a round trip.
void command_and_reply(benchmark::State& state) {
  House house(Role::client);
  const PayloadRef command = house.client_pool.allocate(static_cast<std::size_t>(state.range(0))).value();
  std::uint64_t sent = 0;
  const support::AllocGuard guard;
  for (auto _ : state) {
    house.client->send(Submit{.request = ++sent, .command = command});
    house.client->flush();
    while (house.caller.messages < sent) {
      house.io.poll();
    }
  }
  report(state, sent, guard);
  house.client_pool.release(command);
}

BENCHMARK(tapped_batches)->Arg(128)->Arg(12'800)->Arg(256 << 10);
BENCHMARK(commands)->Arg(100)->Arg(1024);
BENCHMARK(command_and_reply)->Arg(100)->Arg(1024);

}  // namespace
}  // namespace mallard::transport::door
