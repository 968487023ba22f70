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
constexpr std::size_t number_bytes = 8;
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
  return SessionTable::units_max(settings.sessions_max) +
         KeyForest::units_of(SystemKey::size_bytes, meta_bytes);
}

std::uint64_t pool_units(const KvSettings& settings) {
  return user_units_max(settings) + system_units_max(settings) + settings.view_bytes / UnitPool::unit_bytes +
         headroom_units;
}

ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

KvMachine::KvMachine(const KvSettings& settings)
    : settings_(settings),
      user_units_max_(user_units_max(settings)),
      versions_(pool_units(settings)),
      walk_(versions_.forest()),
      digest_(versions_.forest()),
      sessions_(versions_.forest(), versions_.live().system, settings.sessions_max),
      export_(versions_.forest()),
      import_(versions_,
              {.user_units = user_units_max(settings), .system_units = system_units_max(settings)}),
      reply_(stored_reply_bytes_max),
      scratch_(request_domain.size() + 1 + command_bytes_max) {
  reset();
}

std::uint64_t KvMachine::memory_bytes(const KvSettings& settings) {
  constexpr std::uint64_t buffers = 2 * value_bytes_max + command_bytes_max + (1U << 20);
  return pool_units(settings) * UnitPool::unit_bytes + buffers;
}

// ---- Log ------------------------------------------------------------------------------------------------

std::size_t KvMachine::apply(CommitIndex index, ByteView command, ByteSpan reply, EgressSink& egress) {
  MALLARD_INVARIANT(!import_.is_open() && index > applied());
  MALLARD_INVARIANT(command.size() <= command_bytes_max);
  MALLARD_INVARIANT(reply.empty() || reply.size() >= reply_bytes_max);
  versions_.live().index = index;
  versions_.forest().collect(collect_per_entry);
  const std::optional<KvCommand> decoded = decode_command(command);
  if (decoded && is_read_operation(decoded->operation)) {
    return reply.empty() ? 0 : read(versions_.live(), *decoded, reply);
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
  const Forecast forecast = this->forecast(write);
  if (forecast.status != KvStatus::ok) {
    return forecast.status;
  }
  if (!has_room(forecast.units)) {
    return KvStatus::full;
  }
  perform(write, forecast, reply, egress);
  return KvStatus::ok;
}

KvStatus KvMachine::write_all(const KvTxn& txn, ReplyWriter& reply, EgressSink& egress) {
  ByteReader guards(txn.guards);
  for (std::uint16_t i = 0; i < txn.guard_count; ++i) {
    if (!holds(next_guard(guards))) {
      reply.add_position(i);
      return KvStatus::guard_failed;
    }
  }
  // Keys are distinct: what one write does changes no forecast of another.
  std::int64_t units = 0;
  ByteReader forecasts(txn.writes);
  for (std::uint16_t i = 0; i < txn.write_count; ++i) {
    const Forecast forecast = this->forecast(next_write(forecasts));
    if (forecast.status != KvStatus::ok && forecast.status != KvStatus::not_found) {
      return forecast.status;
    }
    units += forecast.units;
  }
  if (!has_room(units)) {
    return KvStatus::full;
  }
  ByteReader writes(txn.writes);
  for (std::uint16_t i = 0; i < txn.write_count; ++i) {
    const KvWrite write = next_write(writes);
    perform(write, this->forecast(write), reply, egress);
  }
  return KvStatus::ok;
}

bool KvMachine::holds(const KvGuard& guard) {
  if (guard.condition == KvCondition::fence) {
    return guard.fence == fence_;
  }
  const UnitIndex leaf = versions_.forest().find(versions_.live().user, guard.key);
  switch (guard.condition) {
    case KvCondition::absent:
      return leaf == 0;
    case KvCondition::present:
      return leaf != 0;
    default:
      return leaf != 0 && has_value(leaf, guard.value);
  }
}

bool KvMachine::has_value(UnitIndex leaf, ByteView value) {
  if (versions_.forest().value_bytes(leaf) != value.size()) {
    return false;
  }
  const ByteSpan own = ByteSpan(scratch_).first(value.size());
  versions_.forest().copy_value(leaf, 0, own);
  return std::ranges::equal(own, value);
}

KvMachine::Forecast KvMachine::forecast(const KvWrite& write) const {
  const KeyForest& forest = versions_.forest();
  const UnitIndex leaf = forest.find(versions_.live().user, write.key);
  const auto units_of = [&](std::size_t value_bytes) {
    return static_cast<std::int64_t>(KeyForest::units_of(write.key.size(), value_bytes));
  };
  const std::int64_t before = leaf == 0 ? 0 : units_of(forest.value_bytes(leaf));
  switch (write.operation) {
    case KvOperation::erase:
      return {.status = leaf == 0 ? KvStatus::not_found : KvStatus::ok, .units = -before, .leaf = leaf};
    case KvOperation::increment:
      if (leaf != 0 && forest.value_bytes(leaf) != number_bytes) {
        return {.status = KvStatus::not_a_number, .leaf = leaf};
      }
      return {.units = units_of(number_bytes) - before, .leaf = leaf};
    default:
      return {.units = units_of(write.value.size()) - before, .leaf = leaf};
  }
}

bool KvMachine::has_room(std::int64_t units) const {
  return units <= 0 || user_units_ + static_cast<std::uint64_t>(units) <= user_units_max_;
}

void KvMachine::perform(const KvWrite& write, const Forecast& forecast, ReplyWriter& reply,
                        EgressSink& egress) {
  static_cast<void>(egress);
  if (forecast.status != KvStatus::ok) {
    return;  // an erase within a transaction, of a key that is not there
  }
  user_units_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(user_units_) + forecast.units);
  switch (write.operation) {
    case KvOperation::erase:
      --entries_;
      versions_.forest().erase(versions_.live().user, write.key);
      break;
    case KvOperation::increment: {
      const std::uint64_t sum = write.amount + (forecast.leaf == 0 ? 0 : number_at(forecast.leaf));
      std::array<std::byte, number_bytes> value{};
      ByteWriter(value).write(sum);
      store(write.key, value, forecast.leaf);
      reply.add(sum);
      break;
    }
    default:
      store(write.key, write.value, forecast.leaf);
      break;
  }
}

void KvMachine::store(ByteView key, ByteView value, UnitIndex leaf) {
  TreeRoot& user = versions_.live().user;
  if (leaf == 0) {
    ++entries_;
    versions_.forest().put(user, key, value);
  } else {
    versions_.forest().replace(user, key, value);
  }
}

std::uint64_t KvMachine::number_at(UnitIndex leaf) const {
  std::array<std::byte, number_bytes> value{};
  versions_.forest().copy_value(leaf, 0, value);
  return ByteReader(value).read<std::uint64_t>();
}

KvStatus KvMachine::raise_fence(Fence fence) {
  if (fence <= fence_) {
    return KvStatus::fence_outdated;
  }
  fence_ = fence;
  write_meta();
  return KvStatus::ok;
}

// ---- Reads ----------------------------------------------------------------------------------------------

Result<ViewId, MachineFault> KvMachine::open_view() {
  MALLARD_INVARIANT(!import_.is_open());
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
  return read(*version, *decoded, reply);
}

std::size_t KvMachine::read(const KvVersion& version, const KvCommand& command, ByteSpan reply) {
  if (command.operation == KvOperation::scan) {
    return scan(version, command.scan, reply);
  }
  const KeyForest& forest = versions_.forest();
  const UnitIndex leaf = forest.find(version.user, command.write.key);
  const std::size_t head =
      ReplyWriter(reply, version.index).finish(leaf == 0 ? KvStatus::not_found : KvStatus::ok);
  if (leaf == 0) {
    return head;
  }
  forest.copy_value(leaf, 0, reply.subspan(head, forest.value_bytes(leaf)));
  return head + forest.value_bytes(leaf);
}

std::size_t KvMachine::scan(const KvVersion& version, const KvScan& scan, ByteSpan reply) {
  const KeyForest& forest = versions_.forest();
  const std::size_t bytes_max = std::min<std::size_t>(scan.bytes_max, scan_bytes_max);
  const bool goes_on = std::ranges::lexicographical_compare(scan.prefix, scan.after) ||
                       (!scan.after.empty() && std::ranges::equal(scan.prefix, scan.after));
  const std::size_t head = ReplyWriter(reply, version.index).finish(KvStatus::ok);
  std::size_t used = head + 5;
  std::array<std::byte, key_bytes_max> key_bytes{};
  std::uint32_t entries = 0;
  bool more = false;
  for (walk_.seek(version.user, goes_on ? scan.after : scan.prefix); walk_.leaf() != 0; walk_.next()) {
    const UnitIndex leaf = walk_.leaf();
    const ByteView key = forest.copy_key(leaf, key_bytes);
    if (goes_on && std::ranges::equal(key, scan.after)) {
      continue;
    }
    if (key.size() < scan.prefix.size() || !std::ranges::equal(key.first(scan.prefix.size()), scan.prefix)) {
      break;
    }
    const std::size_t value_bytes = forest.value_bytes(leaf);
    const std::size_t bytes = scan_entry_head_bytes + key.size() + value_bytes;
    if (entries == scan.entries_max || (entries > 0 && used - head - 5 + bytes > bytes_max)) {
      more = true;
      break;
    }
    ByteWriter out(reply.subspan(used, bytes));
    out.write(static_cast<std::uint16_t>(key.size()));
    out.write(static_cast<std::uint32_t>(value_bytes));
    out.write_bytes(key);
    forest.copy_value(leaf, 0, reply.subspan(used + out.used(), value_bytes));
    used += bytes;
    ++entries;
  }
  ByteWriter counts(reply.subspan(head));
  counts.write(static_cast<std::uint8_t>(more ? 1 : 0));
  counts.write(entries);
  return used;
}

// ---- Digests --------------------------------------------------------------------------------------------

Result<StateDigest, MachineFault> KvMachine::root(ViewId view, KeyRange range) {
  MALLARD_INVARIANT(!import_.is_open());
  const Result<KvVersion, MachineFault> version = versions_.at(view);
  return version ? Result<StateDigest, MachineFault>(digest_.range(version->user, range))
                 : Failure<MachineFault>(version.error());
}

Result<StateDigest, MachineFault> KvMachine::state_hash(ViewId view) {
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
  const Result<KvVersion, MachineFault> version = versions_.at(view);
  if (!version || cursor.size > cursor.bytes.size()) {
    return Failure<MachineFault>(version ? MachineFault::chunk_unexpected : version.error());
  }
  return export_.chunk(*version, *state_hash(view), view_of(cursor), out);
}

void KvMachine::begin_import(const StateIdentity& state) {
  versions_.clear();
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
  if (leaf == 0 || forest.value_bytes(leaf) != meta_bytes || !sessions_.reload()) {
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
  user_units_ = import_.user_units();
  entries_ = import_.user_entries();
  return true;
}

void KvMachine::reset() {
  versions_.clear();
  fence_ = Fence{};
  user_units_ = 0;
  entries_ = 0;
  write_meta();
  MALLARD_INVARIANT(sessions_.reload());
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
  static_cast<void>(link);
  static_cast<void>(direction);
  return std::nullopt;
}

}  // namespace mallard::rsm
