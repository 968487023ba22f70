#include "tests/rsm/replica/replica_stage.h"

#include <gtest/gtest.h>

#include "crypto/sodium.h"
#include "rsm/machine/link_command.h"
#include "tests/rsm/replica/commands.h"
#include "transport/door/door_codec.h"

namespace mallard::rsm {

namespace door = transport::door;

namespace {

constexpr Duration tick_length = Duration::microseconds(4);

cft::MemoryLayout layout_of(const StageSettings& settings) {
  return {.processes = ReplicaStage::replicas, .ring_bytes = settings.ring_bytes, .chunk_bytes = 4096};
}

sim::FabricSettings fabric_of(const StageSettings& settings) {
  sim::FabricSettings fabric;
  fabric.seed = settings.seed;
  fabric.processes = ReplicaStage::replicas;
  const auto regions = layout_of(settings).regions();
  fabric.layout.assign(regions.begin(), regions.end());
  return fabric;
}

memory::ProcessIndex process(std::size_t id) { return memory::ProcessIndex(static_cast<std::uint16_t>(id)); }

}  // namespace

bool ReplicaStage::Door::send(door::DoorConnection /*to*/, const door::DoorMessage& message) {
  if (const auto* reply = std::get_if<door::Reply>(&message)) {
    const ByteView body = stage_.seats_[id_].pool->view(reply->bytes);
    stage_.answers_[reply->request] = {*reply, {body.begin(), body.end()}};
  } else {
    if (stage_.seats_[id_].queue_full) return false;
    const ByteView body = stage_.seats_[id_].pool->view(door::body_of(message));
    stage_.seats_[id_].told.push_back({message, {body.begin(), body.end()}});
  }
  return true;
}

bool ReplicaStage::Post::send(memory::ProcessIndex to, const PeerMessage& message) {
  Letter letter{stage_.now_ + Duration::microseconds(20), id_, to.value, {}, {}};
  letter.head.resize(peer_head_bytes_max);
  letter.head.resize(encode_peer_message(message, letter.head));
  const ByteView body = stage_.seats_[id_].pool->view(body_of(message));
  letter.body.assign(body.begin(), body.end());
  if (stage_.censor_ && !stage_.censor_(id_, to.value, message, letter.body)) {
    return true;
  }
  stage_.letters_.push_back(std::move(letter));
  return true;
}

void ReplicaStage::deliver(const Letter& letter) {
  Seat& seat = seats_[letter.to];
  if (!seat.replica || seat.paused) {
    return;
  }
  const auto slot = seat.pool->allocate(letter.body.size());
  ASSERT_TRUE(slot);
  ByteWriter(seat.pool->span(*slot)).write_bytes(letter.body);
  const auto message = decode_peer_message(letter.head, *slot);
  ASSERT_TRUE(message);
  seat.replica->on_peer_message(process(letter.from), *message, now_);
}

ReplicaStage::ReplicaStage(const StageSettings& settings)
    : settings_(settings), layout_(layout_of(settings)), fabric_(fabric_of(settings)), watch_(*this) {
  crypto::start_sodium();
  for (std::size_t i = 0; i < replicas; ++i) {
    seats_[i].disk = std::make_unique<journal::SimDisk>(settings.seed * 10 + i);
    start(i, true);
  }
}

ReplicaStage::~ReplicaStage() = default;

std::unique_ptr<journal::Journal> ReplicaStage::open_journal(journal::Disk& disk) const {
  journal::FreshIdentity fresh{.incarnation = Incarnation(1000 + lives_)};
  fresh.store.bytes[0] = static_cast<std::byte>(lives_);
  auto opened = journal::Journal::open(disk,
                                       {.segment_bytes = 1U << 20,
                                        .entries_max = 1U << 14,
                                        .group_bytes_max = 256U << 10,
                                        .body_bytes_max = 32U << 10},
                                       fresh);
  EXPECT_TRUE(opened) << opened.error().what;
  return opened ? std::move(*opened) : nullptr;
}

void ReplicaStage::make_store(std::size_t id) {
  ++lives_;
  open_journal(*seats_[id].disk).reset();
  seats_[id].disk->restart(journal::SimDisk::Loss::everything);
}

void ReplicaStage::start(std::size_t id, bool founding) {
  Seat& seat = seats_[id];
  ++lives_;
  if (lives_ > replicas) {
    fabric_.restart(process(id));
  }
  seat.store = open_journal(*seat.disk);
  ASSERT_TRUE(seat.store);
  seat.journal = std::make_unique<DelayedJournal>(*seat.store, settings_.sync);
  seat.machine = std::make_unique<KvMachine>(
      KvSettings{.state_bytes = settings_.state_bytes, .sessions_max = 64, .view_bytes = 1U << 20U});
  seat.pool = std::make_unique<PayloadPool>(PayloadPool::slot_bytes_max);
  seat.door = std::make_unique<Door>(*this, id);
  seat.post = std::make_unique<Post>(*this, id);
  ReplicaSettings replica;
  replica.self = process(id);
  replica.layout = layout_;
  replica.durability = settings_.durability;
  replica.incarnation = Incarnation(lives_);
  replica.founding = founding;
  replica.founders = {.set = (1U << replicas) - 1};
  replica.core.payload_bytes_max = 8U << 10;
  replica.commands.waiting_max = 64;
  replica.links.egress = {.links = settings_.links, .bytes = egress_bytes_min, .batches = 64};
  replica.snapshots = settings_.snapshots;
  replica.fetch.patience = Duration::milliseconds(2);
  replica.fetch.pause = Duration::microseconds(200);
  replica.links.openings = settings_.openings;
  seat.told.clear();
  std::vector<memory::Link*> links;
  for (std::size_t i = 0; i < replicas; ++i) {
    links.push_back(&fabric_.link(process(id), process(i)));
  }
  seat.replica = std::make_unique<Replica>(
      replica,
      Replica::Ports{fabric_.domain(process(id)), links, *seat.journal, *seat.machine, *seat.pool, *seat.door,
                     &watch_, settings_.peers ? seat.post.get() : nullptr},
      *seat.store);
}

void ReplicaStage::crash(std::size_t id, journal::SimDisk::Loss loss) {
  Seat& seat = seats_[id];
  graves_.push_back(std::move(seat.replica));
  seat.journal.reset();
  seat.store.reset();
  fabric_.crash(process(id));
  seat.disk->restart(loss);
}

void ReplicaStage::wipe(std::size_t id) {
  old_disks_.push_back(std::move(seats_[id].disk));
  seats_[id].disk = std::make_unique<journal::SimDisk>(settings_.seed * 10 + id + 1000);
}

void ReplicaStage::tick() {
  now_ = now_ + tick_length;
  fabric_.advance(now_);
  while (!letters_.empty() && letters_.front().arrives <= now_) {
    const Letter letter = std::move(letters_.front());
    letters_.pop_front();
    deliver(letter);
  }
  for (Seat& seat : seats_) {
    if (seat.replica && !seat.paused) {
      seat.journal->advance(now_);
      seat.replica->turn(now_);
    }
  }
}

bool ReplicaStage::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now_ + limit;
  while (!done()) {
    if (now_ >= end) {
      return false;
    }
    tick();
  }
  return true;
}

std::optional<std::size_t> ReplicaStage::leader() const {
  for (std::size_t i = 0; i < replicas; ++i) {
    if (seats_[i].replica && seats_[i].replica->state() == ReplicaState::leading) {
      return i;
    }
  }
  return {};
}

std::size_t ReplicaStage::wait_for_leader() {
  EXPECT_TRUE(run_until([&] { return leader().has_value(); }));
  return leader().value_or(0);
}

std::uint64_t ReplicaStage::submit(std::size_t id, const std::vector<std::byte>& command, door::Role role) {
  Seat& seat = seats_[id];
  const std::uint64_t request = ++requests_;
  const auto slot = seat.pool->allocate(command.size());
  EXPECT_TRUE(slot);
  if (slot) {
    ByteWriter(seat.pool->span(*slot)).write_bytes(command);
    seat.replica->on_message({1, 1}, {role, {.process = 1, .user = 42}},
                             door::Submit{.request = request, .command = *slot});
  }
  return request;
}

void ReplicaStage::say(std::size_t id, const door::DoorMessage& message) {
  seats_[id].replica->on_message({2, 2}, {door::Role::gateway, {.process = 2, .user = 42}}, message);
}

void ReplicaStage::apply(std::size_t id, LinkIndex link, std::uint64_t batch, std::string_view key,
                         Fence fence) {
  const KvWrite write{.operation = KvOperation::increment, .key = text_bytes(key), .amount = 1};
  const std::size_t bytes = message_bytes(write);
  PayloadPool& pool = *seats_[id].pool;
  const PayloadRef body = *pool.allocate(4 + bytes);
  ByteWriter(pool.span(body)).write(static_cast<std::uint32_t>(bytes));
  write_message(write, pool.span(body).subspan(4));
  say(id, door::Apply{.link = link,
                      .generation = Generation(1),
                      .source_epoch = Epoch(1),
                      .destination_epoch = Epoch(1),
                      .fence = fence,
                      .range = {BatchNumber(batch), MessageNumber(batch), 1},
                      .payload = body});
}

const DoorAnswer* ReplicaStage::answer(std::uint64_t request) const {
  const auto found = answers_.find(request);
  return found == answers_.end() ? nullptr : &found->second;
}

KvReplyCopy ReplicaStage::call(const std::vector<std::byte>& command) {
  const std::size_t number = witness_.invoke(command, now_);
  std::size_t at = leader().value_or(0);
  for (std::size_t attempt = 0; attempt < 200; ++attempt) {
    if (!runs(at)) {
      at = (at + 1) % replicas;
      continue;
    }
    const std::uint64_t request = submit(at, command);
    run_until([&] { return answer(request) != nullptr || !runs(at); }, Duration::milliseconds(20));
    const DoorAnswer* got = answer(request);
    if (got != nullptr && got->reply.status == door::ReplyStatus::done) {
      const KvReplyCopy reply = copy_reply(got->bytes);
      run_for(tick_length);
      witness_.returned(number, reply, now_);
      run_for(tick_length);
      return reply;
    }
    run_for(Duration::milliseconds(1));
    const bool told = got != nullptr && got->reply.leader_known && got->reply.leader.value < replicas;
    at = told ? got->reply.leader.value : (at + 1) % replicas;
  }
  ADD_FAILURE() << "nobody executed it";
  return {};
}

void ReplicaStage::expect_equal_states() {
  const auto index_of_all = [&]() -> std::optional<CommitIndex> {
    std::optional<CommitIndex> common;
    for (const Seat& seat : seats_) {
      if (seat.replica && common && *common != seat.machine->applied()) {
        return std::nullopt;
      }
      if (seat.replica) {
        common = seat.machine->applied();
      }
    }
    return common;
  };
  EXPECT_TRUE(run_until([&] { return index_of_all().has_value(); }));
  std::optional<StateDigest> hash;
  for (Seat& seat : seats_) {
    if (seat.replica) {
      const StateDigest own = *seat.machine->state_hash(ViewId{});
      EXPECT_EQ(hash.value_or(own), own);
      hash = own;
    }
  }
}

}  // namespace mallard::rsm
