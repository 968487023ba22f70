#include "tests/rsm/replica/journal/storm_damage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rsm/replica/journal/superblock_pair.h"

namespace mallard::rsm::journal {

namespace {

constexpr std::size_t sector_bytes = 512;

// Up to the last byte that is not 0, or to the end of a superblock's file.
std::size_t used_bytes(const std::string& name, const std::vector<std::byte>& bytes) {
  std::size_t used = bytes.size();
  while (!name.starts_with("superblock") && used > 0 && bytes[used - 1] == std::byte{0}) {
    --used;
  }
  return used;
}

std::vector<std::string> files_of(const DiskImage& image) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : image) {
    if (name != "spare" && used_bytes(name, bytes) > 0) {
      names.push_back(name);
    }
  }
  return names;
}

void draw_bytes(Damage& damage, Prng& prng, const DiskImage& good, const std::vector<DiskImage>& old_files) {
  if (damage.kind == DamageKind::zeroed_sector) {
    damage.bytes.assign(sector_bytes, std::byte{0});
  } else if (damage.kind == DamageKind::misdirected_write) {
    const std::vector<std::string> names = files_of(good);
    const std::vector<std::byte>& from = good.at(names[prng.below(names.size())]);
    const std::size_t at = prng.below(from.size() / sector_bytes) * sector_bytes;
    damage.bytes.assign(from.begin() + static_cast<std::ptrdiff_t>(at),
                        from.begin() + static_cast<std::ptrdiff_t>(at + sector_bytes));
  } else if (damage.kind == DamageKind::old_file) {
    damage.kind = DamageKind::flipped_bit;
    for (const DiskImage& copy : old_files) {
      const auto found = copy.find(damage.file);
      if (found != copy.end() && found->second != good.at(damage.file)) {
        damage.kind = DamageKind::old_file;
        damage.bytes = found->second;
      }
    }
  }
}

}  // namespace

Damage draw_damage(Prng& prng, const DiskImage& good, const std::vector<DiskImage>& old_files) {
  constexpr std::array kinds{DamageKind::flipped_bit,       DamageKind::flipped_bit,
                             DamageKind::unreadable_sector, DamageKind::zeroed_sector,
                             DamageKind::misdirected_write, DamageKind::lost_file,
                             DamageKind::old_file};
  const std::vector<std::string> names = files_of(good);
  Damage damage;
  damage.file = names[prng.below(names.size())];
  damage.kind = kinds[prng.below(kinds.size())];
  damage.offset = prng.below(used_bytes(damage.file, good.at(damage.file)));
  damage.bit = static_cast<std::uint8_t>(prng.below(8));
  draw_bytes(damage, prng, good, old_files);
  if (damage.kind != DamageKind::flipped_bit) {
    damage.offset = damage.offset / sector_bytes * sector_bytes;
  }
  return damage;
}

void apply_damage(const Damage& damage, DiskImage& image) {
  std::vector<std::byte>& bytes = image.at(damage.file);
  switch (damage.kind) {
    case DamageKind::flipped_bit:
      bytes.at(damage.offset) ^= std::byte{1} << damage.bit;
      break;
    case DamageKind::unreadable_sector:
      break;
    case DamageKind::zeroed_sector:
    case DamageKind::misdirected_write:
      std::copy_n(damage.bytes.begin(), std::min(sector_bytes, bytes.size() - damage.offset),
                  bytes.begin() + static_cast<std::ptrdiff_t>(damage.offset));
      break;
    case DamageKind::lost_file:
      image.erase(damage.file);
      break;
    case DamageKind::old_file:
      bytes = damage.bytes;
      break;
  }
}

std::string describe(const Damage& damage) {
  constexpr std::array names{
      "a flipped bit", "an unreadable sector", "a zeroed sector", "a misdirected write",
      "loss",          "an old copy"};
  return fmt::format("{} of {} at {}", names[static_cast<std::size_t>(damage.kind)], damage.file,
                     damage.offset);
}

bool is_of_superblock(const Damage& damage) { return damage.file.starts_with("superblock"); }

bool takes_whole_files(const Damage& damage) {
  return damage.kind == DamageKind::lost_file || damage.kind == DamageKind::old_file;
}

bool may_need_witness(const Damage& damage) {
  return damage.kind == DamageKind::zeroed_sector || damage.kind == DamageKind::misdirected_write ||
         damage.kind == DamageKind::old_file;
}

Complaint check_superblocks(const DiskImage& image, std::uint64_t generation) {
  std::array<std::optional<Superblock>, superblock_slots> slots;
  for (std::uint16_t slot = 0; slot < superblock_slots; ++slot) {
    const auto found = image.find(std::string(superblock_name(slot).text()));
    if (found != image.end()) {
      slots[slot] = read_slot(found->second, slot);
    }
  }
  if (!slots[0] || !slots[1]) {
    return Verdict{"I6", "one superblock of the two does not verify"};
  }
  const Superblock& newer = slots[generation % superblock_slots].value();
  const Superblock& older = slots[(generation + 1) % superblock_slots].value();
  if (newer.generation != generation || older.generation + 1 != generation ||
      newer.previous != link_of(older)) {
    return Verdict{"I6", "the two superblocks are not one generation apart and linked"};
  }
  return std::nullopt;
}

}  // namespace mallard::rsm::journal
