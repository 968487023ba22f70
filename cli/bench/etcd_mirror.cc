#include "cli/bench/etcd_mirror.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "cli/bench/bench_records.h"
#include "cli/bench/etcd_cluster.h"
#include "cli/bench/scratch_folder.h"
#include "cli/demo/child_process.h"
#include "cli/demo/free_ports.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

constexpr std::size_t ports_per_member = 3;      // clients, peers, metrics
constexpr std::size_t writes_per_txn_max = 128;  // etcd's --max-txn-ops
constexpr std::size_t bytes_per_txn_max = 512U << 10;
constexpr Duration start_patience = Duration::seconds(30);
constexpr Duration fill_patience = Duration::seconds(120);
constexpr Duration mirror_patience = Duration::seconds(300);
constexpr Duration read_patience = Duration::seconds(30);
constexpr auto between_looks = std::chrono::milliseconds(20);

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class EtcdMirror {
 public:
  EtcdMirror(const MirrorSettings& settings, const ScratchFolder& folder, const std::uint16_t* ports,
             const volatile int& interrupted)
      : records_{settings.values, settings.bytes},
        folder_(folder),
        interrupted_(interrupted),
        source_({.folder = folder.make("source"), .members = mirror_members, .tls = true}, ports),
        destination_({.folder = folder.make("destination"), .members = mirror_members, .tls = true},
                     ports + mirror_members * EtcdCluster::ports_per_member) {}

  Result<double, std::string> measure() {
    if (auto ready = until([this] { return source_.is_healthy() && destination_.is_healthy(); },
                           start_patience, "etcd did not become healthy");
        !ready) {
      return Failure<std::string>(ready.error());
    }
    if (auto filled = fill(); !filled) {
      return Failure<std::string>(filled.error());
    }
    auto rate = drain();
    if (!rate) {
      return rate;
    }
    const auto same = read_back();
    return same ? rate : Failure<std::string>(same.error());
  }

 private:
  template <class Predicate>
  Result<void, std::string> until(Predicate is_so, Duration patience, const std::string& what) {
    const Instant end = transport::EventLoop::now() + patience;
    while (!is_so()) {
      if (interrupted_ != 0 || source_.has_ended() || destination_.has_ended() ||
          transport::EventLoop::now() > end) {
        return Failure<std::string>(interrupted_ != 0 ? "interrupted" : what);
      }
      std::this_thread::sleep_for(between_looks);
    }
    return {};
  }

  // By transactions, from files: the program has no other way to put many.
  Result<void, std::string> fill() {
    const std::filesystem::path input = folder_.make("input");
    const std::size_t per_txn =
        std::clamp<std::size_t>(bytes_per_txn_max / records_.bytes, 1, writes_per_txn_max);
    std::string script = "set -e\n";
    for (std::size_t at = 0; at < records_.count; at += per_txn) {
      const std::filesystem::path file = input / std::to_string(at);
      std::ofstream out(file);
      out << "\n";
      for (std::size_t i = at; i < std::min(at + per_txn, records_.count); ++i) {
        out << "put " << records_.key(i) << " " << records_.value(i) << "\n";
      }
      out << "\n\n";
      script += fmt::format("\"$0\" \"$@\" txn < {}\n", file.string());
    }
    std::vector<std::string> arguments{"-c", script, find_program("etcdctl")->string()};
    const std::vector<std::string> options = source_.client_arguments();
    arguments.insert(arguments.end(), options.begin(), options.end());
    const std::filesystem::path log = folder_.path() / "fill.out";
    return run("/bin/sh", arguments, log, fill_patience);
  }

  Result<double, std::string> drain() {
    std::vector<std::string> arguments = source_.client_arguments();
    arguments.insert(arguments.end(),
                     {"make-mirror", "--dest-insecure-transport=false",
                      "--dest-cacert=" + destination_.certificate().string(), destination_.endpoint(0)});
    const std::filesystem::path log = folder_.path() / "mirror.out";
    ChildProcess mirror(*find_program("etcdctl"), arguments, log);
    const auto wait = [&](std::size_t member, std::uint64_t puts) {
      return until([&] { return destination_.puts(member) >= puts || !mirror.running(); }, mirror_patience,
                   "make-mirror did not bring everything");
    };
    if (auto waited = wait(0, records_.count / 10); !waited) {
      return Failure<std::string>(waited.error());
    }
    const Instant began = transport::EventLoop::now();
    const std::uint64_t skipped = destination_.puts(0);
    for (std::size_t member = 0; member < mirror_members; ++member) {
      if (auto waited = wait(member, records_.count); !waited) {
        return Failure<std::string>(waited.error());
      }
    }
    if (!mirror.running()) {
      return Failure<std::string>("make-mirror ended: " + read_file(log));
    }
    return static_cast<double>(records_.count - skipped) * 1e9 /
           static_cast<double>((transport::EventLoop::now() - began).ns);
  }

  Result<void, std::string> read_back() {
    std::vector<std::string> arguments = destination_.client_arguments();
    arguments.insert(arguments.end(), {"get", "--prefix", "bench/"});
    const std::filesystem::path log = folder_.path() / "read.out";
    if (auto read = run(*find_program("etcdctl"), arguments, log, read_patience); !read) {
      return read;
    }
    std::ifstream in(log);
    std::string key;
    std::string value;
    std::size_t seen = 0;
    while (std::getline(in, key) && std::getline(in, value)) {
      if (seen >= records_.count || key != records_.key(seen) || value != records_.value(seen)) {
        return Failure<std::string>(fmt::format("etcd has {} where record {} should be", key, seen));
      }
      ++seen;
    }
    return seen == records_.count
               ? Result<void, std::string>()
               : Failure<std::string>(fmt::format("etcd has {} of {} records", seen, records_.count));
  }

  Result<void, std::string> run(const std::filesystem::path& program,
                                const std::vector<std::string>& arguments, const std::filesystem::path& log,
                                Duration patience) {
    ChildProcess child(program, arguments, log);
    if (auto ended = until([&] { return !child.running(); }, patience, "etcdctl did not end"); !ended) {
      return ended;
    }
    if (*child.exit_status() != 0) {
      return Failure<std::string>("etcdctl failed: " + read_file(log).substr(0, 1'000));
    }
    return {};
  }

  BenchRecords records_;
  const ScratchFolder& folder_;
  const volatile int& interrupted_;
  EtcdCluster source_;
  EtcdCluster destination_;
};

}  // namespace

Result<double, std::string> run_etcd_mirror(const MirrorSettings& settings, const volatile int& interrupted) {
  const std::size_t wanted = std::size_t{2} * mirror_members * EtcdCluster::ports_per_member;
  const std::vector<std::uint16_t> ports = find_free_ports(wanted);
  if (ports.size() < wanted) {
    return Failure<std::string>(fmt::format("{} free ports are needed at 127.0.0.1", wanted));
  }
  const ScratchFolder folder(ScratchFolder::Medium::disk);
  return EtcdMirror(settings, folder, ports.data(), interrupted).measure();
}

}  // namespace mallard::cli
