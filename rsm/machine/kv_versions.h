// The versions of the machine's state: the live one, which commands change, and the views that are open.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/contract/machine.h"
#include "rsm/machine/key_forest.h"

namespace mallard::rsm {

// One version: what clients stored, and what the machine itself must remember (sessions, links, fence,
// limits) under keys of its own.
struct KvVersion {
  TreeRoot user;
  TreeRoot system;
  CommitIndex index;
};

class KvVersions final : public VersionKeeper {
 public:
  // `units`: of the pool that all versions share.
  explicit KvVersions(std::uint64_t units) : forest_(units, *this) {}
  KvVersions(const KvVersions&) = delete;
  KvVersions& operator=(const KvVersions&) = delete;

  [[nodiscard]] KeyForest& forest() { return forest_; }
  [[nodiscard]] const KeyForest& forest() const { return forest_; }
  [[nodiscard]] KvVersion& live() { return live_; }
  [[nodiscard]] const KvVersion& live() const { return live_; }

  // The faults are those of Machine::open_view() and of the uses of a view.
  [[nodiscard]] Result<ViewId, MachineFault> open();
  void close(ViewId view);
  [[nodiscard]] Result<KvVersion, MachineFault> at(ViewId view) const;

  // Drops everything: the live version is empty at index 0, all views are lost.
  void clear();

  bool give_up_version() override;

  // Views that were given up for memory, since the machine was made.
  [[nodiscard]] std::uint64_t views_lost() const { return views_lost_; }

 private:
  struct View {
    KvVersion version;
    std::uint32_t opened = 0;  // 0: not open
  };

  void drop(View& view);

  KeyForest forest_;
  KvVersion live_;
  std::array<View, machine_views_max> views_;
  std::uint32_t opened_ = 0;  // views opened so far, modulo 2^32 without 0
  std::uint64_t views_lost_ = 0;
};

}  // namespace mallard::rsm
