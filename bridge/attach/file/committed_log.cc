#include "bridge/attach/file/committed_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "bridge/attach/file/committed_log_writer.h"
#include "config/base/invariant.h"

namespace mallard::bridge::file {

CommittedLog::Outbound::Outbound(const OutboundFilter& filter, const std::filesystem::path& path,
                                 std::string_view cluster)
    : link(filter.link), cutter(filter.include), reader(path, LogKind::committed, cluster) {
  newest.position = reader.position();
  next = newest;
}

CommittedLog::CommittedLog(const std::filesystem::path& directory, std::string_view cluster,
                           const std::vector<OutboundFilter>& links)
    : follower_(committed_log_path(directory), LogKind::committed, cluster) {
  links_.reserve(links.size());
  for (const OutboundFilter& link : links) {
    links_.emplace_back(link, follower_.path(), cluster);
  }
}

Result<bool, StorageProblem> CommittedLog::follow(std::size_t bytes) {
  const std::uint64_t start = follower_.position().offset;
  while (!links_.empty() && follower_.position().offset - start < bytes) {
    const RecordPosition before = follower_.position();
    const auto entry = follower_.next();
    if (!entry) {
      return Failure<StorageProblem>(entry.error());
    }
    if (!*entry) {
      break;
    }
    if (!BatchCutter::is_well_formed((*entry)->payload, (*entry)->head.messages)) {
      return Failure<StorageProblem>(malformed((*entry)->head.number));
    }
    checked_.add((*entry)->payload, follower_.position());
    for (Outbound& outbound : links_) {
      count(outbound, before, **entry);
    }
  }
  return follower_.position().offset != start;
}

void CommittedLog::count(Outbound& outbound, const RecordPosition& before, const RecordView& entry) {
  Place place = outbound.newest;
  place.position = before;
  bool passed = false;
  std::size_t from = 0;
  while (const std::optional<BatchCut> cut = outbound.cutter.next(entry.payload, from)) {
    passed = true;
    from = cut->end;
    ++outbound.newest.batch;
    outbound.newest.message += cut->messages;
  }
  outbound.newest.position = follower_.position();
  if (!passed) {
    return;
  }
  outbound.index.offer(place.batch, place);
  // A tap that has given everything goes on here, however many entries without a message of its link lie
  // between.
  if (outbound.next.batch == place.batch) {
    outbound.next.position = before;
    outbound.cut_at = 0;
    outbound.reread.reset();
  }
}

LogExtent CommittedLog::extent(LinkIndex link) const {
  const Outbound& found = outbound(link);
  return {.link = link,
          .oldest_readable = BatchNumber(1),
          .newest = BatchNumber(found.newest.batch),
          .newest_message = MessageNumber(found.newest.message)};
}

void CommittedLog::tap_from(LinkIndex link, BatchNumber after) {
  Outbound& found = outbound(link);
  found.reread.reset();
  found.cut_at = 0;
  found.skip_to = after.value;
  if (const Place* place = found.index.at_or_before(after.value)) {
    found.next = *place;
  }
}

Result<std::optional<CheckedEntry>, StorageProblem> CommittedLog::entry_of(Outbound& outbound) const {
  const RecordPosition& place = outbound.next.position;
  if (const CheckedEntry* entry = checked_.find(place.number + 1)) {
    return *entry;
  }
  if (!outbound.reread) {
    if (outbound.reader.position().offset != place.offset) {
      outbound.reader.seek(place);
    }
    const auto entry = outbound.reader.next();
    if (!entry) {
      return Failure<StorageProblem>(entry.error());
    }
    if (*entry) {
      outbound.reread = CheckedEntry{.payload = (*entry)->payload, .after = outbound.reader.position()};
    }
  }
  return outbound.reread;
}

Result<std::optional<StoredBatch>, StorageProblem> CommittedLog::tap_next(LinkIndex link, PayloadPool& pool) {
  Outbound& found = outbound(link);
  while (found.next.batch < found.newest.batch) {
    const auto entry = entry_of(found);
    if (!entry) {
      return Failure<StorageProblem>(entry.error());
    }
    if (!*entry) {
      return std::nullopt;
    }
    const ByteView payload = (*entry)->payload;
    const std::optional<BatchCut> cut = found.cutter.next(payload, found.cut_at);
    if (!cut) {
      found.next.position = (*entry)->after;
      found.cut_at = 0;
      found.reread.reset();
      continue;
    }
    StoredBatch batch{.header = {.batch = BatchNumber(found.next.batch + 1),
                                 .first = MessageNumber(found.next.message + 1),
                                 .count = cut->messages},
                      .payload = {}};
    if (batch.header.batch.value > found.skip_to) {
      const std::optional<PayloadRef> slot = pool.allocate(cut->bytes);
      if (!slot) {
        return std::nullopt;
      }
      batch.payload = *slot;
      found.cutter.copy(payload, *cut, pool.span(*slot));
    }
    found.cut_at = cut->end;
    found.next.batch += 1;
    found.next.message += cut->messages;
    if (batch.header.batch.value > found.skip_to) {
      return batch;
    }
  }
  return std::nullopt;
}

CommittedLog::Outbound& CommittedLog::outbound(LinkIndex link) {
  const auto found = std::ranges::find(links_, link, &Outbound::link);
  MALLARD_INVARIANT(found != links_.end());
  return *found;
}

const CommittedLog::Outbound& CommittedLog::outbound(LinkIndex link) const {
  const auto found = std::ranges::find(links_, link, &Outbound::link);
  MALLARD_INVARIANT(found != links_.end());
  return *found;
}

StorageProblem CommittedLog::malformed(std::uint64_t entry) const {
  return {.fault = StorageFault::damaged,
          .what = fmt::format("{}: entry {} is not a sequence of messages", follower_.path().string(), entry),
          .advice = "see how the RSM writes it: each message is a u32 length and 1 to 262144 bytes"};
}

}  // namespace mallard::bridge::file
