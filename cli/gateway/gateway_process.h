// One running gateway: its loop, channels, attachment and admin pages, put together.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "bridge/attach/built_in/built_in_attachment.h"
#include "bridge/attach/file/file_attachment.h"
#include "bridge/gateway/accept_all.h"
#include "bridge/gateway/gateway.h"
#include "bridge/gateway/latency_watch.h"
#include "cli/exit_code.h"
#include "cli/gateway/channel_carrier.h"
#include "cli/gateway/gateway_plan.h"
#include "cli/gateway/gateway_report.h"
#include "config/pairing.h"
#include "config/system/directory_lock.h"
#include "config/system/file_descriptor.h"
#include "crypto/key_pair.h"
#include "transport/admin/admin_server.h"
#include "transport/channel/channel_set.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {

struct GatewayPlace {
  ReplicaAddress self;
  std::filesystem::path directory;  // of this gateway: keys, and the log of a cluster that others run
  std::filesystem::path replica;    // of the replica process, where Mallard runs the cluster
};

class GatewayProcess {
 public:
  // What this machine has is opened here; what cannot be is printed to stderr and leaves `exit_code` set,
  // with nullptr returned.
  static std::unique_ptr<GatewayProcess> open(const config::Pairing& pairing, const GatewayPlace& place,
                                              ExitCode& exit_code);
  ~GatewayProcess();
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

  // Waits for the replica, if Mallard runs it, opens the channels and runs until SIGTERM or SIGINT. What was
  // submitted to the disk is finished before it returns.
  ExitCode run();

 private:
  // How many callbacks run between two turns of the gateway.
  static constexpr std::size_t calls_per_turn_max = 64;

  GatewayProcess(const config::Pairing& pairing, ReplicaAddress self);
  [[nodiscard]] bool load_key(const std::filesystem::path& directory, ExitCode& exit_code);
  [[nodiscard]] bool begin_life(const std::filesystem::path& directory, ExitCode& exit_code);
  [[nodiscard]] bool attach_file(const std::filesystem::path& directory, ExitCode& exit_code);
  [[nodiscard]] bool attach_replica(const GatewayPlace& place, ExitCode& exit_code);
  [[nodiscard]] bool open_admin(ExitCode& exit_code);
  // False when it was told to stop before.
  [[nodiscard]] bool wait_for_replica();
  void make_gateway();
  [[nodiscard]] bool open_channels(ExitCode& exit_code);
  void watch_directory(const std::filesystem::path& directory);
  // What there is by now.
  [[nodiscard]] GatewaySources sources() const;
  void print_memory_plan() const;
  void turn(Instant now, bool& busy);

  config::Pairing pairing_;
  ReplicaAddress self_;
  MemoryPlan memory_;
  PayloadPool pool_;        // before the loop: what the loop still holds at its end gives its payloads back
  FileDescriptor notices_;  // of changes in the directory
  transport::EventLoop loop_;
  bridge::AcceptAll certificates_;
  ChannelCarrier carrier_;
  GatewayFeed feed_;
  Incarnation incarnation_;
  std::optional<crypto::KeyPair> key_;
  std::optional<DirectoryLock> lock_;  // where no log is, which would have its own
  std::unique_ptr<bridge::file::FileAttachment> file_;
  std::unique_ptr<bridge::built_in::BuiltInAttachment> replica_;
  std::unique_ptr<bridge::LatencyWatch> latencies_;
  std::unique_ptr<bridge::Gateway> gateway_;
  std::unique_ptr<transport::ChannelSet> bridge_channels_;
  std::unique_ptr<transport::ChannelSet> local_channels_;
  std::unique_ptr<transport::AdminServer> admin_;
  std::unique_ptr<GatewayReport> report_;
  Instant publish_at_;
  std::size_t pool_free_before_ = 0;
  bool stopping_ = false;
};

}  // namespace mallard::cli
