// What a campaign must have seen happen at least once: a simulator that never reaches a situation proves
// nothing about it (FoundationDB's code probes, TigerBeetle's marks). Faults injected are counted here too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mallard::sim {

enum class Mark : std::uint8_t {
  // Faults, as they were injected.
  fault_loss,
  fault_duplicate,
  fault_delay_spike,
  fault_reorder,
  fault_session_reset,
  fault_queue_full,
  fault_partition_sides,
  fault_partition_isolate,
  fault_partition_one_way,
  fault_partition_flapping,
  fault_swizzle_clog,
  fault_crash,
  fault_crash_without_disk,
  fault_crash_forever,
  fault_power_cut,
  fault_pause,
  fault_slow_cpu,
  fault_slow_disk,
  fault_log_truncated,
  // What the worlds were like.
  world_healthy,
  world_beyond_budget,
  world_crash_cluster,
  world_byzantine_cluster,
  world_upright_cluster,
  world_weighted_cluster,
  world_whale_cluster,          // one replica has most of the stake
  world_replica_without_turns,  // and another next to nothing: it is never first in a rotation
  world_liars_outnumber,        // more puppets than others, by head
  world_unequal_clusters,
  world_both_directions,
  world_three_links,
  start_near_2_31,
  start_near_2_32,
  start_near_2_63,
  // What the protocol did.
  quack_by_exactly_u_plus_1,
  complaint_by_exactly_r_plus_1,
  resend,
  last_attempt_of_round,
  second_round,
  pull_served_from_memory,
  pull_served_from_storage,
  pull_by_hint,
  ack_ahead_clamped,
  stale_context_dropped,
  beyond_window_dropped,
  duplicate_dropped,
  certificate_refused,
  peer_closed,
  storage_lost_caught_up,
  crash_between_apply_and_sync,
  needs_snapshot_reached,
  window_full,
  probe_sent,
  // Puppets that changed what a correct gateway would have done.
  puppet_omit_sends,
  puppet_early_resend,
  puppet_false_hint,
  puppet_wrong_numbers,
  puppet_forged_payload,
  puppet_stale_context,
  puppet_ack_high,
  puppet_ack_low,
  puppet_ack_lagging,
  puppet_phi_random,
  puppet_phi_all_missing,
  puppet_phi_all_present,
  puppet_ack_storm,
  puppet_stamp_spoof,
  puppet_split_brain,
  puppet_hoard,
  puppet_selective_forward,
  puppet_poisoned_share,
  puppet_pull_abuse,
  puppet_false_holder,
  puppet_silent,
  end
};

inline constexpr std::size_t mark_count = static_cast<std::size_t>(Mark::end);
const char* name_of(Mark mark);

class Marks {
 public:
  void hit(Mark mark, std::uint64_t times = 1) { counts_[static_cast<std::size_t>(mark)] += times; }
  [[nodiscard]] std::uint64_t count(Mark mark) const { return counts_[static_cast<std::size_t>(mark)]; }

 private:
  std::array<std::uint64_t, mark_count> counts_{};
};

}  // namespace mallard::sim
