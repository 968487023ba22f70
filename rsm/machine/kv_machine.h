// The machine behind config/contract/machine.h that stores keys and values. kv_command.h says what can be
// ordered of it, kv_reply.h what it answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/contract/machine.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_history.h"
#include "rsm/machine/kv_reader.h"
#include "rsm/machine/kv_reply.h"
#include "rsm/machine/kv_settings.h"
#include "rsm/machine/kv_versions.h"
#include "rsm/machine/link_table.h"
#include "rsm/machine/session_table.h"
#include "rsm/machine/state_export.h"
#include "rsm/machine/state_import.h"
#include "rsm/machine/tree_digest.h"
#include "rsm/machine/user_entries.h"

namespace mallard::rsm {

// Needs a started libsodium.
class KvMachine final : public Machine {
 public:
  explicit KvMachine(const KvSettings& settings);

  // What a machine of these settings takes at most, in bytes; what it has not used yet is not backed by
  // memory.
  [[nodiscard]] static std::uint64_t memory_bytes(const KvSettings& settings);

  std::size_t apply(CommitIndex index, ByteView command, ByteSpan reply, EgressSink& egress) override;
  [[nodiscard]] CommitIndex applied() const override { return versions_.live().index; }
  [[nodiscard]] bool is_read(ByteView command) const override;

  [[nodiscard]] Result<ViewId, MachineFault> open_view() override;
  void close_view(ViewId view) override { versions_.close(view); }
  [[nodiscard]] Result<CommitIndex, MachineFault> index_of(ViewId view) const override;
  [[nodiscard]] Result<std::size_t, MachineFault> query(ViewId view, ByteView command,
                                                        ByteSpan reply) override;

  [[nodiscard]] Result<StateDigest, MachineFault> root(ViewId view, KeyRange range) override;
  [[nodiscard]] Result<StateDigest, MachineFault> state_hash(ViewId view) override;

  [[nodiscard]] Result<ExportedChunk, MachineFault> export_chunk(ViewId view, const ExportCursor& cursor,
                                                                 ByteSpan out) override;
  void begin_import(const StateIdentity& state) override;
  [[nodiscard]] Result<bool, MachineFault> import_chunk(ByteView chunk) override;
  [[nodiscard]] ExportCursor import_cursor() const override { return import_.cursor(); }

  [[nodiscard]] std::optional<LinkStanding> link(LinkIndex link, LinkDirection direction) const override;
  [[nodiscard]] Fence fence() const override { return fence_; }

  // Bytes of state_bytes that are used; entries that clients stored; sessions that are open; views given up
  // for memory.
  [[nodiscard]] std::uint64_t state_bytes_used() const { return entries_.units() * UnitPool::unit_bytes; }
  [[nodiscard]] std::uint64_t entries() const { return entries_.entries(); }
  [[nodiscard]] std::uint32_t open_sessions() const { return sessions_.open_sessions(); }
  [[nodiscard]] std::uint64_t views_lost() const { return versions_.views_lost(); }

 private:
  // Back to what a machine is before its first entry.
  void reset();
  [[nodiscard]] bool adopt_import();
  void write_meta();

  // Both write a reply to reply_ and return its length.
  [[nodiscard]] std::size_t change(const KvCommand& command, EgressSink& egress);
  [[nodiscard]] std::size_t execute(const KvCommand& command, EgressSink& egress);

  [[nodiscard]] KvStatus write_one(const KvWrite& write, ReplyWriter& reply, EgressSink& egress);
  [[nodiscard]] KvStatus write_all(const KvTxn& txn, ReplyWriter& reply, EgressSink& egress);
  [[nodiscard]] KvStatus raise_fence(Fence fence);
  [[nodiscard]] KvStatus open_link(ByteView body, ReplyWriter& reply);
  [[nodiscard]] KvStatus apply_batch(ByteView body, ReplyWriter& reply, EgressSink& egress);
  // Whether the order is the next one; if not, why.
  [[nodiscard]] KvStatus judge(const LinkApplyOrder& order) const;
  // The most by which the messages can let the state grow.
  [[nodiscard]] std::int64_t growth_of(const LinkApplyOrder& order) const;
  [[nodiscard]] StateDigest digest_of_request(const KvCommand& command);

  KvSettings settings_;
  KvVersions versions_;
  TreeDigest digest_;
  SessionTable sessions_;
  LinkTable links_;
  KvHistory history_;
  UserEntries entries_;
  KvReader reader_;
  StateExport export_;
  StateImport import_;
  Fence fence_;
  std::vector<std::byte> reply_;    // to the command that is being executed
  std::vector<std::byte> scratch_;  // a request that is digested
};

}  // namespace mallard::rsm
