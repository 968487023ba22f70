#include "rsm/replica/replica.h"

#include <algorithm>
#include <variant>

#include "rsm/replica/snapshot_recovery.h"

namespace mallard::rsm {

namespace door = transport::door;

namespace {

// Until the next look at what only the journal can end. Its thread wakes the loop when it has done something.
constexpr Duration journal_pause = Duration::milliseconds(5);

}  // namespace

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

namespace {

// Nobody can have counted on this store: it is new, or was made by an opening that came no further.
bool has_never_lived(const journal::Journal& store) {
  const journal::AmnesiaCause cause = store.recovered().amnesia;
  const bool is_empty = !store.promises().may_vote && store.promises().term == journal::Term() &&
                        store.last() == journal::EntryIndex() &&
                        store.snapshot().index == journal::EntryIndex();
  return cause == journal::AmnesiaCause::fresh_store || (cause == journal::AmnesiaCause::none && is_empty);
}

}  // namespace

Replica::Replica(const ReplicaSettings& settings, const Ports& ports, journal::Journal& store)
    : self_(settings.self),
      ports_(ports),
      commands_(settings.commands, {ports.pool, ports.door, ports.machine}),
      links_(settings.links, {ports.machine, ports.pool, ports.door}),
      reply_(reply_bytes_max),
      disk_(store.disk()) {
  const EngineSettings engine = recover(settings, store);
  engine_.emplace(engine, Engine::Ports{ports.domain, ports.links, ports.journal, *this});
  if (ports.peers != nullptr) {
    SnapshotFetchSettings fetch = settings.fetch;
    fetch.self = settings.self;
    fetch.replicas = settings.layout.processes;
    source_.emplace(SnapshotSource::Ports{disk_, ports.pool, *ports.peers});
    fetch_.emplace(fetch, SnapshotFetch::Ports{ports.pool, *ports.peers, ports.journal});
  }
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
  journaled_ = store.last();
  // Entries tell of decisions that the journal's own mark had not caught up with.
  store.set_commit(recovered.applied.place.index);
  const bool first_life = settings.founding && has_never_lived(store);
  const bool lost = !first_life && (!store.promises().may_vote || recovered.broken || !state || state->lost ||
                                    settings.durability == cft::Durability::replicated);
  if (failure_.empty() && store.promises().may_vote == lost) {
    // The next life knows it too, whatever becomes of this one. A failure shows again at the next sync.
    journal::Promises promises = store.promises();
    promises.may_vote = !lost;
    static_cast<void>(store.promise(promises));
  }
  EngineSettings engine;
  engine.core = settings.core;
  engine.core.self = settings.self;
  engine.core.layout = settings.layout;
  engine.core.durability = settings.durability;
  engine.core.start = {.incarnation = settings.incarnation,
                       .lost = lost,
                       .promise = cft::Ballot(store.promises().term.value),
                       .stable = recovered.applied.place.end,
                       .tail = recovered.tail,
                       .members = recovered.applied.members};
  engine.applied = recovered.applied.place;
  engine.undecided = recovered.undecided;
  engine.may_vote = !lost;
  return engine;
}

void Replica::on_message(door::DoorConnection from, const door::DoorPeer& peer,
                         const door::DoorMessage& message) {
  bool asked = false;
  if (const auto* submit = std::get_if<door::Submit>(&message)) {
    if (submit->local) {
      commands_.read_locally(from, peer, *submit);
      return;
    }
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
  last_turn_ = now;
  if (installing_) {
    return finish_install(now);
  }
  bool busy = is_fetching() ? fetch_snapshot(now) : snapshots_->turn(engine_->standing());
  if (engine_stands()) {
    return busy;
  }
  busy = engine_->turn(now) || busy;
  if (demand_ > 0) {
    engine_->demand(demand_, now);
    demand_ = 0;
  }
  busy = commands_.propose(*engine_, now) || busy;
  busy = commands_.answer_reads(commit_index(engine_->applied().end.lsn)) || busy;
  busy = links_.propose(*engine_, now) || busy;
  return links_.tell_gateway() || busy;
}

bool Replica::engine_stands() const {
  return installing_ || (!is_fetching() && snapshots_->is_behind(engine_->applied()));
}

// Who gets no turn does not move its deadline: that may be over long ago, and then nobody would ever sleep.
Instant Replica::next_deadline() const {
  const Instant look = last_turn_ + journal_pause;
  if (engine_stands()) {
    return look;
  }
  if (!is_fetching()) {
    return engine_->next_deadline();
  }
  return std::min(engine_->next_deadline(), may_fetch() ? fetch_->next_deadline() : look);
}

// ---- Snapshots of peers.

void Replica::on_peer_message(memory::ProcessIndex from, const PeerMessage& message, Instant now) {
  if (const auto* wanted = std::get_if<SnapshotWanted>(&message)) {
    if (source_ && !source_->answer(from, *wanted, snapshots_->kept()) &&
        engine_->applied().end.lsn >= wanted->at_least) {
      snapshots_->take_soon();
    }
    return;
  }
  if (std::holds_alternative<StoreSeen>(message)) {
    return;  // it was heard before this replica began (witness_desk.h)
  }
  const auto& piece = std::get<SnapshotPiece>(message);
  if (is_fetching() && !installing_ && !failed()) {
    fetch_->on_piece(from, piece, now);
    snapshots_->count_orders(fetch_->take_orders());
  } else {
    ports_.pool.release(piece.body);
  }
}

bool Replica::is_fetching() const { return fetch_ && engine_->needs_snapshot(); }

bool Replica::may_fetch() const { return snapshots_->is_idle() && snapshots_->is_settled(); }

bool Replica::fetch_snapshot(Instant now) {
  snapshots_->abandon();
  if (!may_fetch()) {
    return false;
  }
  const cft::Lsn at_least = *engine_->needs_snapshot();
  if (engine_->applied().end.lsn >= at_least) {
    fetch_->stop();
    engine_->need_no_snapshot(now);
    return true;
  }
  if (!fetch_->is_complete()) {
    return fetch_->turn(at_least, leader_.value_or(memory::ProcessIndex(0)), now);
  }
  start_install();
  return true;
}

// Where own log has come so far meanwhile, what it has behind stays: it may be what others count on. Else the
// snapshot's number lies behind all that the journal may have, so that a crash before the journal begins anew
// is told from a journal that goes on.
void Replica::start_install() {
  const cft::LogMark end = fetch_->head().end;
  if (end.lsn <= engine_->applied().end.lsn) {
    fetch_->stop();
    return;
  }
  const auto place = engine_->place_of(end);
  const journal::EntryIndex last = std::max(engine_->last().index, journaled_);
  const journal::EntryIndex index = place ? place->index : last.next();
  if (place) {
    ports_.journal.commit(index);
  }
  const StoredSnapshot* newest = snapshots_->kept().newest();
  const KeepSnapshot order{.forget_through = newest == nullptr ? journal::EntryIndex() : newest->end.index,
                           .restarts = !place};
  installing_ = fetch_->keep(snapshots_->kept().next_slot(), {index, journal::Term(end.ballot.value)}, order);
  snapshots_->count_orders(fetch_->take_orders());
}

bool Replica::finish_install(Instant now) {
  if (!snapshots_->is_settled()) {
    return false;
  }
  if (!load_snapshot(disk_, ports_.machine, links_.bodies(), *installing_)) {
    failure_ = "a snapshot of another replica does not fit the limits of the state, or cannot be read back";
    return false;
  }
  snapshots_->adopt(*installing_);
  engine_->installed({installing_->place(), installing_->head.members}, now);
  commands_.give_up_through(commit_index(installing_->place().end.lsn));
  installing_.reset();
  ++installed_;
  return true;
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

std::size_t Replica::lost_logs() const {
  const cft::CftCore& core = engine_->core();
  const cft::Members members = core.members();
  std::size_t lost = core.recovering() ? 1 : 0;
  for (std::uint16_t i = 0; i < ports_.links.size(); ++i) {
    const memory::ProcessIndex process(i);
    const cft::Peer& peer = core.peer(process);
    const bool is_other = process != self_ && members.has(process);
    lost += is_other && peer.looked && peer.card.is(cft::Card::recovering) ? 1U : 0U;
  }
  return lost;
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

void Replica::on_read_at(std::uint64_t read, CommitIndex index) { commands_.confirm_reads(read, index); }

void Replica::on_reads_refused() { commands_.turn_away_reads(); }

void Replica::on_leader(std::optional<memory::ProcessIndex> leader) {
  leader_ = leader;
  commands_.set_leader(leader);
}

}  // namespace mallard::rsm
