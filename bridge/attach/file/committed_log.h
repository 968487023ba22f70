// The source side of an attachment: follows the committed log of its replica and cuts it into the batches of
// each outbound link. Every replica reads the same log from its first entry on, so all of them number alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/attach/file/batch_cutter.h"
#include "bridge/attach/file/checked_entries.h"
#include "bridge/attach/file/record_reader.h"
#include "bridge/attach/file/sparse_index.h"
#include "bridge/attach/file/storage_problem.h"
#include "bridge/core/event.h"
#include "bridge/gateway/attachment.h"
#include "config/base/payload_pool.h"
#include "config/base/result.h"

namespace mallard::bridge::file {

struct OutboundFilter {
  LinkIndex link;
  std::vector<std::string> include;  // as for BatchCutter
};

class CommittedLog {
 public:
  // Reads nothing yet. The log need not exist.
  CommittedLog(const std::filesystem::path& directory, std::string_view cluster,
               const std::vector<OutboundFilter>& links);

  // Reads on, at most about `bytes` bytes; returns whether there was anything new. A damaged entry is a
  // problem, an entry that is still being written is not there yet.
  [[nodiscard]] Result<bool, StorageProblem> follow(std::size_t bytes);

  // How far follow() has come, in the link's numbers. Everything can be read.
  [[nodiscard]] LogExtent extent(LinkIndex link) const;
  // The next tap_next() of the link gives the batch after `after`.
  void tap_from(LinkIndex link, BatchNumber after);
  // The next batch up to the extent, in a slot of `pool`; nothing when there is none, or no room in the pool.
  [[nodiscard]] Result<std::optional<StoredBatch>, StorageProblem> tap_next(LinkIndex link,
                                                                            PayloadPool& pool);

 private:
  // The numbering of a link right before an entry.
  struct Place {
    RecordPosition position;
    std::uint64_t batch = 0;    // batches before
    std::uint64_t message = 0;  // messages before
  };
  // Bounds the memory of a link's index.
  static constexpr std::size_t places_max = 4096;

  struct Outbound {
    Outbound(const OutboundFilter& filter, const std::filesystem::path& path, std::string_view cluster);

    LinkIndex link;
    BatchCutter cutter;
    Place newest;                          // behind the last entry that was followed
    SparseIndex<Place> index{places_max};  // by batches before
    Place next;                 // what the tap gives next comes behind this; the place of the entry it cuts
    std::uint64_t skip_to = 0;  // batches up to here are passed over
    std::size_t cut_at = 0;     // where the next cut of the entry starts
    RecordReader reader;        // of the tap, for entries that the follower has not handed over
    std::optional<CheckedEntry> reread;  // the entry, where it is the reader's
  };

  [[nodiscard]] Outbound& outbound(LinkIndex link);
  [[nodiscard]] const Outbound& outbound(LinkIndex link) const;
  void count(Outbound& outbound, const RecordPosition& before, const RecordView& entry);
  // The entry that the tap cuts, checked either by the follower or now; nothing when it is not there yet.
  [[nodiscard]] Result<std::optional<CheckedEntry>, StorageProblem> entry_of(Outbound& outbound) const;
  [[nodiscard]] StorageProblem malformed(std::uint64_t entry) const;

  RecordReader follower_;
  std::vector<Outbound> links_;
  CheckedEntries checked_;  // by the follower
};

}  // namespace mallard::bridge::file
