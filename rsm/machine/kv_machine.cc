#include "rsm/machine/kv_machine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "config/base/invariant.h"
#include "crypto/digest.h"
#include "rsm/machine/system_key.h"

namespace mallard::rsm {
namespace {

constexpr std::string_view state_domain = "mallard.kv.state.1";
constexpr std::string_view request_domain = "mallard.kv.request.1";
constexpr std::size_t meta_limit_bytes = 16;
constexpr std::size_t meta_bytes = meta_limit_bytes + 8;

// Freed per entry of dropped versions: more than one small write takes.
constexpr std::size_t collect_per_entry = 64;
// What one command needs beside the state before and after it, and while views are given up: a path, and the
// larger of its old and new entries once more.
constexpr std::uint64_t headroom_units = 1U << 17;
static_assert(headroom_units > tree_depth_max + 3 * (command_bytes_max / 60) + 1024);

SystemKey meta_key() { return SystemKey(SystemSpace::meta, 0); }

std::uint64_t user_units_max(const KvSettings& settings) {
  return settings.state_bytes / UnitPool::unit_bytes;
}

std::uint64_t system_units_max(const KvSettings& settings) {
  return SessionTable::units_max(settings.sessions_max) + LinkTable::units_max() +
         KeyForest::units_of(SystemKey::size_bytes, meta_bytes);
}

std::uint64_t pool_units(const KvSettings& settings) {
  return user_units_max(settings) + system_units_max(settings) + settings.view_bytes / UnitPool::unit_bytes +
         headroom_units;
}

// Where the link stands now, also to who was refused.
void add_standing(ReplyWriter& reply, const LinkStanding* standing, Fence fence) {
  const LinkStanding now = standing == nullptr ? LinkStanding{} : *standing;
  reply.add(now.generation.value);
  reply.add(now.batch.value);
  reply.add(now.message.value);
  reply.add(fence.value);
}

ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

KvMachine::KvMachine(const KvSettings& settings)
    : settings_(settings),
      versions_(pool_units(settings)),
      digest_(versions_.forest()),
      sessions_(versions_.forest(), versions_.live().system, settings.sessions_max),
      links_(versions_.forest(), versions_.live().system),
      history_(settings.history_bytes),
      entries_(versions_, links_, history_, user_units_max(settings)),
      reader_(versions_.forest()),
      export_(versions_.forest()),
      import_(versions_,
              {.user_units = user_units_max(settings), .system_units = system_units_max(settings)}),
      reply_(stored_reply_bytes_max),
      scratch_(request_domain.size() + 1 + command_bytes_max) {
  reset();
}

std::uint64_t KvMachine::memory_bytes(const KvSettings& settings) {
  constexpr std::uint64_t buffers = 4 * value_bytes_max + command_bytes_max + (2U << 20);
  return pool_units(settings) * UnitPool::unit_bytes + KvHistory::memory_bytes(settings.history_bytes) +
         buffers;
}

// ---- Log ------------------------------------------------------------------------------------------------

std::size_t KvMachine::apply(CommitIndex index, ByteView command, ByteSpan reply, EgressSink& egress) {
  MALLARD_INVARIANT(!import_.is_open() && index > applied());
  MALLARD_INVARIANT(command.size() <= command_bytes_max);
  MALLARD_INVARIANT(reply.empty() || reply.size() >= reply_bytes_max);
  versions_.live().index = index;
  versions_.forest().collect(collect_per_entry);
  std::optional<KvCommand> decoded = decode_command(command);
  if (decoded && decoded->operation == KvOperation::changes) {
    decoded.reset();  // how far back a replica knows is none of the log's affairs
  }
  if (decoded && is_read_operation(decoded->operation)) {
    return reply.empty() ? 0 : reader_.answer(versions_.live(), *decoded, reply);
  }
  const std::size_t bytes =
      decoded ? change(*decoded, egress) : ReplyWriter(reply_, index).finish(KvStatus::malformed);
  if (reply.empty()) {
    return 0;
  }
  std::memcpy(reply.data(), reply_.data(), bytes);
  return bytes;
}

bool KvMachine::is_read(ByteView command) const {
  const std::optional<KvCommand> decoded = decode_command(command);
  return !decoded || is_read_operation(decoded->operation);
}

std::size_t KvMachine::change(const KvCommand& command, EgressSink& egress) {
  if (!command.session) {
    return execute(command, egress);
  }
  const StateDigest request = digest_of_request(command);
  const SessionTable::Admission admission = sessions_.admit(*command.session, request, reply_);
  if (!admission.execute) {
    return admission.reply_bytes > 0 ? admission.reply_bytes
                                     : ReplyWriter(reply_, applied()).finish(admission.refusal);
  }
  const std::size_t bytes = execute(command, egress);
  sessions_.executed(*command.session, request, applied(), ByteView(reply_).first(bytes));
  return bytes;
}

std::size_t KvMachine::execute(const KvCommand& command, EgressSink& egress) {
  ReplyWriter reply(reply_, applied());
  KvStatus status = KvStatus::malformed;
  switch (command.operation) {
    case KvOperation::put:
    case KvOperation::erase:
    case KvOperation::increment:
      status = write_one(command.write, reply, egress);
      break;
    case KvOperation::txn:
      status = write_all(command.txn, reply, egress);
      break;
    case KvOperation::session_open:
      reply.add(sessions_.open(applied(), command.number));
      status = KvStatus::ok;
      break;
    case KvOperation::session_close:
      status = sessions_.close(command.number, command.owner);
      break;
    case KvOperation::fence_raise:
      status = raise_fence(Fence(command.number));
      break;
    case KvOperation::link_open:
      status = open_link(command.body, reply);
      break;
    case KvOperation::link_apply:
      status = apply_batch(command.body, reply, egress);
      break;
    default:
      break;
  }
  return reply.finish(status);
}

StateDigest KvMachine::digest_of_request(const KvCommand& command) {
  ByteWriter writer(scratch_);
  writer.write_bytes(bytes_of(request_domain));
  writer.write(static_cast<std::uint8_t>(command.operation));
  writer.write_bytes(command.body);
  return StateDigest{crypto::digest_of(ByteView(scratch_).first(writer.used())).bytes};
}

// ---- Writes ---------------------------------------------------------------------------------------------

KvStatus KvMachine::write_one(const KvWrite& write, ReplyWriter& reply, EgressSink& egress) {
  const UserEntries::Forecast forecast = entries_.forecast(write);
  if (forecast.status != KvStatus::ok) {
    return forecast.status;
  }
  if (!entries_.has_room(forecast.units)) {
    return KvStatus::full;
  }
  if (const auto sum = entries_.perform(write, forecast, egress)) {
    reply.add(*sum);
  }
  return KvStatus::ok;
}

KvStatus KvMachine::write_all(const KvTxn& txn, ReplyWriter& reply, EgressSink& egress) {
  ByteReader guards(txn.guards);
  for (std::uint16_t i = 0; i < txn.guard_count; ++i) {
    const KvGuard guard = next_guard(guards);
    if (guard.condition == KvCondition::fence ? guard.fence != fence_ : !entries_.holds(guard)) {
      reply.add_position(i);
      return KvStatus::guard_failed;
    }
  }
  // Keys are distinct: what one write does changes no forecast of another.
  std::int64_t units = 0;
  ByteReader forecasts(txn.writes);
  for (std::uint16_t i = 0; i < txn.write_count; ++i) {
    const UserEntries::Forecast forecast = entries_.forecast(next_write(forecasts));
    if (forecast.status != KvStatus::ok && forecast.status != KvStatus::not_found) {
      return forecast.status;
    }
    units += forecast.units;
  }
  if (!entries_.has_room(units)) {
    return KvStatus::full;
  }
  ByteReader writes(txn.writes);
  for (std::uint16_t i = 0; i < txn.write_count; ++i) {
    const KvWrite write = next_write(writes);
    if (const auto sum = entries_.perform(write, entries_.forecast(write), egress)) {
      reply.add(*sum);
    }
  }
  return KvStatus::ok;
}

KvStatus KvMachine::raise_fence(Fence fence) {
  if (fence <= fence_) {
    return KvStatus::fence_outdated;
  }
  fence_ = fence;
  write_meta();
  return KvStatus::ok;
}

// ---- Links ----------------------------------------------------------------------------------------------

KvStatus KvMachine::open_link(ByteView body, ReplyWriter& reply) {
  const std::optional<LinkOpenOrder> order = decode_link_open(body);
  if (!order) {
    return KvStatus::malformed;
  }
  const KvStatus status = links_.open(*order, applied());
  add_standing(reply, links_.find(order->link, order->direction), fence_);
  return status;
}

KvStatus KvMachine::apply_batch(ByteView body, ReplyWriter& reply, EgressSink& egress) {
  const std::optional<LinkApplyOrder> order = decode_link_apply(body);
  if (!order) {
    return KvStatus::malformed;
  }
  KvStatus status = judge(*order);
  if (status == KvStatus::ok && !entries_.has_room(growth_of(*order))) {
    status = KvStatus::full;
  }
  if (status == KvStatus::ok) {
    ByteReader messages(order->messages);
    for (std::uint16_t i = 0; i < order->count; ++i) {
      const ByteView message = next_message(messages);
      links_.arrived(order->link, message, order->batch);
      const std::optional<KvWrite> write = write_of(message);
      const UserEntries::Forecast forecast =
          write ? entries_.forecast(*write) : UserEntries::Forecast{.status = KvStatus::malformed};
      if (forecast.status == KvStatus::ok) {
        entries_.perform(*write, forecast, egress);
      } else if (forecast.status != KvStatus::not_found) {
        links_.conflicted(order->link);
      }
    }
  }
  add_standing(reply, links_.find(order->link, LinkDirection::inbound), fence_);
  return status;
}

KvStatus KvMachine::judge(const LinkApplyOrder& order) const {
  const LinkStanding* const standing = links_.find(order.link, LinkDirection::inbound);
  if (standing == nullptr || order.generation != standing->generation) {
    return KvStatus::generation_outdated;
  }
  if (order.fence != fence_) {
    return KvStatus::fence_outdated;
  }
  const bool is_next = order.batch == standing->batch.next() && order.first == standing->message.next();
  return is_next ? KvStatus::ok : KvStatus::not_next;
}

std::int64_t KvMachine::growth_of(const LinkApplyOrder& order) const {
  // A key may come several times. After each of its writes it takes at most what it takes now and the growths
  // up to there, counted as if each came alone.
  std::int64_t growth = 0;
  ByteReader messages(order.messages);
  for (std::uint16_t i = 0; i < order.count; ++i) {
    const std::optional<KvWrite> write = write_of(next_message(messages));
    growth += write ? std::max<std::int64_t>(0, entries_.forecast(*write).units) : 0;
  }
  return growth;
}

// ---- Reads ----------------------------------------------------------------------------------------------

Result<ViewId, MachineFault> KvMachine::open_view() {
  MALLARD_INVARIANT(!import_.is_open());
  links_.settle();
  return versions_.open();
}

Result<CommitIndex, MachineFault> KvMachine::index_of(ViewId view) const {
  return versions_.at(view).map([](const KvVersion& version) { return version.index; });
}

Result<std::size_t, MachineFault> KvMachine::query(ViewId view, ByteView command, ByteSpan reply) {
  MALLARD_INVARIANT(!import_.is_open() && reply.size() >= reply_bytes_max);
  const Result<KvVersion, MachineFault> version = versions_.at(view);
  if (!version) {
    return Failure<MachineFault>(version.error());
  }
  const std::optional<KvCommand> decoded =
      command.size() <= command_bytes_max ? decode_command(command) : std::nullopt;
  if (!decoded || !is_read_operation(decoded->operation)) {
    return ReplyWriter(reply, version->index).finish(decoded ? KvStatus::not_a_read : KvStatus::malformed);
  }
  if (decoded->operation == KvOperation::changes) {
    return history_.answer(decoded->changes, version->index, reply);
  }
  return reader_.answer(*version, *decoded, reply);
}

// ---- Digests --------------------------------------------------------------------------------------------

Result<StateDigest, MachineFault> KvMachine::root(ViewId view, KeyRange range) {
  MALLARD_INVARIANT(!import_.is_open());
  const Result<KvVersion, MachineFault> version = versions_.at(view);
  return version ? Result<StateDigest, MachineFault>(digest_.range(version->user, range))
                 : Failure<MachineFault>(version.error());
}

Result<StateDigest, MachineFault> KvMachine::state_hash(ViewId view) {
  links_.settle();
  const Result<KvVersion, MachineFault> version = versions_.at(view);
  if (!version) {
    return Failure<MachineFault>(version.error());
  }
  std::array<std::byte, state_domain.size() + 2 * sizeof(StateDigest) + 8> message{};
  ByteWriter writer(message);
  writer.write_bytes(bytes_of(state_domain));
  for (const TreeRoot tree : {version->user, version->system}) {
    const StateDigest digest = digest_.root(tree);
    writer.write_bytes(std::as_bytes(std::span(digest.bytes)));
  }
  writer.write(version->index.value);
  return StateDigest{crypto::digest_of(message).bytes};
}

// ---- Snapshots ------------------------------------------------------------------------------------------

Result<ExportedChunk, MachineFault> KvMachine::export_chunk(ViewId view, const ExportCursor& cursor,
                                                            ByteSpan out) {
  MALLARD_INVARIANT(!import_.is_open() && out.size() >= chunk_bytes_max);
  links_.settle();
  const Result<KvVersion, MachineFault> version = versions_.at(view);
  if (!version || cursor.size > cursor.bytes.size()) {
    return Failure<MachineFault>(version ? MachineFault::chunk_unexpected : version.error());
  }
  return export_.chunk(*version, *state_hash(view), view_of(cursor), out);
}

void KvMachine::begin_import(const StateIdentity& state) {
  versions_.clear();
  MALLARD_INVARIANT(links_.reload());  // nothing of the old state may be written to the new one
  import_.begin(state);
}

Result<bool, MachineFault> KvMachine::import_chunk(ByteView chunk) {
  if (!import_.is_open()) {
    return Failure<MachineFault>(MachineFault::not_importing);
  }
  const Result<bool, MachineFault> taken = import_.take(chunk);
  if (taken && !*taken) {
    return false;
  }
  if (!taken && taken.error() != MachineFault::chunk_hostile) {
    return taken;
  }
  MachineFault fault = MachineFault::chunk_hostile;
  import_.end();
  if (taken) {
    versions_.live().index = import_.state().index;
    if (*state_hash(ViewId{}) != import_.state().hash) {
      fault = MachineFault::root_differs;
    } else if (adopt_import()) {
      return true;
    } else {
      fault = MachineFault::settings_differ;
    }
  }
  reset();
  return Failure<MachineFault>(fault);
}

bool KvMachine::adopt_import() {
  const KeyForest& forest = versions_.forest();
  const KvVersion& live = versions_.live();
  const UnitIndex leaf = forest.find(live.system, meta_key().view());
  if (leaf == 0 || forest.value_bytes(leaf) != meta_bytes || !sessions_.reload() || !links_.reload()) {
    return false;
  }
  std::array<std::byte, meta_bytes> meta{};
  forest.copy_value(leaf, 0, meta);
  ByteReader reader(meta);
  if (reader.read<std::uint64_t>() != settings_.state_bytes ||
      reader.read<std::uint64_t>() != settings_.sessions_max) {
    return false;
  }
  fence_ = Fence(reader.read<std::uint64_t>());
  entries_.adopt(import_.user_entries(), import_.user_units());
  history_.begin(applied());
  return true;
}

void KvMachine::reset() {
  versions_.clear();
  fence_ = Fence{};
  entries_.adopt(0, 0);
  history_.begin(CommitIndex{});
  write_meta();
  MALLARD_INVARIANT(sessions_.reload() && links_.reload());
}

void KvMachine::write_meta() {
  std::array<std::byte, meta_bytes> meta{};
  ByteWriter writer(meta);
  writer.write(settings_.state_bytes);
  writer.write(std::uint64_t{settings_.sessions_max});
  writer.write(fence_.value);
  versions_.forest().put(versions_.live().system, meta_key().view(), meta);
}

std::optional<LinkStanding> KvMachine::link(LinkIndex link, LinkDirection direction) const {
  const LinkStanding* const standing = links_.find(link, direction);
  return standing == nullptr ? std::nullopt : std::optional(*standing);
}

}  // namespace mallard::rsm
