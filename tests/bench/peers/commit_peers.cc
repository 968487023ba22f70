// What a client waits for a write that two of three members have: at Mallard, etcd and Redis with WAIT, one
// after the other in each round, at the same durability, on the same medium: the disk, or memory. Prints
// medians over the rounds.
//
//   commit_peers [disk|replicated] [ROUNDS] [SECONDS]
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cli/bench/bench_records.h"
#include "cli/bench/etcd_cluster.h"
#include "cli/bench/percentile.h"
#include "cli/bench/scratch_folder.h"
#include "cli/demo/child_process.h"
#include "cli/demo/free_ports.h"
#include "tests/bench/peers/peer_socket.h"
#include "transport/driver/event_loop.h"

namespace mallard::bench {
namespace {

constexpr std::size_t bytes = 64;
constexpr std::uint16_t members = 3;
constexpr std::size_t warm_up = 50;
constexpr auto start_patience = std::chrono::seconds(30);

struct Plan {
  bool disk = false;
  std::uint64_t rounds = 3;
  std::uint64_t seconds = 5;
};

struct Times {
  double p50_us = 0;
  double p99_us = 0;
};

// Puts one record after the other for so long, and reads the last ones back.
template <class Put>
Times measure(const Plan& plan, Put put) {
  const cli::BenchRecords records{.count = 0, .bytes = bytes};
  std::vector<double> times;
  Instant end = Instant::never();
  for (std::size_t number = 0; transport::EventLoop::now() < end; ++number) {
    const Instant began = transport::EventLoop::now();
    put(records.key(number), records.value(number));
    if (number > warm_up) {
      times.push_back(static_cast<double>((transport::EventLoop::now() - began).ns) / 1e3);
    } else if (number == warm_up) {
      end = transport::EventLoop::now() + Duration::seconds(static_cast<std::int64_t>(plan.seconds));
    }
  }
  std::sort(times.begin(), times.end());
  return {cli::percentile(times, 0.5), cli::percentile(times, 0.99)};
}

template <class Predicate>
void await(Predicate is_so, const char* what) {
  const auto end = std::chrono::steady_clock::now() + start_patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) {
      throw std::runtime_error(what);
    }
    std::this_thread::yield();
  }
}

Times measure_mallard(const Plan& plan, const cli::ScratchFolder& folder) {
  const std::filesystem::path out = folder.path() / "mallard.out";
  std::filesystem::remove(out);
  const std::string words = fmt::format(
      "exec \"$0\" bench commit --wait adaptive --durability {} --bytes {} --seconds {} -o json 2>/dev/null",
      plan.disk ? "disk" : "replicated", bytes, 3 * plan.seconds);
  cli::ChildProcess program("/bin/sh", {"-c", words, MALLARD_PROGRAM}, out);
  if (!program.wait(Duration::seconds(300)) || *program.exit_status() != 0) {
    throw std::runtime_error("mallard bench commit failed");
  }
  std::ifstream in(out);
  const auto figures = nlohmann::json::parse(in);
  return {figures["client_ns_p50"].get<double>() / 1e3, figures["client_ns_p99"].get<double>() / 1e3};
}

std::string base64(const std::string& text) {
  std::string encoded(sodium_base64_encoded_len(text.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  const void* characters = text.data();
  sodium_bin2base64(encoded.data(), encoded.size(), static_cast<const unsigned char*>(characters),
                    text.size(), sodium_base64_VARIANT_ORIGINAL);
  encoded.resize(encoded.size() - 1);
  return encoded;
}

// By the JSON door of the member that leads, over one connection. etcd always syncs: without a need for that
// its data lies in memory.
Times measure_etcd(const Plan& plan, const std::filesystem::path& folder) {
  const auto ports = cli::find_free_ports(members * cli::EtcdCluster::ports_per_member);
  cli::EtcdCluster cluster({.folder = folder, .members = members}, ports.data());
  await([&] { return cluster.is_healthy(); }, "etcd did not become healthy");
  const auto call = [](PeerSocket& socket, const std::string& path, const std::string& body) {
    socket.send(fmt::format("POST /v3/{} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}", path,
                            body.size(), body));
    const std::string head = socket.read_through("\r\n\r\n");
    const std::size_t length = head.find("Content-Length: ");
    if (!head.starts_with("HTTP/1.1 200") || length == std::string::npos) {
      throw std::runtime_error("etcd answers " + head);
    }
    return socket.read(std::strtoul(head.c_str() + length + 16, nullptr, 10));
  };
  for (std::size_t member = 0; member < members; ++member) {
    PeerSocket socket(cluster.client_port(member));
    const auto status = nlohmann::json::parse(call(socket, "maintenance/status", "{}"));
    if (status["leader"] == status["header"]["member_id"]) {
      return measure(plan, [&](const std::string& key, const std::string& value) {
        static_cast<void>(call(socket, "kv/put",
                               fmt::format(R"({{"key":"{}","value":"{}"}})", base64(key), base64(value))));
      });
    }
  }
  throw std::runtime_error("no member of etcd leads");
}

// SET and WAIT 1 in one write: acknowledged once one of two replicas has it too. With `disk` each of them
// syncs its log; what WAIT counts is what a replica has received.
Times measure_redis(const Plan& plan, const std::filesystem::path& folder) {
  const auto ports = cli::find_free_ports(members);
  std::vector<cli::ChildProcess> servers;
  for (std::size_t i = 0; i < members; ++i) {
    const std::filesystem::path own = folder / std::to_string(i);
    std::filesystem::create_directory(own);
    std::vector<std::string> arguments{"--port",        std::to_string(ports[i]),
                                       "--bind",        "127.0.0.1",
                                       "--dir",         own.string(),
                                       "--save",        "",
                                       "--appendonly",  plan.disk ? "yes" : "no",
                                       "--appendfsync", "always"};
    if (i > 0) {
      arguments.insert(arguments.end(), {"--replicaof", fmt::format("127.0.0.1 {}", ports[0])});
    }
    servers.emplace_back(*cli::find_program("redis-server"), arguments, folder / fmt::format("{}.out", i));
  }
  const auto answers = [&](std::size_t server, const std::string& command, const std::string& wanted) {
    try {
      PeerSocket socket(ports[server]);
      socket.send(command + "\r\nPING\r\n");
      return socket.read_through("+PONG\r\n").find(wanted) != std::string::npos;
    } catch (const std::runtime_error&) {
      return false;
    }
  };
  await([&] { return answers(1, "INFO replication", "master_link_status:up"); }, "Redis has no replica");
  await([&] { return answers(2, "INFO replication", "master_link_status:up"); }, "Redis has no replica");
  PeerSocket socket(ports[0]);
  return measure(plan, [&](const std::string& key, const std::string& value) {
    socket.send(fmt::format("*3\r\n$3\r\nSET\r\n${}\r\n{}\r\n${}\r\n{}\r\nWAIT 1 0\r\n", key.size(), key,
                            value.size(), value));
    const std::string set = socket.read_through("\r\n");
    const std::string waited = socket.read_through("\r\n");
    if (set != "+OK\r\n" || (waited != ":1\r\n" && waited != ":2\r\n")) {
      throw std::runtime_error("Redis answers " + set + waited);
    }
  });
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return cli::percentile(values, 0.5);
}

void run(const Plan& plan) {
  std::map<std::string, std::vector<Times>> all;
  for (std::uint64_t round = 0; round < plan.rounds; ++round) {
    const cli::ScratchFolder folder(plan.disk ? cli::ScratchFolder::Medium::disk
                                              : cli::ScratchFolder::Medium::memory);
    all["mallard"].push_back(measure_mallard(plan, folder));
    all["etcd"].push_back(measure_etcd(plan, folder.make("etcd")));
    all["redis"].push_back(measure_redis(plan, folder.make("redis")));
  }
  fmt::print("| system | p50 | p99 | p50 against Mallard |\n|---|---|---|---|\n");
  std::map<std::string, Times> medians;
  for (const auto& [name, rounds] : all) {
    std::vector<double> halves;
    std::vector<double> tails;
    for (const Times& one : rounds) {
      halves.push_back(one.p50_us);
      tails.push_back(one.p99_us);
    }
    medians[name] = {median(halves), median(tails)};
  }
  for (const char* name : {"mallard", "etcd", "redis"}) {
    fmt::print("| {} | {:.0f} us | {:.0f} us | {:.2f} |\n", name, medians[name].p50_us, medians[name].p99_us,
               medians[name].p50_us / medians["mallard"].p50_us);
  }
}

}  // namespace
}  // namespace mallard::bench

int main(int argc, char** argv) {
  try {
    mallard::bench::Plan plan;
    plan.disk = argc < 2 || std::string(argv[1]) == "disk";
    plan.rounds = argc < 3 ? plan.rounds : std::clamp(std::strtoul(argv[2], nullptr, 10), 1UL, 100UL);
    plan.seconds = argc < 4 ? plan.seconds : std::clamp(std::strtoul(argv[3], nullptr, 10), 1UL, 20UL);
    if (!mallard::cli::has_etcd() || !mallard::cli::find_program("redis-server")) {
      fmt::print(stderr, "install etcd-server, etcd-client and redis-server\n");
      return 1;
    }
    mallard::bench::run(plan);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "commit_peers: {}\n", error.what());
    return 1;
  }
}
