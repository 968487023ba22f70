#include "rsm/replica/replica.h"

#include <algorithm>
#include <variant>

#include "rsm/replica/snapshot_recovery.h"

namespace mallard::rsm {

namespace door = transport::door;

std::string_view replica_state_name(ReplicaState state) {
  switch (state) {
    case ReplicaState::recovering:
      return "recovering";
    case ReplicaState::needs_snapshot:
      return "needs_snapshot";
    case ReplicaState::following:
      return "following";
    case ReplicaState::leading:
      return "leading";
    case ReplicaState::electing:
      return "electing";
    case ReplicaState::failed:
      return "failed";
  }
  return "failed";
}

Replica::Replica(const ReplicaSettings& settings, const Ports& ports, journal::Journal& store)
    : ports_(ports),
      commands_(settings.commands, ports.pool, ports.door),
      links_(settings.links, {ports.machine, ports.pool, ports.door}),
      reply_(reply_bytes_max) {
  const EngineSettings engine = recover(settings, store);
  engine_.emplace(engine, Engine::Ports{ports.domain, ports.links, ports.journal, *this});
}

Replica::~Replica() = default;

// A store that is new or that has lost something may not know what this replica promised; nor does memory
// that died with its process, where memory was all that was promised (design 4.12).
EngineSettings Replica::recover(const ReplicaSettings& settings, journal::Journal& store) {
  const auto state = recover_state(store, ports_.machine, links_.bodies(), settings.founders);
  failure_ = state ? std::string() : state.error().what;
  snapshots_.emplace(settings.snapshots,
                     SnapshotTaker::Ports{ports_.machine, links_.bodies(), ports_.journal},
                     state ? state->kept : KeptSnapshots{});
  const LogStart base = state ? state->start : LogStart{{}, settings.founders};
  RecoveredLog recovered{.applied = base};
  if (state) {
    const ByteSpan log = ports_.domain.bytes(cft::log_region);
    recovered = recover_log(store, base, settings.layout, log, *this);
  }
  const bool fresh = store.recovered().amnesia == journal::AmnesiaCause::fresh_store;
  const bool first_life = fresh && settings.founding;
  const bool lost = !first_life && (!store.promises().may_vote || recovered.broken || !state || state->lost ||
                                    settings.durability == cft::Durability::replicated);
  if (lost && failure_.empty() && store.promises().may_vote) {
    // The next life knows it too, whatever becomes of this one. A failure shows again at the next sync.
    journal::Promises promises = store.promises();
    promises.may_vote = false;
    static_cast<void>(store.promise(promises));
  }
  EngineSettings engine;
  engine.core = settings.core;
  engine.core.self = settings.self;
  engine.core.layout = settings.layout;
  engine.core.durability = settings.durability;
  // What others may write ahead is no longer there for those behind: most of the ring stays history.
  const std::uint64_t ring = settings.layout.ring_bytes;
  engine.core.credit_bytes = std::min(settings.core.credit_bytes, ring / 4);
  engine.core.keep_bytes = std::min(settings.core.keep_bytes, ring / 2);
  engine.core.start = {.incarnation = settings.incarnation,
                       .lost = lost,
                       .promise = cft::Ballot(store.promises().term.value),
                       .stable = recovered.applied.place.end,
                       .tail = recovered.tail,
                       .members = recovered.applied.members};
  engine.applied = recovered.applied.place;
  engine.undecided = recovered.undecided;
  engine.may_vote = !first_life && !lost;
  return engine;
}

void Replica::on_message(door::DoorConnection from, const door::DoorPeer& peer,
                         const door::DoorMessage& message) {
  bool asked = false;
  if (const auto* submit = std::get_if<door::Submit>(&message)) {
    // Who is turned away by a follower goes to the leader: he is counted there.
    asked = commands_.submit(from, peer, *submit) && engine_->is_leader();
  } else {
    asked = links_.on_message(from, message);
  }
  demand_ += asked ? 1 : 0;
}

bool Replica::turn(Instant now) {
  if (failed()) {
    return false;
  }
  bool busy = snapshots_->turn(engine_->standing());
  if (snapshots_->is_behind(engine_->applied())) {
    return busy;
  }
  busy = engine_->turn(now) || busy;
  if (demand_ > 0) {
    engine_->demand(demand_, now);
    demand_ = 0;
  }
  busy = commands_.propose(*engine_, now) || busy;
  busy = links_.propose(*engine_, now) || busy;
  return links_.tell_gateway() || busy;
}

ReplicaState Replica::state() const {
  const cft::CftCore& core = engine_->core();
  if (failed()) {
    return ReplicaState::failed;
  }
  if (core.needs_snapshot()) {
    return ReplicaState::needs_snapshot;
  }
  if (core.recovering()) {
    return ReplicaState::recovering;
  }
  if (engine_->is_leader()) {
    return ReplicaState::leading;
  }
  return leader_ ? ReplicaState::following : ReplicaState::electing;
}

std::size_t Replica::execute(CommitIndex index, ByteView command, ByteSpan reply) {
  if (ports_.observer != nullptr) {
    ports_.observer->on_executed(index, command);
  }
  return ports_.machine.apply(index, command, reply, links_.egress());
}

void Replica::on_recovered(CommitIndex index, ByteView command) { execute(index, command, {}); }

void Replica::on_decided(CommitIndex index, ByteView command) {
  if (!commands_.waits_for(index)) {
    execute(index, command, {});
    return;
  }
  const std::size_t bytes = execute(index, command, reply_);
  commands_.answer(index, ByteView(reply_).first(bytes));
}

void Replica::on_deposed(CommitIndex after) {
  commands_.give_up(after);
  links_.on_deposed(after);
}

void Replica::on_leader(std::optional<memory::ProcessIndex> leader) {
  leader_ = leader;
  commands_.set_leader(leader);
}

}  // namespace mallard::rsm
