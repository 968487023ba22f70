#include "tests/rsm/replica/snapshot_storm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "config/base/prng.h"
#include "crypto/sodium.h"
#include "rsm/core/cft/entry_log.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/machine/link_command.h"
#include "rsm/replica/engine.h"
#include "rsm/replica/log_recovery.h"
#include "rsm/replica/snapshot_recovery.h"
#include "rsm/replica/snapshot_taker.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/direct_journal.h"

namespace mallard::rsm {
namespace {

using journal::EntryIndex;

constexpr std::uint64_t ring = 16U << 10;
constexpr std::uint64_t entries = 64;
constexpr std::uint64_t snapshot_every = 9;
constexpr LinkIndex link{0};
constexpr EgressLogSettings egress_settings{.links = 2, .bytes = egress_bytes_min, .batches = 256};
const cft::Members members{.set = 7};
const cft::MemoryLayout layout{.processes = 3, .ring_bytes = ring, .chunk_bytes = 1024};

std::unique_ptr<KvMachine> make_machine() {
  return std::make_unique<KvMachine>(
      KvSettings{.state_bytes = 1U << 20U, .sessions_max = 4, .view_bytes = 1U << 18U});
}

// The log as a leader has it, and what executing it gives.
struct MasterEntry {
  std::vector<std::byte> bytes;  // as they are journaled
  std::vector<std::byte> command;
  cft::LogMark end;
  StateDigest state;    // behind it
  BatchNumber batches;  // that it and those before emitted
};

class MasterLog : private EgressSink {
 public:
  explicit MasterLog(std::uint64_t seed) : prng_(seed), machine_(make_machine()) {
    std::vector<std::byte> bytes(cft::control_bytes + ring);
    cft::EntryLog log(layout, 64, {});
    cft::LogMark at;
    while (entries_.size() < entries) {
      const std::vector<std::byte> command = next_command();
      log.append(bytes, cft::EntryKind::command, cft::make_ballot(1, memory::ProcessIndex(0)), command);
      while (at.lsn < log.end().lsn) {
        const ByteView rest = ByteView(bytes).subspan(layout.log_offset(at.lsn), layout.until_wrap(at.lsn));
        const auto entry = cft::decode_entry(rest, at);
        MALLARD_INVARIANT(entry.has_value());
        take(*entry, rest.first(cft::entry_header_bytes + entry->payload.size()));
        at = entry->end();
      }
      log.decide(log.end().lsn);
    }
  }

  // From 1.
  [[nodiscard]] const MasterEntry& at(std::uint64_t index) const { return entries_[index - 1]; }
  [[nodiscard]] std::uint64_t size() const { return entries_.size(); }
  [[nodiscard]] const std::vector<std::byte>& body(std::uint64_t batch) const { return bodies_.at(batch); }

 private:
  std::vector<std::byte> next_command() {
    if (entries_.empty()) {
      return encode_link_open(link, LinkDirection::outbound, Generation(1), {});
    }
    const std::string key = fmt::format("key{}", prng_.below(20));
    return prng_.below(3) == 0 ? increment(fmt::format("n{}", prng_.below(3)), prng_.below(9))
                               : put(key, std::string(prng_.below(700), 'v'));
  }
  void take(const cft::Entry& entry, ByteView covered) {
    if (entry.kind == cft::EntryKind::command) {
      machine_->apply(commit_index(entry.end().lsn), entry.payload, {}, *this);
    }
    entries_.push_back({{covered.begin(), covered.end()},
                        {entry.payload.begin(), entry.payload.end()},
                        entry.end(),
                        *machine_->state_hash(ViewId{}),
                        batches_});
    if (entry.kind != cft::EntryKind::command) {
      entries_.back().command.clear();
    }
  }
  void emit(const LinkMessage& message) override {
    batches_ = message.batch;
    std::vector<std::byte>& body = bodies_[message.batch.value];
    const std::size_t before = body.size();
    body.resize(before + sizeof(std::uint32_t) + message.message.size());
    ByteWriter writer(ByteSpan(body).subspan(before));
    writer.write(static_cast<std::uint32_t>(message.message.size()));
    writer.write_bytes(message.message);
  }

  Prng prng_;
  std::unique_ptr<KvMachine> machine_;
  std::vector<MasterEntry> entries_;
  std::map<std::uint64_t, std::vector<std::byte>> bodies_;
  BatchNumber batches_;
};

class SnapshotStorm final : private RecoveredCommands {
 public:
  explicit SnapshotStorm(const SnapshotStormOptions& options)
      : options_(options), prng_(options.seed), log_(options.seed % 8), disk_(prng_.next()) {}

  SnapshotStormOutcome run() {
    disk_.crash_after(options_.crash_at.value_or(prng_.below(260)));
    if (open(false)) {
      live();
    }
    outcome_.changes = disk_.changes();
    for (int life = 0; life < 2 && outcome_.checker.empty(); ++life) {
      store_.reset();
      disk_.restart(options_.loss);
      disk_.never_fail();
      if (open(false)) {
        live();
      }
    }
    // Half of the storms are power cuts alone.
    const std::uint64_t kind = options_.seed % 256;
    if (kind >= 128 && outcome_.checker.empty()) {
      damage(kind < 192 ? 1 : 2);
    }
    return outcome_;
  }

 private:
  void complain(std::string checker, std::string what) {
    if (outcome_.checker.empty()) {
      outcome_.checker = std::move(checker);
      outcome_.what = std::move(what);
    }
  }

  void on_recovered(CommitIndex index, ByteView command) override {
    machine_->apply(index, command, {}, *egress_);
  }

  // False where the disk failed, as it was made to, or something is wrong. `may_lose`: all snapshots are
  // damaged.
  bool open(bool may_lose) {
    journal::FreshIdentity fresh{.incarnation = Incarnation(++incarnations_)};
    fresh.store.bytes[0] = std::byte{1};
    auto opened = journal::Journal::open(disk_,
                                         {.segment_bytes = 32U << 10,
                                          .segments_max = 6,
                                          .entries_max = 256,
                                          .group_bytes_max = 16U << 10,
                                          .body_bytes_max = 8U << 10},
                                         fresh);
    if (!opened) {
      if (!disk_.has_failed()) {
        complain("acknowledged_is_there", opened.error().what);
      }
      return false;
    }
    store_ = std::move(*opened);
    machine_ = make_machine();
    egress_ = std::make_unique<EgressLog>(egress_settings);
    auto state = recover_state(*store_, *machine_, *egress_, members);
    if (!state) {
      if (!disk_.has_failed()) {
        complain("damage_is_noticed", state.error().what);
      }
      return false;
    }
    std::vector<std::byte> region(cft::control_bytes + ring);
    const RecoveredLog recovered = recover_log(*store_, state->start, layout, region, *this);
    outcome_.recovered_from_snapshots += state->start.place.end.lsn > 0 ? 1U : 0U;
    kept_ = state->kept;
    if (!may_lose) {
      check(*state, recovered);
    } else if (!state->lost || state->start.place.end.lsn != 0) {
      complain("damage_is_noticed", "without snapshots the log begins in its middle");
    }
    return outcome_.checker.empty();
  }

  void check(const RecoveredState& state, const RecoveredLog& recovered) {
    const LogPlace& applied = recovered.applied.place;
    const std::uint64_t last =
        recovered.undecided.empty() ? applied.index.value : recovered.undecided.back().index.value;
    if (state.lost || recovered.broken || last < acknowledged_) {
      complain("acknowledged_is_there",
               fmt::format("the log comes back up to {} of {}{}{}", last, acknowledged_,
                           state.lost ? ", lost" : "", recovered.broken ? ", broken" : ""));
      return;
    }
    at_ = applied;
    last_ = last;
    if (applied.index.value == 0) {
      return;
    }
    const MasterEntry& entry = log_.at(applied.index.value);
    if (entry.end != applied.end || *machine_->state_hash(ViewId{}) != entry.state) {
      complain("state_is_that_of_the_log", fmt::format("at entry {}", applied.index.value));
      return;
    }
    for (std::uint64_t batch = quacked_ + 1; batch <= entry.batches.value; ++batch) {
      const auto found = egress_->find(link, BatchNumber(batch));
      std::vector<std::byte> body(found ? found->bytes : 0);
      if (found) {
        egress_->copy(link, BatchNumber(batch), body);
      }
      if (!found || body != log_.body(batch)) {
        complain("bodies_are_there",
                 fmt::format("batch {} of {} after {} were QUACKed", batch, entry.batches.value, quacked_));
        return;
      }
    }
  }

  void live() {
    DirectJournal port(*store_);
    SnapshotTaker taker({.every_bytes = UINT64_MAX, .every_entries = snapshot_every},
                        {*machine_, *egress_, port}, kept_);
    // What was recovered and is not known to be decided is, in this log.
    for (std::uint64_t i = at_.index.value + 1; i <= last_; ++i) {
      execute(i);
    }
    const std::uint64_t end = std::min(log_.size(), last_ + entries / 2);
    for (std::uint64_t i = last_ + 1; i <= end && !port.failed(); ++i) {
      port.append({EntryIndex(i), journal::Term(1), Epoch(1), log_.at(i).bytes});
      port.seal(i);
      if (port.failed()) {
        break;
      }
      acknowledged_ = i;
      execute(i);
      port.commit(EntryIndex(i));
      for (std::uint64_t turns = prng_.between(0, 3); turns > 0 && !port.failed(); --turns) {
        const std::uint64_t taken = taker.taken();
        taker.turn({at_, members});
        if (taker.taken() > taken && !disk_.names_are_durable()) {
          complain("acknowledged_is_there", "a snapshot counts while its name may be lost");
        }
      }
      if (prng_.below(5) == 0 && log_.at(i).batches.value > 4) {
        quacked_ = std::max(quacked_, prng_.between(0, log_.at(i).batches.value - 3));
        egress_->forget(link, Generation(1), BatchNumber(quacked_));
      }
    }
    outcome_.snapshots += taker.taken();
    kept_ = taker.kept();
    if (port.failed() && !disk_.has_failed()) {
      complain("acknowledged_is_there", "the journal fails without a cause");
    }
  }

  void execute(std::uint64_t index) {
    const MasterEntry& entry = log_.at(index);
    if (!entry.command.empty()) {
      machine_->apply(commit_index(entry.end.lsn), entry.command, {}, *egress_);
    }
    at_ = {entry.end, EntryIndex(index)};
  }

  // Damages the newest snapshot, or both.
  void damage(std::uint64_t files) {
    store_.reset();
    disk_.restart(journal::SimDisk::Loss::none);
    const StoredSnapshot* newest = kept_.newest();
    if (newest == nullptr || kept_.older() == nullptr) {
      if (outcome_.snapshots > 1) {
        complain("damage_is_noticed", "only one snapshot is kept");
      }
      return;
    }
    journal::DiskImage image = disk_.image();
    for (std::uint8_t slot = 0; slot < snapshot_slots; ++slot) {
      if (files == 2 || slot == newest->slot) {
        std::vector<std::byte>& bytes = image[std::string(snapshot_name(slot).text())];
        const std::uint64_t kind = prng_.below(3);
        const std::size_t where = prng_.below(bytes.size());
        if (kind == 0) {
          bytes[where] ^= static_cast<std::byte>(1U << prng_.below(8));
        } else if (kind == 1) {
          bytes.resize(where);
        } else {
          bytes.push_back(std::byte{0});
        }
      }
    }
    disk_.restore(image);
    if (open(files == 2)) {
      outcome_.older_used += files == 1 ? 1U : 0U;
    } else if (outcome_.checker != "damage_is_noticed") {
      outcome_.what = outcome_.checker + ": " + outcome_.what;
      outcome_.checker = "damage_is_noticed";
    }
  }

  SnapshotStormOptions options_;
  SnapshotStormOutcome outcome_;
  Prng prng_;
  MasterLog log_;
  journal::SimDisk disk_;
  std::unique_ptr<journal::Journal> store_;
  std::unique_ptr<KvMachine> machine_;
  std::unique_ptr<EgressLog> egress_;
  KeptSnapshots kept_;
  LogPlace at_;
  std::uint64_t last_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t quacked_ = 0;
  std::uint64_t incarnations_ = 0;
};

}  // namespace

SnapshotStormOutcome run_snapshot_storm(const SnapshotStormOptions& options) {
  crypto::start_sodium();
  return SnapshotStorm(options).run();
}

}  // namespace mallard::rsm
