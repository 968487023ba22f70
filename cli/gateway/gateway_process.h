// One running gateway: its loop, channels, attachment and admin pages, put together.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "bridge/attach/file/file_attachment.h"
#include "bridge/gateway/accept_all.h"
#include "bridge/gateway/gateway.h"
#include "bridge/gateway/latency_watch.h"
#include "cli/exit_code.h"
#include "cli/gateway/channel_carrier.h"
#include "cli/gateway/gateway_plan.h"
#include "cli/gateway/gateway_report.h"
#include "config/pairing.h"
#include "transport/admin/admin_server.h"
#include "transport/channel/channel_set.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {

class GatewayProcess {
 public:
  // Everything is opened here; what cannot be is printed to stderr and leaves `exit_code` set, with nullptr
  // returned.
  static std::unique_ptr<GatewayProcess> open(const config::Pairing& pairing, ReplicaAddress self,
                                              const std::filesystem::path& directory, ExitCode& exit_code);
  ~GatewayProcess();
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

  // Runs until SIGTERM or SIGINT. What was submitted to the disk is finished before it returns.
  void run();

 private:
  // How many callbacks run between two turns of the gateway.
  static constexpr std::size_t calls_per_turn_max = 64;

  GatewayProcess(const config::Pairing& pairing, ReplicaAddress self);
  [[nodiscard]] bool open_storage(const std::filesystem::path& directory, ExitCode& exit_code);
  [[nodiscard]] bool open_channels(const std::filesystem::path& directory, ExitCode& exit_code);
  [[nodiscard]] bool open_admin(ExitCode& exit_code);
  void watch_directory(const std::filesystem::path& directory);
  void print_memory_plan() const;
  void turn(Instant now, bool& busy);

  config::Pairing pairing_;
  ReplicaAddress self_;
  MemoryPlan memory_;
  PayloadPool pool_;  // before the loop: what the loop still holds at its end gives its payloads back
  bridge::file::FileDescriptor notices_;  // of changes in the directory
  transport::EventLoop loop_;
  bridge::AcceptAll certificates_;
  ChannelCarrier carrier_;
  GatewayFeed feed_;
  Incarnation incarnation_;
  std::unique_ptr<bridge::file::FileAttachment> attachment_;
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
