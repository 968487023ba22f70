// The doors of a cluster on a thread of their own, before one machine, which do to writes what a test says:
// as replicas do whose leader changes or whose connections are lost.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/base/payload_pool.h"
#include "crypto/sodium.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/machine/kv_reply.h"
#include "transport/door/door_server.h"
#include "transport/door/door_socket.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {

// What a door does to a write in a session.
enum class Treatment : std::uint8_t {
  answers,
  executes_and_hangs_up,
  executes_in_silence,
  hangs_up,
  turns_away,
  says_nothing,
};

class StagedCluster {
 public:
  struct Plan {
    std::size_t doors = 1;
    // Of writes in sessions, in the order in which they come to any door; then `answers`.
    std::deque<Treatment> treatments;
    std::uint32_t sessions_max = 64;
    // Nobody leads: everything is turned away.
    bool has_leader = true;
  };

  explicit StagedCluster(const Plan& plan) : plan_(plan) {
    std::string name = (std::filesystem::temp_directory_path() / "mallard-kv-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    for (std::size_t i = 0; i < plan.doors; ++i) {
      directories_.push_back(folder_ / std::to_string(i));
      std::filesystem::create_directory(directories_.back());
    }
    thread_ = std::thread([this] { run(); });
    ready_.get_future().wait();
  }
  ~StagedCluster() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  StagedCluster(const StagedCluster&) = delete;
  StagedCluster& operator=(const StagedCluster&) = delete;

  [[nodiscard]] const std::vector<std::filesystem::path>& directories() const { return directories_; }
  // Waits until so many reads were answered.
  void await_reads(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(has_read_.wait_for(lock, std::chrono::seconds(20), [&] { return reads_ >= count; }));
  }
  // Ends the doors; what they have executed can be looked at then.
  void stop() {
    is_over_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  // After stop().
  [[nodiscard]] std::uint64_t sum_of(std::string_view key) const {
    rsm::KvCommand get{.operation = rsm::KvOperation::get};
    get.write.key = std::as_bytes(std::span(key));
    std::vector<std::byte> bytes(reply_bytes_max);
    const auto used = machine_->query(ViewId{}, rsm::encode_command(get), bytes);
    const auto reply = rsm::decode_reply(ByteView(bytes).first(used.value()));
    return reply->status == rsm::KvStatus::ok ? ByteReader(reply->body).read<std::uint64_t>() : 0;
  }
  [[nodiscard]] std::uint32_t open_sessions() const { return machine_->open_sessions(); }

 private:
  class Door final : public transport::door::DoorServerObserver {
   public:
    Door(StagedCluster& owner, transport::EventLoop& loop, PayloadPool& pool, std::size_t place)
        : owner_(owner), pool_(pool), place_(place) {
      transport::door::DoorServerSettings settings;
      settings.path = transport::door::door_path(owner.directories_[place]);
      settings.replica = {ClusterIndex(0), ReplicaIndex(static_cast<std::uint16_t>(place))};
      settings.incarnation = Incarnation(1);
      auto opened = transport::door::DoorServer::open(settings, {loop.io(), pool, *this});
      EXPECT_TRUE(opened.has_value());
      server_ = std::move(*opened);
    }

   private:
    void on_open(transport::door::DoorConnection, const transport::door::DoorPeer&) override {}
    void on_room(transport::door::DoorConnection) override {}
    void on_closed(transport::door::DoorConnection, transport::door::DoorEnd) override {}
    void on_message(transport::door::DoorConnection from,
                    const transport::door::DoorMessage& message) override {
      const auto& submit = std::get<transport::door::Submit>(message);
      const ByteView command = pool_.view(submit.command);
      switch (owner_.treatment_of(command)) {
        case Treatment::answers:
          answer(from, submit.request, command);
          break;
        case Treatment::executes_and_hangs_up:
          owner_.execute(command);
          server_->close(from);
          break;
        case Treatment::executes_in_silence:
          owner_.execute(command);
          break;
        case Treatment::hangs_up:
          server_->close(from);
          break;
        case Treatment::turns_away:
          server_->send(from, transport::door::Reply{.request = submit.request,
                                                     .status = transport::door::ReplyStatus::not_leader});
          break;
        case Treatment::says_nothing:
          break;
      }
      pool_.release(submit.command);
    }
    void answer(transport::door::DoorConnection from, std::uint64_t request, ByteView command) {
      const ByteView reply = owner_.execute(command);
      const PayloadRef body = pool_.allocate(reply.size()).value();
      ByteWriter(pool_.span(body)).write_bytes(reply);
      server_->send(from, transport::door::Reply{.request = request, .bytes = body});
      pool_.release(body);
    }

    StagedCluster& owner_;
    PayloadPool& pool_;
    std::size_t place_;
    std::unique_ptr<transport::door::DoorServer> server_;
  };

  class Nowhere : public EgressSink {
   public:
    void emit(const LinkMessage& message) override { static_cast<void>(message); }
  };

  void run() {
    crypto::start_sodium();
    rsm::KvSettings settings;
    settings.state_bytes = 1U << 20;
    settings.sessions_max = plan_.sessions_max;
    settings.view_bytes = 1U << 16;
    settings.history_bytes = rsm::history_bytes_min;
    machine_ = std::make_unique<rsm::KvMachine>(settings);
    reply_.resize(reply_bytes_max);
    PayloadPool pool(8U << 20);
    transport::EventLoop loop;
    std::vector<std::unique_ptr<Door>> doors;
    for (std::size_t i = 0; i < plan_.doors; ++i) {
      doors.push_back(std::make_unique<Door>(*this, loop, pool, i));
    }
    ready_.set_value();
    while (!is_over_) {
      loop.wait(transport::EventLoop::now() + Duration::milliseconds(5), 64);
    }
    // What callers left behind when they went.
    loop.run_ready(1024);
  }

  Treatment treatment_of(ByteView command) {
    if (!plan_.has_leader) {
      return Treatment::turns_away;
    }
    const auto decoded = rsm::decode_command(command);
    if (!decoded || !decoded->session || plan_.treatments.empty()) {
      return Treatment::answers;
    }
    const Treatment treatment = plan_.treatments.front();
    plan_.treatments.pop_front();
    return treatment;
  }
  ByteView execute(ByteView command) {
    if (machine_->is_read(command)) {
      const std::size_t used = machine_->query(ViewId{}, command, reply_).value();
      const std::lock_guard lock(mutex_);
      ++reads_;
      has_read_.notify_all();
      return ByteView(reply_).first(used);
    }
    const std::size_t used = machine_->apply(machine_->applied().next(), command, reply_, nowhere_);
    return ByteView(reply_).first(used);
  }

  Plan plan_;
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> directories_;
  std::promise<void> ready_;
  std::atomic<bool> is_over_ = false;
  std::unique_ptr<rsm::KvMachine> machine_;
  std::vector<std::byte> reply_;
  Nowhere nowhere_;
  std::mutex mutex_;
  std::condition_variable has_read_;
  std::size_t reads_ = 0;
  std::thread thread_;
};

}  // namespace mallard::cli
