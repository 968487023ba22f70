#include "rsm/replica/log_recovery.h"

#include <algorithm>
#include <cstring>

#include "rsm/core/cft/log_entry.h"
#include "rsm/replica/engine.h"

namespace mallard::rsm {
namespace {

class Replay {
 public:
  Replay(const LogStart& base, const cft::MemoryLayout& layout, ByteSpan log, RecoveredCommands& commands)
      : layout_(layout), log_(log), commands_(commands) {
    out_.applied = base;
    out_.tail = base.place.end.lsn;
  }

  // False where the log breaks off.
  bool take(const journal::Entry& entry, bool is_committed) {
    const cft::LogMark before = end();
    const std::uint64_t room = layout_.until_wrap(before.lsn);
    const std::uint64_t undecided = before.lsn - out_.applied.place.end.lsn;
    if (entry.body.size() > room || undecided + entry.body.size() > layout_.ring_bytes) {
      return false;
    }
    std::memcpy(log_.data() + layout_.log_offset(before.lsn), entry.body.data(), entry.body.size());
    const auto decoded = decode_at(before);
    if (!decoded) {
      return false;
    }
    out_.undecided.push_back({decoded->end(), entry.index});
    decided_ = std::max(decided_, is_committed ? decoded->end().lsn : decoded->commit);
    apply();
    return true;
  }

  RecoveredLog finish(bool broken) {
    const cft::Lsn last = end().lsn;
    if (last > layout_.ring_bytes) {
      out_.tail = std::max(out_.tail, last - layout_.ring_bytes);
    }
    out_.broken = broken;
    return out_;
  }

 private:
  [[nodiscard]] const cft::LogMark& end() const {
    return out_.undecided.empty() ? out_.applied.place.end : out_.undecided.back().end;
  }
  [[nodiscard]] Result<cft::Entry, cft::EntryFault> decode_at(const cft::LogMark& mark) const {
    return cft::decode_entry(
        ByteView(log_).subspan(layout_.log_offset(mark.lsn), layout_.until_wrap(mark.lsn)), mark);
  }
  void apply() {
    std::size_t done = 0;
    for (; done < out_.undecided.size() && out_.undecided[done].end.lsn <= decided_; ++done) {
      const auto entry = decode_at(out_.applied.place.end);
      if (entry->kind == cft::EntryKind::command) {
        commands_.on_recovered(commit_index(entry->end().lsn), entry->payload);
      } else if (entry->kind == cft::EntryKind::members) {
        out_.applied.members = cft::decode_members(entry->payload).value_or(out_.applied.members);
      }
      out_.applied.place = out_.undecided[done];
    }
    out_.undecided.erase(out_.undecided.begin(), out_.undecided.begin() + static_cast<std::ptrdiff_t>(done));
  }

  const cft::MemoryLayout& layout_;
  ByteSpan log_;
  RecoveredCommands& commands_;
  RecoveredLog out_;
  cft::Lsn decided_ = 0;
};

}  // namespace

RecoveredLog recover_log(journal::Journal& journal, const LogStart& base, const cft::MemoryLayout& layout,
                         ByteSpan log_region, RecoveredCommands& commands) {
  Replay replay(base, layout, log_region, commands);
  for (journal::EntryIndex index = base.place.index.next(); index <= journal.last(); index = index.next()) {
    const auto entry = journal.read(index);
    if (!entry || !replay.take(*entry, index <= journal.commit())) {
      return replay.finish(true);
    }
  }
  return replay.finish(false);
}

}  // namespace mallard::rsm
