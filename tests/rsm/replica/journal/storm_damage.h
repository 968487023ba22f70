// What a disk, or an operator, may do to the files of a journal that nobody is writing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "tests/rsm/replica/journal/journal_model.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm::journal {

enum class DamageKind : std::uint8_t {
  flipped_bit,
  unreadable_sector,  // set with SimDisk::make_unreadable
  zeroed_sector,      // a durable write that never reached the medium
  misdirected_write,  // a sector's bytes lie where another's should
  lost_file,
  old_file,
};

struct Damage {
  DamageKind kind = DamageKind::flipped_bit;
  std::string file;
  std::uint64_t offset = 0;
  std::uint8_t bit = 0;
  std::vector<std::byte> bytes;  // what takes the place of a sector, or of the file
};

// Draws damage to one of the files that matter, within what was written.`old_files`: files as they were
// before, the latest last; `good`: as they are.
[[nodiscard]] Damage draw_damage(Prng& prng, const DiskImage& good, const std::vector<DiskImage>& old_files);
void apply_damage(const Damage& damage, DiskImage& image);
[[nodiscard]] std::string describe(const Damage& damage);

[[nodiscard]] bool is_of_superblock(const Damage& damage);
// True for damage that spoils more than one sector where it was done.
[[nodiscard]] bool takes_whole_files(const Damage& damage);
// True for damage after which a store may look like an earlier one of itself: that peers notice.
[[nodiscard]] bool may_need_witness(const Damage& damage);

// I6: both superblocks verify, belong together, and the newer one is of this generation.
[[nodiscard]] Complaint check_superblocks(const DiskImage& image, std::uint64_t generation);

}  // namespace mallard::rsm::journal
