#include "cli/bench/client_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <span>
#include <vector>

#include "cli/bench/bench_records.h"
#include "cli/bench/percentile.h"
#include "cli/bench/replica_deployment.h"
#include "cli/bench/scratch_folder.h"
#include "cli/kv/kv_client.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_reply.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

constexpr std::size_t puts_max = 100'000;
constexpr std::uint64_t value_bytes_total_max = 64ULL << 20;  // a quarter of what a machine holds
constexpr std::size_t warm_up_puts = 50;
constexpr Duration put_patience = Duration::seconds(10);
constexpr Duration settle_patience = Duration::seconds(10);

Result<Duration, std::string> put(KvClient& client, const BenchRecords& records, std::size_t number) {
  const std::string key = records.key(number);
  const std::string value = records.value(number);
  const std::vector<std::byte> command = rsm::encode_command(
      {.operation = rsm::KvOperation::put,
       .write = {.key = std::as_bytes(std::span(key)), .value = std::as_bytes(std::span(value))}});
  const Instant began = transport::EventLoop::now();
  client.ask(command, Repeat::always);
  if (!client.turn(began + put_patience)) {
    return Failure<std::string>(fmt::format("a put was not answered: {}", client.failure()));
  }
  const Duration took = transport::EventLoop::now() - began;
  const auto reply = rsm::decode_reply(client.answer()->bytes);
  if (client.answer()->status != transport::door::ReplyStatus::done || !reply ||
      reply->status != rsm::KvStatus::ok) {
    return Failure<std::string>("a put was refused");
  }
  return took;
}

Result<ClientFigures, std::string> measure(const ClientSettings& settings, ReplicaDeployment& deployment,
                                           const volatile int& interrupted) {
  if (auto started = deployment.start(interrupted); !started) {
    return Failure<std::string>(started.error());
  }
  KvClient client(deployment.directories());
  BenchRecords records{.count = 0, .bytes = settings.bytes};
  std::vector<std::int64_t> times;
  const std::size_t puts = std::min<std::size_t>(puts_max, value_bytes_total_max / settings.bytes);
  times.reserve(puts);
  Instant end = Instant::never();
  while (records.count < puts && transport::EventLoop::now() < end) {
    if (interrupted != 0) {
      return Failure<std::string>("interrupted");
    }
    const auto took = put(client, records, records.count);
    if (!took) {
      return Failure<std::string>(took.error());
    }
    if (++records.count > warm_up_puts) {
      times.push_back(took->ns);
    } else if (records.count == warm_up_puts) {
      end = transport::EventLoop::now() + settings.time;
    }
  }
  const Instant settle_by = transport::EventLoop::now() + settle_patience;
  for (std::size_t place = 0; place < settings.replicas;) {
    const auto compared = compare_records(client, place, records);
    if (compared) {
      ++place;
    } else if (transport::EventLoop::now() > settle_by || interrupted != 0) {
      return Failure<std::string>(compared.error());
    }
  }
  if (times.empty()) {
    return Failure<std::string>("no put was measured; give more --seconds");
  }
  std::sort(times.begin(), times.end());
  fmt::print(stderr, "{} puts of a client, one at a time; every replica has all of them\n", times.size());
  return ClientFigures{.put_ns_p50 = static_cast<std::uint64_t>(percentile(times, 0.5)),
                       .put_ns_p99 = static_cast<std::uint64_t>(percentile(times, 0.99))};
}

}  // namespace

Result<ClientFigures, std::string> run_client(const ClientSettings& settings,
                                              const volatile int& interrupted) {
  const ScratchFolder folder(settings.durability);
  auto deployment = ReplicaDeployment::make(
      folder.path(), {.durability = settings.durability, .replicas = settings.replicas});
  if (!deployment) {
    return Failure<std::string>(deployment.error());
  }
  auto figures = measure(settings, *deployment, interrupted);
  deployment->stop();
  return figures;
}

}  // namespace mallard::cli
