#include "cli/replica/replica_process.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "bridge/attach/file/file_calls.h"
#include "cli/incarnation.h"
#include "cli/replica/replica_plan.h"
#include "config/value_text.h"
#include "crypto/key_file.h"

namespace mallard::cli {
namespace {

namespace door = transport::door;
using rsm::journal::AmnesiaCause;
using rsm::journal::JournalFault;

// Waits grow from the first to the last while nothing happens. Where nothing has happened for longer than
// idle_after, the engine's own deadlines may wait for the next look too: it notices a dead leader later, and
// a dozen of processes sleep.
constexpr Duration first_wait = Duration::microseconds(50);
constexpr Duration last_wait = Duration::milliseconds(5);
constexpr Duration unfinished_wait = Duration::microseconds(400);  // while an entry is under way
constexpr Duration idle_after = Duration::milliseconds(500);
// Before the replica begins.
constexpr Duration asking_wait = Duration::milliseconds(20);
constexpr Duration silence_patience = Duration::seconds(2);
constexpr Duration idle_wait = Duration::milliseconds(12);

void complain(const std::string& what, const std::string& advice) {
  fmt::print(stderr, "mallard replica: {}; {}\n", what, advice);
}

// What of the journal was not as it was left. An empty directory says nothing: who founds a cluster knows.
void say_recovered(const rsm::journal::Recovered& recovered) {
  const auto say = [](const std::string& what) { fmt::print(stderr, "mallard replica: {}\n", what); };
  if (recovered.entries_damaged > 0) {
    say(fmt::format("{} entries of the journal are damaged and come from the others",
                    recovered.entries_damaged));
  }
  switch (recovered.amnesia) {
    case AmnesiaCause::none:
    case AmnesiaCause::fresh_store:
      return;
    case AmnesiaCause::superblock_lost:
      return say("a superblock of the journal cannot be read: what this replica promised is not known");
    case AmnesiaCause::superblock_regressed:
      return say("the superblocks of the journal are older than its records");
    case AmnesiaCause::tail_lost:
      return say("the journal lost the end of what it had made durable");
  }
}

std::optional<crypto::KeyPair> load_own_key(const config::Pairing& pairing, const ReplicaPlace& place,
                                            ExitCode& exit_code) {
  auto key = crypto::load_key(place.directory, crypto::KeyRole::replica);
  if (!key) {
    complain(key.error().what, key.error().advice);
    exit_code = ExitCode::failed;
    return std::nullopt;
  }
  const config::ClusterSettings& cluster = pairing.clusters[place.self.cluster.value];
  if (key->public_key() != cluster.replicas[place.self.replica.value].keys.replica) {
    complain(fmt::format("{}: is not the replica key of {} {} in the configuration",
                         crypto::key_file_path(place.directory, crypto::KeyRole::replica).string(),
                         cluster.name, place.self.replica.value),
             "give --data the directory that belongs to this replica, or put `mallard keys show` of it in "
             "the file");
    exit_code = ExitCode::refused;
    return std::nullopt;
  }
  return std::move(*key);
}

bool is_of_this_user(const std::filesystem::path& folder) {
  struct stat found {};
  return ::lstat(folder.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() &&
         (found.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// Makes the folder where it is missing. Nobody else may write there: who can could offer memory in a
// replica's place. The usual one lies in one of this user, in a folder of all users.
Result<void, std::string> make_own_folder(const std::filesystem::path& folder, bool is_usual) {
  std::vector<std::filesystem::path> made{folder};
  if (is_usual) {
    made.insert(made.begin(), folder.parent_path());
  }
  for (const std::filesystem::path& one : made) {
    if (::mkdir(one.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
      return Failure<std::string>(
          fmt::format("{}: cannot be made: {}", one.string(), std::generic_category().message(errno)));
    }
    if (!is_of_this_user(one)) {
      return Failure<std::string>(
          fmt::format("{}: is not a directory of this user that nobody else may write", one.string()));
    }
  }
  return {};
}

}  // namespace

ReplicaProcess::ReplicaProcess(const config::Pairing& pairing)
    : pairing_(pairing), pool_(replica_pool_bytes) {}
ReplicaProcess::~ReplicaProcess() = default;

std::unique_ptr<ReplicaProcess> ReplicaProcess::open(const config::Pairing& pairing,
                                                     const ReplicaPlace& place, ExitCode& exit_code) {
  std::unique_ptr<ReplicaProcess> process(new ReplicaProcess(pairing));
  process->key_ = load_own_key(pairing, place, exit_code);
  if (!process->key_) {
    return nullptr;
  }
  if (!process->open_store(place, exit_code) || !process->open_memory(place, exit_code) ||
      !process->open_peers(place, exit_code)) {
    return nullptr;
  }
  process->loop_.watch_signals({SIGTERM, SIGINT}, [raw = process.get()](int) { raw->stopping_ = true; });
  if (!process->ask_the_others(exit_code) || !process->open_door(place, exit_code) ||
      !process->open_admin(place, exit_code)) {
    return nullptr;
  }
  // The last, when nothing else can fail: a founding counts from here on.
  process->make_replica(place);
  // Opening a journal reads whole segments: that memory is not needed again before the next start.
  ::malloc_trim(0);
  return process;
}

bool ReplicaProcess::open_store(const ReplicaPlace& place, ExitCode& exit_code) {
  const std::filesystem::path folder = place.directory / "journal";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  // What the journal makes durable is durable only with the name of its folder.
  if (!bridge::file::sync_directory(place.directory)) {
    complain(place.directory.string() + ": cannot be synced", "see to the directory and its disk");
    exit_code = ExitCode::failed;
    return false;
  }
  auto disk = rsm::journal::RealDisk::open_directory(folder);
  if (!disk) {
    complain(disk.error().what, disk.error().advice);
    exit_code = disk.error().fault == JournalFault::machine ? ExitCode::failed : ExitCode::refused;
    return false;
  }
  disk_ = std::move(*disk);
  const auto incarnation = begin_incarnation(folder);
  if (!incarnation) {
    complain(incarnation.error(), "see to the directory's rights and free space");
    exit_code = ExitCode::failed;
    return false;
  }
  incarnation_ = *incarnation;
  rsm::journal::FreshIdentity fresh{.incarnation = incarnation_};
  if (::getrandom(fresh.store.bytes.data(), fresh.store.bytes.size(), 0) < 0) {
    complain("the machine gives no random bytes", "see to getrandom(2)");
    exit_code = ExitCode::failed;
    return false;
  }
  auto store = rsm::journal::Journal::open(*disk_, plan_journal(), fresh);
  if (!store) {
    complain(store.error().what, store.error().advice);
    exit_code = store.error().fault == JournalFault::machine ? ExitCode::failed : ExitCode::refused;
    return false;
  }
  store_ = std::move(*store);
  say_recovered(store_->recovered());
  return true;
}

bool ReplicaProcess::open_memory(const ReplicaPlace& place, ExitCode& exit_code) {
  const bool is_usual = place.memory.empty();
  const std::filesystem::path folder =
      is_usual ? usual_memory_folder(pairing_, place.self.cluster) : place.memory;
  if (const auto made = make_own_folder(folder, is_usual); !made) {
    complain(made.error(), "give another folder with --memory, the same for all replicas of the cluster");
    exit_code = ExitCode::failed;
    return false;
  }
  const rsm::cft::MemoryLayout layout = plan_layout(pairing_, place.self.cluster);
  const auto regions = layout.regions();
  auto node = memory::ShmNode::open({.folder = folder.string(),
                                     .self = memory::ProcessIndex(place.self.replica.value),
                                     .processes = layout.processes,
                                     .layout = {regions.begin(), regions.end()},
                                     .spare_instances = spare_instances(layout.processes)});
  if (!node) {
    complain(node.error().what, "see to the folder of --memory, the same for all replicas of the cluster");
    exit_code = ExitCode::failed;
    return false;
  }
  memory_ = std::move(*node);
  return true;
}

bool ReplicaProcess::open_peers(const ReplicaPlace& place, ExitCode& exit_code) {
  transport::ChannelSettings settings = plan_peers(pairing_, place.self);
  settings.incarnation = incarnation_;
  witnesses_.emplace(memory::ProcessIndex(place.self.replica.value),
                     pairing_.clusters[place.self.cluster.value].replicas.size());
  auto channels =
      rsm::PeerChannels::open(settings, *key_, {.io = loop_.io(), .pool = pool_, .observer = *this});
  if (!channels) {
    complain(channels.error().what, channels.error().advice);
    exit_code = ExitCode::failed;
    return false;
  }
  channels_ = std::move(*channels);
  return true;
}

// A store that may vote could be an older copy of itself, which the others alone can know (reliability.md
// I9). One that may not will read them in any case.
bool ReplicaProcess::ask_the_others(ExitCode& exit_code) {
  if (store_->recovered().amnesia == AmnesiaCause::fresh_store || !store_->promises().may_vote) {
    return true;
  }
  const Instant began = transport::EventLoop::now();
  bool complained = false;
  while (!stopping_ && !witnesses_->has_heard_enough()) {
    const Instant now = transport::EventLoop::now();
    witnesses_->tell(store_->witness(), *channels_, now);
    if (!complained && now - began > silence_patience) {
      fmt::print(stderr, "mallard replica: waits for another replica to say what it has seen of this one\n");
      complained = true;
    }
    loop_.wait(now + asking_wait, calls_per_turn_max);
  }
  if (stopping_ || !store_->is_older_than(witnesses_->seen())) {
    return !stopping_;
  }
  fmt::print(
      stderr,
      "mallard replica: the data directory is older than what the others have seen of it; it begins anew as "
      "a replica that lost its log\n");
  if (const auto begun = store_->become_amnesiac(incarnation_); !begun) {
    complain(begun.error().what, begun.error().advice);
    exit_code = ExitCode::failed;
    return false;
  }
  return true;
}

void ReplicaProcess::make_replica(const ReplicaPlace& place) {
  machine_ = std::make_unique<rsm::KvMachine>(plan_machine());
  journal_ =
      std::make_unique<rsm::JournalThread>(*store_, rsm::JournalThreadSettings{}, [this] { loop_.wake(); });
  rsm::ReplicaSettings settings = plan_replica(pairing_, place.self);
  settings.incarnation = incarnation_;
  settings.founding = place.founding;
  std::vector<memory::Link*> links;
  for (std::size_t i = 0; i < settings.layout.processes; ++i) {
    links.push_back(&memory_->link(memory::ProcessIndex(static_cast<std::uint16_t>(i))));
  }
  replica_ = std::make_unique<rsm::Replica>(settings,
                                            rsm::Replica::Ports{.domain = memory_->domain(),
                                                                .links = links,
                                                                .journal = *journal_,
                                                                .machine = *machine_,
                                                                .pool = pool_,
                                                                .door = *this,
                                                                .peers = channels_.get()},
                                            *store_);
  report_ = std::make_unique<ReplicaReport>(ReplicaSources{.pairing = pairing_,
                                                           .self = place.self,
                                                           .replica = *replica_,
                                                           .machine = *machine_,
                                                           .pool = pool_,
                                                           .door = *door_,
                                                           .incarnation = incarnation_},
                                            transport::EventLoop::now());
}

bool ReplicaProcess::open_door(const ReplicaPlace& place, ExitCode& exit_code) {
  auto server = door::DoorServer::open(
      {.path = door::door_path(place.directory), .replica = place.self, .incarnation = incarnation_},
      {.io = loop_.io(), .pool = pool_, .observer = *this});
  if (!server) {
    complain(server.error().what, server.error().advice);
    exit_code = ExitCode::failed;
    return false;
  }
  door_ = std::move(*server);
  const door::ClientDoorSettings clients = plan_client_door(pairing_, place.self);
  if (clients.clients.empty()) {
    return true;
  }
  if (const auto listening = door_->listen_for_clients(clients, *key_); !listening) {
    complain(listening.error().what, listening.error().advice);
    exit_code = ExitCode::failed;
    return false;
  }
  return true;
}

bool ReplicaProcess::open_admin(const ReplicaPlace& place, ExitCode& exit_code) {
  const config::ReplicaSettings& own =
      pairing_.clusters[place.self.cluster.value].replicas[place.self.replica.value];
  auto admin = transport::AdminServer::open({.host = own.admin_address, .port = own.ports.replica_admin});
  if (!admin) {
    complain(admin.error().what, admin.error().advice);
    exit_code = ExitCode::failed;
    return false;
  }
  admin_ = std::move(*admin);
  return true;
}

ExitCode ReplicaProcess::run() {
  Duration pause = first_wait;
  Instant active_at = transport::EventLoop::now();
  while (!stopping_ && !replica_->failed()) {
    const Instant now = transport::EventLoop::now();
    replica_->turn(now);
    say_state();
    publish(now);
    door_->flush();
    const std::size_t free_bytes = pool_.free_bytes();
    if (free_bytes > pool_free_before_) {
      door_->retry_reading();
    }
    pool_free_before_ = free_bytes;
    const bool has_grown = log_has_grown();
    const bool is_unfinished = has_unfinished();
    if (has_grown || is_unfinished) {
      active_at = now;
    }
    if (has_grown) {
      pause = first_wait;
      loop_.run_ready(calls_per_turn_max);
    } else if (now - active_at > idle_after && replica_->leader()) {
      loop_.wait(now + idle_wait, calls_per_turn_max);
    } else {
      const Instant until = std::min({replica_->next_deadline(), now + pause, publish_at_});
      loop_.wait(until, calls_per_turn_max);
      pause = std::min(pause * 2, is_unfinished ? unfinished_wait : last_wait);
    }
  }
  if (!replica_->failed()) {
    return ExitCode::ok;
  }
  const std::string why = !replica_->failure().empty() ? replica_->failure()
                          : journal_->failed()         ? journal_->failure()
                                                       : "own memory is not what was written";
  complain(why, "what was acknowledged is safe; start it again when that is mended");
  return ExitCode::failed;
}

// Heartbeats are no sign of life here: they come to those who sleep, too.
bool ReplicaProcess::log_has_grown() {
  const rsm::cft::Lsn before = std::exchange(seen_end_, replica_->engine().core().log().end().lsn);
  return before != seen_end_;
}

bool ReplicaProcess::has_unfinished() const {
  const rsm::Engine& engine = replica_->engine();
  return engine.applied().end.lsn != engine.core().log().end().lsn || replica_->commands().waiting() > 0;
}

void ReplicaProcess::say_state() {
  const rsm::ReplicaState state = replica_->state();
  if (state != said_) {
    said_ = state;
    fmt::print(stderr, "mallard replica: {}\n", rsm::replica_state_name(state));
  }
}

void ReplicaProcess::publish(Instant now) {
  if (now >= publish_at_) {
    admin_->publish(report_->snapshot(now));
    witnesses_->tell(journal_->witness(), *channels_, now);
    publish_at_ = now + transport::AdminServer::publish_interval;
  }
}

bool ReplicaProcess::send(door::DoorConnection to, const door::DoorMessage& message) {
  const auto* const reply = std::get_if<door::Reply>(&message);
  if (reply != nullptr && reply->status == door::ReplyStatus::forbidden && peers_[to.place].client) {
    say_forbidden(*peers_[to.place].client);
  }
  return door_ && door_->send(to, message);
}

// Counted each time, said once of each client: who asks may ask a thousand times a second.
void ReplicaProcess::say_forbidden(std::size_t client) {
  forbidden_said_.resize(pairing_.clients.size());
  if (!forbidden_said_[client]) {
    forbidden_said_[client] = true;
    fmt::print(stderr, "mallard replica: client {} asks for keys beyond its prefixes; refused, said once\n",
               config::public_key_text(pairing_.clients[client].key));
  }
}

void ReplicaProcess::close(door::DoorConnection connection) { door_->close(connection); }

void ReplicaProcess::on_open(door::DoorConnection from, const door::DoorPeer& peer) {
  if (peers_.size() <= from.place) {
    peers_.resize(from.place + 1);
  }
  peers_[from.place] = peer;
}

void ReplicaProcess::on_message(door::DoorConnection from, const door::DoorMessage& message) {
  replica_->on_message(from, peers_[from.place], message);
}

void ReplicaProcess::on_peer_message(memory::ProcessIndex from, const rsm::PeerMessage& message) {
  if (const auto* seen = std::get_if<rsm::StoreSeen>(&message)) {
    witnesses_->on_message(from, *seen);
    return;
  }
  if (!replica_) {
    pool_.release(rsm::body_of(message));  // it asks again
    return;
  }
  replica_->on_peer_message(from, message, transport::EventLoop::now());
}

// It may be waiting for this to begin.
void ReplicaProcess::on_peer_up(memory::ProcessIndex peer) {
  witnesses_->on_peer_up(peer);
  if (journal_) {
    witnesses_->tell(journal_->witness(), *channels_, transport::EventLoop::now());
  }
}

void ReplicaProcess::on_closed(door::DoorConnection from, door::DoorEnd /*end*/) {
  replica_->on_closed(from);
}

}  // namespace mallard::cli
