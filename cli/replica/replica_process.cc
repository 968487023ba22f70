#include "cli/replica/replica_process.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/random.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>

#include "bridge/attach/file/file_calls.h"
#include "cli/incarnation.h"
#include "cli/replica/replica_plan.h"
#include "cli/replica/start_checks.h"
#include "cli/replica/start_page.h"
#include "config/value_text.h"
#include "transport/door/door_codec.h"

namespace mallard::cli {
namespace {

namespace door = transport::door;
using rsm::journal::JournalFault;

// Before the replica begins.
constexpr Duration asking_wait = Duration::milliseconds(20);
constexpr Duration silence_patience = Duration::seconds(2);

}  // namespace

ReplicaProcess::ReplicaProcess(const config::Pairing& pairing)
    : pairing_(pairing), pool_(replica_pool_bytes) {}
ReplicaProcess::~ReplicaProcess() = default;

std::unique_ptr<ReplicaProcess> ReplicaProcess::open(const config::Pairing& pairing,
                                                     const ReplicaPlace& place, ExitCode& exit_code) {
  std::unique_ptr<ReplicaProcess> process(new ReplicaProcess(pairing));
  process->key_ = load_own_key(pairing, place.self, place.directory, exit_code);
  if (!process->key_) {
    return nullptr;
  }
  // Who may work in this directory shows itself before it does anything that can take long.
  if (!process->take_directory(place, exit_code) || !process->open_admin(place, exit_code) ||
      !process->open_store(exit_code) || !process->open_memory(place, exit_code) ||
      !process->open_peers(place, exit_code)) {
    return nullptr;
  }
  process->loop_.watch_signals({SIGTERM, SIGINT}, [raw = process.get()](int) { raw->stopping_ = true; });
  if (!process->open_door(place, exit_code) || !process->ask_the_others(place, exit_code)) {
    return nullptr;
  }
  // The last, when nothing else can fail: a founding counts from here on.
  process->board_->begin_step("what its journal holds to be executed");
  process->make_replica(place);
  process->board_.reset();
  // Opening a journal reads whole segments: that memory is not needed again before the next start.
  ::malloc_trim(0);
  return process;
}

bool ReplicaProcess::take_directory(const ReplicaPlace& place, ExitCode& exit_code) {
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
  return true;
}

bool ReplicaProcess::open_store(ExitCode& exit_code) {
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
bool ReplicaProcess::ask_the_others(const ReplicaPlace& place, ExitCode& exit_code) {
  if (store_->recovered().amnesia == rsm::journal::AmnesiaCause::fresh_store ||
      !store_->promises().may_vote) {
    return true;
  }
  const std::size_t processes = pairing_.clusters[place.self.cluster.value].replicas.size();
  const memory::ProcessIndex self(place.self.replica.value);
  const auto missing = [&] { return missing_majority(*witnesses_, processes, self); };
  board_->begin_step(missing());
  bool complained = false;
  while (!stopping_ && !witnesses_->has_heard_enough()) {
    const Instant now = transport::EventLoop::now();
    witnesses_->tell(rsm::journal::Witness{}, *channels_, now);
    waiting_for_ = missing();
    board_->say(waiting_for_);
    if (!complained && board_->waited() > silence_patience) {
      fmt::print(stderr, "mallard replica: waits for {}, and for what they have seen of this one\n",
                 waiting_for_);
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
  const config::ClusterSettings& cluster = pairing_.clusters[place.self.cluster.value];
  wait_ = cluster.wait;
  if (const std::string why = spinning_without_cores(cluster, std::thread::hardware_concurrency());
      !why.empty()) {
    fmt::print(stderr, "mallard replica: {}\n", why);
  }
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
  if (const auto attach = std::exchange(early_attach_, std::nullopt)) {
    replica_->on_message(attach->first, peers_[attach->first.place], attach->second);
  }
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
  const config::ClusterSettings& cluster = pairing_.clusters[place.self.cluster.value];
  const config::ReplicaSettings& own = cluster.replicas[place.self.replica.value];
  auto admin = transport::AdminServer::open({.host = own.admin_address, .port = own.ports.replica_admin});
  if (!admin) {
    complain(admin.error().what, admin.error().advice);
    exit_code = ExitCode::failed;
    return false;
  }
  admin_ = std::move(*admin);
  board_ = std::make_unique<StartBoard>(*admin_,
                                        StartStanding{.cluster = cluster.name,
                                                      .id = place.self.replica,
                                                      .incarnation = incarnation_,
                                                      .started = transport::EventLoop::now(),
                                                      .waiting_for = {},
                                                      .since = {}},
                                        "its journal to be read");
  return true;
}

ExitCode ReplicaProcess::run() {
  rsm::TurnPace pace(wait_, transport::EventLoop::now());
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
    wait_for_turn(pace, now);
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

void ReplicaProcess::wait_for_turn(rsm::TurnPace& pace, Instant now) {
  const rsm::TurnPace::Turn turn{.log_grew = log_has_grown(),
                                 .unfinished = has_unfinished(),
                                 .knows_leader = replica_->leader().has_value()};
  const Instant deadline = std::min(replica_->next_deadline(), publish_at_);
  switch (const rsm::TurnPace::Rest rest = pace.after(turn, now, deadline); rest.kind) {
    case rsm::TurnPace::Rest::Kind::none:
      loop_.run_ready(calls_per_turn_max);
      break;
    case rsm::TurnPace::Rest::Kind::yield:
      if (loop_.run_ready(calls_per_turn_max) == 0) {
        std::this_thread::yield();
      }
      break;
    case rsm::TurnPace::Rest::Kind::wait:
      loop_.wait(rest.until, calls_per_turn_max);
      break;
  }
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
    if (const std::string why = report_->beyond_help(); !why.empty() && !std::exchange(beyond_help_, true)) {
      fmt::print(stderr, "mallard replica: {}\n", why);
    }
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
  if (replica_) {
    replica_->on_message(from, peers_[from.place], message);
  } else {
    answer_early(from, message);
  }
}

// Before the replica has begun: who asks is told what it waits for, and a gateway, which says no more until
// it is answered, is attached when that is over.
void ReplicaProcess::answer_early(door::DoorConnection from, const door::DoorMessage& message) {
  if (const auto* submit = std::get_if<door::Submit>(&message)) {
    const std::string why = fmt::format("no majority reachable: waits for {}, for {} s", waiting_for_,
                                        whole_seconds(board_->waited()));
    door::Reply reply{.request = submit->request, .status = door::ReplyStatus::not_ready};
    if (const auto bytes = pool_.allocate(why.size())) {
      ByteWriter(pool_.span(*bytes)).write_bytes(std::as_bytes(std::span(why)));
      reply.bytes = *bytes;
    }
    door_->send(from, reply);
    pool_.release(reply.bytes);
  } else if (const auto* load = std::get_if<door::Load>(&message)) {
    door_->send(from, door::Loaded{.request = load->request, .link = load->link});
  } else if (const auto* attach = std::get_if<door::Attach>(&message)) {
    early_attach_ = std::pair(from, *attach);
  }
  pool_.release(door::body_of(message));
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
  if (replica_) {
    replica_->on_closed(from);
  } else if (early_attach_ && early_attach_->first == from) {
    early_attach_.reset();
  }
}

}  // namespace mallard::cli
