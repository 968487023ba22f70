// One running replica: its memory, journal, machine and door, put together.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/exit_code.h"
#include "cli/replica/replica_report.h"
#include "cli/replica/start_board.h"
#include "config/base/payload_pool.h"
#include "config/pairing.h"
#include "crypto/key_pair.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/replica/journal/real_disk.h"
#include "rsm/replica/journal_thread.h"
#include "rsm/replica/peers/peer_channels.h"
#include "rsm/replica/replica.h"
#include "rsm/replica/turn_pace.h"
#include "rsm/replica/witness_desk.h"
#include "transport/admin/admin_server.h"
#include "transport/door/door_server.h"
#include "transport/door/door_socket.h"
#include "transport/driver/event_loop.h"
#include "transport/memory/shm/shm_node.h"

namespace mallard::cli {

struct ReplicaPlace {
  ReplicaAddress self;
  std::filesystem::path directory;  // of this replica: keys, journal, door
  std::filesystem::path memory;     // where the replicas of the cluster find each other's memory; empty: the
                                    // usual place
  bool founding = false;            // the cluster is being founded (rsm::ReplicaSettings)
};

class ReplicaProcess final : private rsm::DoorPort,
                             private rsm::PeerObserver,
                             private transport::door::DoorServerObserver {
 public:
  // Everything is opened here; what cannot be is printed to stderr and leaves `exit_code` set, with nullptr
  // returned.
  static std::unique_ptr<ReplicaProcess> open(const config::Pairing& pairing, const ReplicaPlace& place,
                                              ExitCode& exit_code);
  ~ReplicaProcess() override;
  ReplicaProcess(const ReplicaProcess&) = delete;
  ReplicaProcess& operator=(const ReplicaProcess&) = delete;

  // Runs until SIGTERM or SIGINT, or until the replica has failed. What was ordered of the journal is
  // finished before it returns.
  ExitCode run();

 private:
  static constexpr std::size_t calls_per_turn_max = 64;

  explicit ReplicaProcess(const config::Pairing& pairing);
  [[nodiscard]] bool open_peers(const ReplicaPlace& place, ExitCode& exit_code);
  [[nodiscard]] bool take_directory(const ReplicaPlace& place, ExitCode& exit_code);
  [[nodiscard]] bool open_store(ExitCode& exit_code);
  [[nodiscard]] bool open_memory(const ReplicaPlace& place, ExitCode& exit_code);
  void make_replica(const ReplicaPlace& place);
  [[nodiscard]] bool open_door(const ReplicaPlace& place, ExitCode& exit_code);
  // False: it was told to end meanwhile, or exit_code says why.
  [[nodiscard]] bool ask_the_others(const ReplicaPlace& place, ExitCode& exit_code);
  [[nodiscard]] bool open_admin(const ReplicaPlace& place, ExitCode& exit_code);
  void answer_early(transport::door::DoorConnection from, const transport::door::DoorMessage& message);
  void say_state();
  void say_forbidden(std::size_t client);
  void publish(Instant now);
  void wait_for_turn(rsm::TurnPace& pace, Instant now);
  // Since it was asked last.
  [[nodiscard]] bool log_has_grown();
  // Whether an entry or a request is under way: others are about to write, or the journal to report.
  [[nodiscard]] bool has_unfinished() const;

  bool send(transport::door::DoorConnection to, const transport::door::DoorMessage& message) override;
  void close(transport::door::DoorConnection connection) override;
  void on_open(transport::door::DoorConnection from, const transport::door::DoorPeer& peer) override;
  void on_message(transport::door::DoorConnection from, const transport::door::DoorMessage& message) override;
  void on_room(transport::door::DoorConnection /*to*/) override {}
  void on_peer_message(memory::ProcessIndex from, const rsm::PeerMessage& message) override;
  void on_peer_up(memory::ProcessIndex peer) override;
  void on_closed(transport::door::DoorConnection from, transport::door::DoorEnd end) override;

  config::Pairing pairing_;
  Incarnation incarnation_;
  std::optional<crypto::KeyPair> key_;
  PayloadPool pool_;
  transport::EventLoop loop_;
  std::unique_ptr<rsm::journal::RealDisk> disk_;
  std::unique_ptr<rsm::journal::Journal> store_;
  std::unique_ptr<memory::ShmNode> memory_;
  std::unique_ptr<rsm::KvMachine> machine_;
  std::unique_ptr<rsm::JournalThread> journal_;
  std::optional<rsm::WitnessDesk> witnesses_;
  std::unique_ptr<rsm::PeerChannels> channels_;
  std::unique_ptr<rsm::Replica> replica_;
  std::vector<transport::door::DoorPeer> peers_;  // by the place of their connection
  std::unique_ptr<transport::door::DoorServer> door_;
  std::vector<bool> forbidden_said_;  // by client
  std::unique_ptr<transport::AdminServer> admin_;
  std::unique_ptr<StartBoard> board_;  // until the replica is made
  std::string waiting_for_;            // while the others are asked
  // A gateway that came before the replica was made.
  std::optional<std::pair<transport::door::DoorConnection, transport::door::Attach>> early_attach_;
  std::unique_ptr<ReplicaReport> report_;
  Instant publish_at_;
  rsm::ReplicaState said_ = rsm::ReplicaState::failed;
  rsm::cft::Lsn seen_end_ = 0;
  std::size_t pool_free_before_ = 0;
  config::Wait wait_ = config::Wait::adaptive;
  bool beyond_help_ = false;  // and it was said
  bool stopping_ = false;
};

}  // namespace mallard::cli
