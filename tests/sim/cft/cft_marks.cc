#include "tests/sim/cft/cft_marks.h"

namespace mallard::sim::cft {
namespace {

constexpr std::array<const char*, cft_mark_count> mark_names = {
    "fault_crash",
    "fault_crash_without_disk",
    "fault_power_cut",
    "fault_pause",
    "fault_pause_mid_work",
    "fault_cut_link",
    "fault_hung_memory",
    "fault_slow_link",
    "fault_slow_disk",
    "fault_failed_work",
    "fault_slow_machine",
    "fault_stopped_leader",
    "world_disk",
    "world_replicated",
    "world_three",
    "world_five",
    "world_even",
    "world_members",
    "world_drip",
    "world_beyond_budget",
    "leader_change",
    "log_fetched",
    "deposed_with_open_proposals",
    "lead_renewed",
    "lead_renewed_with_open_proposals",
    "renewal_failed_with_open_proposals",
    "write_fenced",
    "write_cut_by_regrant",
    "ambiguous_and_applied",
    "recovered_without_log",
    "journal_replayed",
    "journal_replaced_in_part",
    "snapshot_installed",
    "ring_wrapped_ten_times",
    "ring_full",
    "member_added",
    "member_removed",
    "leader_accused",
    "proposal_answered",
    "read_answered",
    "read_refused",
};
static_assert(mark_names.back() != nullptr, "every mark has a name");

}  // namespace

const char* name_of(CftMark mark) { return mark_names.at(static_cast<std::size_t>(mark)); }

}  // namespace mallard::sim::cft
