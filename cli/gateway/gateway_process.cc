#include "cli/gateway/gateway_process.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <utility>

#include "cli/gateway/fence_text.h"
#include "cli/incarnation.h"
#include "crypto/key_file.h"

namespace mallard::cli {
namespace {

namespace file = bridge::file;

void complain(const std::string& what, const std::string& advice) {
  fmt::print(stderr, "mallard gateway: {}; {}\n", what, advice);
}

ExitCode exit_code_of(file::StorageFault fault) {
  return fault == file::StorageFault::machine ? ExitCode::failed : ExitCode::refused;
}

// From whichever thread meets it. What was acknowledged is safe; what the failed call left behind is unknown,
// and only a restart that reads everything again can tell.
[[noreturn]] void end_process(const file::StorageProblem& problem) {
  complain(problem.what, problem.advice);
  std::fflush(stderr);
  ::_exit(static_cast<int>(exit_code_of(problem.fault)));
}

double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1U << 20); }

}  // namespace

GatewayProcess::GatewayProcess(const config::Pairing& pairing, ReplicaAddress self)
    : pairing_(pairing),
      self_(self),
      memory_(plan_memory(pairing, self)),
      pool_(std::max(plan_pool(pairing, self), PayloadPool::slot_bytes_max)),
      carrier_(self.cluster) {}

GatewayProcess::~GatewayProcess() = default;

std::unique_ptr<GatewayProcess> GatewayProcess::open(const config::Pairing& pairing,
                                                     const GatewayPlace& place, ExitCode& exit_code) {
  std::unique_ptr<GatewayProcess> process(new GatewayProcess(pairing, place.self));
  process->print_memory_plan();
  const bool has_replica = pairing.clusters[place.self.cluster.value].kind == config::ClusterKind::cft;
  if (!process->load_key(place.directory, exit_code) ||
      !(has_replica ? process->attach_replica(place, exit_code)
                    : process->attach_file(place.directory, exit_code)) ||
      !process->open_admin(exit_code)) {
    return nullptr;
  }
  process->loop_.watch_signals({SIGTERM, SIGINT}, [raw = process.get()](int) { raw->stopping_ = true; });
  return process;
}

bool GatewayProcess::load_key(const std::filesystem::path& directory, ExitCode& exit_code) {
  auto key = crypto::load_key(directory, crypto::KeyRole::gateway);
  if (!key) {
    complain(key.error().what, key.error().advice);
    exit_code = ExitCode::failed;
    return false;
  }
  const config::ReplicaSettings& own = pairing_.clusters[self_.cluster.value].replicas[self_.replica.value];
  if (key->public_key() != own.keys.gateway) {
    complain(fmt::format("{}: is not the gateway key of {} {} in the configuration",
                         crypto::key_file_path(directory, crypto::KeyRole::gateway).string(),
                         pairing_.clusters[self_.cluster.value].name, self_.replica.value),
             "give --data the directory that belongs to this replica, or put `mallard keys show` of it in "
             "the file");
    exit_code = ExitCode::refused;
    return false;
  }
  key_.emplace(std::move(*key));
  return true;
}

bool GatewayProcess::begin_life(const std::filesystem::path& directory, ExitCode& exit_code) {
  const auto incarnation = begin_incarnation(directory);
  if (!incarnation) {
    complain(incarnation.error(), "see to the directory's rights and free space");
    exit_code = ExitCode::failed;
    return false;
  }
  incarnation_ = *incarnation;
  return true;
}

bool GatewayProcess::attach_file(const std::filesystem::path& directory, ExitCode& exit_code) {
  auto attachment = file::FileAttachment::open(plan_file_attachment(pairing_, self_, directory), pool_,
                                               {.wake = [this] { loop_.wake(); }, .on_failure = end_process},
                                               file::WriteCalls::system());
  if (!attachment) {
    complain(attachment.error().what, attachment.error().advice);
    exit_code = exit_code_of(attachment.error().fault);
    return false;
  }
  file_ = std::move(*attachment);
  watch_directory(directory);
  return begin_life(directory, exit_code);
}

bool GatewayProcess::attach_replica(const GatewayPlace& place, ExitCode& exit_code) {
  auto lock = DirectoryLock::take(place.directory);
  if (!lock) {
    complain(lock.error().what, lock.error().advice);
    exit_code = lock.error().occupied ? ExitCode::refused : ExitCode::failed;
    return false;
  }
  lock_.emplace(std::move(*lock));
  if (!begin_life(place.directory, exit_code)) {
    return false;
  }
  bridge::built_in::BuiltInSettings settings = plan_built_in_attachment(pairing_, self_, place.replica);
  settings.incarnation = incarnation_;
  settings.seed ^= incarnation_.value;
  replica_ = std::make_unique<bridge::built_in::BuiltInAttachment>(
      settings, loop_.io(), pool_,
      bridge::built_in::BuiltInCallbacks{
          .on_failure =
              [](const std::string& what) {
                end_process({.fault = file::StorageFault::machine, .what = what, .advice = "start it again"});
              },
          .on_fence =
              [this](const bridge::built_in::FenceNews& news) {
                const FenceLine line = fence_line(pairing_, news);
                complain(line.what, line.advice);
              }});
  return true;
}

bool GatewayProcess::wait_for_replica() {
  while (!stopping_ && !replica_->is_ready()) {
    admin_->publish(waiting_snapshot(sources()));
    loop_.wait(transport::EventLoop::now() + transport::AdminServer::publish_interval, calls_per_turn_max);
  }
  return !stopping_;
}

void GatewayProcess::make_gateway() {
  bridge::Attachment& attachment = file_ ? static_cast<bridge::Attachment&>(*file_) : *replica_;
  bridge::BridgeSettings settings = plan_bridge(pairing_, self_);
  for (bridge::LinkSettings& link : settings.links) {
    if (replica_) {
      link.generation = replica_->generation(link.link);
      link.fence = replica_->fence();
    }
    if (link.to == self_.cluster) {
      const bridge::AppliedCursor cursor = attachment.cursor(link.link);
      link.cursor = cursor.batch;
      link.cursor_message = cursor.message;
      link.storage_lost = cursor.storage_lost;
    }
  }
  settings.seed ^= incarnation_.value;
  latencies_ = std::make_unique<bridge::LatencyWatch>(settings);
  gateway_ =
      std::make_unique<bridge::Gateway>(settings, bridge::Gateway::Ports{.carrier = carrier_,
                                                                         .attachment = attachment,
                                                                         .certificates = certificates_,
                                                                         .pool = pool_,
                                                                         .observer = latencies_.get()});
  feed_.connect(gateway_.get());
}

bool GatewayProcess::open_channels(ExitCode& exit_code) {
  for (const transport::Plane plane : {transport::Plane::bridge, transport::Plane::local}) {
    transport::ChannelSettings settings = plan_channels(pairing_, self_, plane);
    settings.incarnation = incarnation_;
    auto channels =
        transport::ChannelSet::open(settings, *key_, {.io = loop_.io(), .pool = pool_, .observer = feed_});
    if (!channels) {
      complain(channels.error().what, channels.error().advice);
      exit_code = ExitCode::failed;
      return false;
    }
    (plane == transport::Plane::bridge ? bridge_channels_ : local_channels_) = std::move(*channels);
  }
  carrier_.connect(bridge_channels_.get(), local_channels_.get());
  report_ = std::make_unique<GatewayReport>(sources(), transport::EventLoop::now());
  return true;
}

GatewaySources GatewayProcess::sources() const {
  return {.pairing = pairing_,
          .self = self_,
          .gateway = gateway_.get(),
          .latencies = latencies_.get(),
          .pool = pool_,
          .bridge_channels = bridge_channels_.get(),
          .local_channels = local_channels_.get(),
          .replica = replica_.get(),
          .incarnation = incarnation_,
          .memory_limit = memory_.total()};
}

bool GatewayProcess::open_admin(ExitCode& exit_code) {
  const config::ReplicaSettings& own = pairing_.clusters[self_.cluster.value].replicas[self_.replica.value];
  auto admin = transport::AdminServer::open({.host = own.admin_address, .port = own.ports.admin});
  if (!admin) {
    complain(admin.error().what, admin.error().advice);
    exit_code = ExitCode::failed;
    return false;
  }
  admin_ = std::move(*admin);
  return true;
}

// The loop wakes when the committed log grows; the next turn sees by itself what is new. Without notices it
// would see it at its next deadline.
void GatewayProcess::watch_directory(const std::filesystem::path& directory) {
  notices_ = FileDescriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!notices_.is_open() ||
      ::inotify_add_watch(notices_.number(), directory.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
    complain(fmt::format("{}: changes cannot be watched", directory.string()),
             "raise fs.inotify.max_user_instances; until then new entries are seen some milliseconds late");
    return;
  }
  loop_.watch_readable(notices_.number(), [this] {
    std::array<char, 4096> notices{};
    while (::read(notices_.number(), notices.data(), notices.size()) > 0) {
    }
  });
}

void GatewayProcess::print_memory_plan() const {
  fmt::print(stderr,
             "mallard gateway: {} {}: memory at most {:.0f} MiB = payloads {:.0f} + channels {:.0f} + core "
             "{:.0f} + logs "
             "{:.0f} + program {:.0f}\n",
             pairing_.clusters[self_.cluster.value].name, self_.replica.value, mebibytes(memory_.total()),
             mebibytes(memory_.pool), mebibytes(memory_.channels), mebibytes(memory_.core),
             mebibytes(memory_.attachment), mebibytes(memory_.program));
}

ExitCode GatewayProcess::run() {
  if (replica_ && !wait_for_replica()) {
    return ExitCode::ok;
  }
  make_gateway();
  ExitCode exit_code = ExitCode::ok;
  if (!open_channels(exit_code)) {
    return exit_code;
  }
  while (!stopping_) {
    const Instant now = transport::EventLoop::now();
    bool busy = false;
    turn(now, busy);
    if (busy) {
      loop_.run_ready(calls_per_turn_max);
    } else {
      loop_.wait(std::min(gateway_->next_deadline(), publish_at_), calls_per_turn_max);
    }
  }
  return ExitCode::ok;
}

void GatewayProcess::turn(Instant now, bool& busy) {
  busy = gateway_->turn(now);
  bridge_channels_->flush();
  local_channels_->flush();
  const std::size_t free_bytes = pool_.free_bytes();
  if (free_bytes > pool_free_before_) {
    bridge_channels_->resume_reads();
    local_channels_->resume_reads();
  }
  pool_free_before_ = free_bytes;
  if (now >= publish_at_) {
    admin_->publish(report_->snapshot(now));
    publish_at_ = now + transport::AdminServer::publish_interval;
  } else if (busy) {
    report_->observe(now);
  }
}

}  // namespace mallard::cli
