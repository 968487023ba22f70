#include "cli/bench/mirror_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <span>
#include <thread>
#include <vector>

#include "cli/bench/bench_records.h"
#include "cli/bench/percentile.h"
#include "cli/bench/scratch_folder.h"
#include "cli/demo/child_process.h"
#include "cli/demo/demo_deployment.h"
#include "cli/kv/kv_client.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_reply.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

constexpr std::size_t source = 0;
constexpr std::size_t destination = 1;
constexpr std::size_t writes_per_entry_max = 64;
constexpr std::size_t bytes_per_entry_max = 64U << 10;
constexpr std::size_t lag_writes = 200;
constexpr Duration answer_patience = Duration::seconds(10);
constexpr Duration look_patience = Duration::milliseconds(200);
constexpr Duration drain_patience = Duration::seconds(120);
constexpr auto between_looks = std::chrono::milliseconds(1);
constexpr auto between_writes = std::chrono::milliseconds(10);

ByteView bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

Instant now() { return transport::EventLoop::now(); }

// Two clusters and their clients.
class Mirror {
 public:
  Mirror(const MirrorSettings& settings, DemoDeployment& deployment, const volatile int& interrupted)
      : records_{settings.values, settings.bytes},
        deployment_(deployment),
        interrupted_(interrupted),
        source_(deployment.directories(source)),
        destination_(deployment.directories(destination)) {}

  Result<MirrorFigures, std::string> measure() {
    for (auto step : {&Mirror::fill, &Mirror::drain, &Mirror::measure_lag}) {
      if (auto done = (this->*step)(); !done) {
        return Failure<std::string>(done.error());
      }
    }
    return figures_;
  }

 private:
  Result<void, std::string> fill() {
    for (std::size_t r = 0; r < mirror_members; ++r) {
      deployment_.start(source, r);
    }
    const std::size_t per_entry =
        std::clamp<std::size_t>(bytes_per_entry_max / records_.bytes, 1, writes_per_entry_max);
    for (std::size_t at = 0; at < records_.count; at += per_entry) {
      if (auto written = write(at, std::min(at + per_entry, records_.count)); !written) {
        return written;
      }
    }
    return read_back(source_);
  }

  // One transaction with the records from `begin` to `end`.
  Result<void, std::string> write(std::size_t begin, std::size_t end) {
    std::vector<std::string> texts;
    texts.reserve(2 * (end - begin));
    std::vector<rsm::KvWrite> writes;
    for (std::size_t i = begin; i < end; ++i) {
      texts.push_back(records_.key(i));
      texts.push_back(records_.value(i));
      const std::size_t last = texts.size() - 1;
      writes.push_back({.operation = rsm::KvOperation::put,
                        .key = bytes_of(texts[last - 1]),
                        .value = bytes_of(texts[last])});
    }
    source_.ask(rsm::encode_txn({}, writes, std::nullopt), Repeat::always);
    if (interrupted_ != 0 || !source_.turn(now() + answer_patience)) {
      return Failure<std::string>(interrupted_ != 0 ? "interrupted"
                                                    : "a write was not answered: " + source_.failure());
    }
    const auto reply = rsm::decode_reply(source_.answer()->bytes);
    if (source_.answer()->status != transport::door::ReplyStatus::done || !reply ||
        reply->status != rsm::KvStatus::ok) {
      return Failure<std::string>("a write was refused");
    }
    return {};
  }

  Result<void, std::string> drain() {
    for (std::size_t r = 0; r < mirror_members; ++r) {
      deployment_.start(destination, r);
    }
    const std::size_t skipped = records_.count / 10;
    if (auto arrived = await(skipped, {0}); !arrived) {
      return arrived;
    }
    const Instant began = now();
    const Duration cpu_before = cpu_time_of_children();
    if (auto arrived = await(records_.count - 1, {0, 1, 2}); !arrived) {
      return arrived;
    }
    const auto moved = static_cast<double>(records_.count - 1 - skipped);
    figures_.values_per_second = moved * 1e9 / static_cast<double>((now() - began).ns);
    figures_.cpu_us_per_value = static_cast<double>((cpu_time_of_children() - cpu_before).ns) / 1e3 / moved;
    return read_back(destination_);
  }

  Result<void, std::string> measure_lag() {
    std::vector<std::int64_t> lags;
    for (std::size_t i = 0; i < lag_writes; ++i) {
      const std::size_t number = records_.count;
      if (auto written = write(number, number + 1); !written) {
        return written;
      }
      const Instant began = now();
      if (auto arrived = await(number, {0, 1, 2}); !arrived) {
        return arrived;
      }
      lags.push_back((now() - began).ns);
      records_.count = number + 1;
      std::this_thread::sleep_for(between_writes);
    }
    std::sort(lags.begin(), lags.end());
    figures_.lag_ms_p50 = static_cast<double>(percentile(lags, 0.5)) / 1e6;
    figures_.lag_ms_p99 = static_cast<double>(percentile(lags, 0.99)) / 1e6;
    return read_back(destination_);
  }

  // Until these replicas of the destination have the record.
  Result<void, std::string> await(std::size_t number, const std::vector<std::size_t>& places) {
    const std::string key = records_.key(number);
    const std::vector<std::byte> get =
        rsm::encode_command({.operation = rsm::KvOperation::get, .write = {.key = bytes_of(key)}});
    const Instant end = now() + drain_patience;
    for (const std::size_t place : places) {
      for (bool there = false; !there;) {
        destination_.ask_locally(place, get);
        if (destination_.turn(now() + look_patience)) {
          const auto reply = rsm::decode_reply(destination_.answer()->bytes);
          there = reply && reply->status == rsm::KvStatus::ok;
        }
        if (auto wrong = trouble(end, number); !wrong.empty()) {
          return Failure<std::string>(wrong);
        }
        if (!there) {
          std::this_thread::sleep_for(between_looks);
        }
      }
    }
    return {};
  }

  // Replicas may be a moment behind what was acknowledged.
  Result<void, std::string> read_back(KvClient& client) {
    const Instant end = now() + answer_patience;
    for (std::size_t place = 0; place < mirror_members;) {
      auto compared = compare_records(client, place, records_);
      if (compared) {
        ++place;
      } else if (now() > end || interrupted_ != 0) {
        return compared;
      }
    }
    return {};
  }

  std::string trouble(Instant end, std::size_t number) {
    if (interrupted_ != 0) {
      return "interrupted";
    }
    for (std::size_t c = source; c <= destination; ++c) {
      for (std::size_t r = 0; r < mirror_members; ++r) {
        if (std::string words = deployment_.last_words(c, r); !words.empty()) {
          return words;
        }
      }
    }
    return now() > end ? fmt::format("record {} did not arrive", number) : "";
  }

  BenchRecords records_;
  DemoDeployment& deployment_;
  const volatile int& interrupted_;
  KvClient source_;
  KvClient destination_;
  MirrorFigures figures_;
};

}  // namespace

Result<MirrorFigures, std::string> run_mirror(const MirrorSettings& settings,
                                              const volatile int& interrupted) {
  const ScratchFolder folder(ScratchFolder::Medium::disk);
  auto deployment = DemoDeployment::make(folder.path(), mirror_members,
                                         {config::ClusterKind::cft, config::ClusterKind::cft});
  if (!deployment) {
    return Failure<std::string>(deployment.error());
  }
  auto figures = Mirror(settings, *deployment, interrupted).measure();
  const auto stopped = deployment->stop_all();
  if (figures && !stopped) {
    return Failure<std::string>(stopped.error());
  }
  return figures;
}

}  // namespace mallard::cli
