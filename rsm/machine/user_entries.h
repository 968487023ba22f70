// What clients stored: writes to the live version, with the account of its memory and the links that carry
// them on.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "config/contract/machine.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_history.h"
#include "rsm/machine/kv_reply.h"
#include "rsm/machine/kv_versions.h"
#include "rsm/machine/link_table.h"

namespace mallard::rsm {

class UserEntries {
 public:
  // `units_max`: what the entries may take, as KeyForest::units_of() counts. All outlive this.
  UserEntries(KvVersions& versions, LinkTable& links, KvHistory& history, std::uint64_t units_max);

  // What a write would do now. ok, not_found (an erase), not_a_number or too_large_for_link.
  struct Forecast {
    KvStatus status = KvStatus::ok;
    std::int64_t units = 0;  // the state grows by so much
    UnitIndex leaf = 0;      // of the key, if it is there
  };
  [[nodiscard]] Forecast forecast(const KvWrite& write) const;
  // Whether the state may grow by so much. It may always shrink.
  [[nodiscard]] bool has_room(std::int64_t units) const;

  // Executes a write by its forecast, if that is ok, tells the history, and gives it its numbers on the links
  // that take it. The sum, if it was an increment.
  std::optional<std::uint64_t> perform(const KvWrite& write, const Forecast& forecast, EgressSink& egress);

  // Whether a guard other than of the fence holds.
  [[nodiscard]] bool holds(const KvGuard& guard);

  // The live version came from elsewhere.
  void adopt(std::uint64_t entries, std::uint64_t units);

  [[nodiscard]] std::uint64_t entries() const { return entries_; }
  [[nodiscard]] std::uint64_t units() const { return units_; }

 private:
  [[nodiscard]] TreeRoot& tree() { return versions_.live().user; }
  [[nodiscard]] std::uint64_t number_at(UnitIndex leaf) const;
  void store(ByteView key, ByteView value, UnitIndex leaf);

  KvVersions& versions_;
  LinkTable& links_;
  KvHistory& history_;
  std::uint64_t units_max_;
  std::uint64_t units_ = 0;
  std::uint64_t entries_ = 0;
  std::vector<std::byte> value_;  // one that is compared
};

}  // namespace mallard::rsm
