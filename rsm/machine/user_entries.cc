#include "rsm/machine/user_entries.h"

#include <algorithm>
#include <array>

#include "rsm/machine/kv_limits.h"

namespace mallard::rsm {
namespace {

constexpr std::size_t number_bytes = 8;

}  // namespace

UserEntries::UserEntries(KvVersions& versions, LinkTable& links, KvHistory& history, std::uint64_t units_max)
    : versions_(versions), links_(links), history_(history), units_max_(units_max), value_(value_bytes_max) {}

UserEntries::Forecast UserEntries::forecast(const KvWrite& write) const {
  const KeyForest& forest = versions_.forest();
  if (message_bytes(write) > message_bytes_max && links_.takers(write.key) != 0) {
    return {.status = KvStatus::too_large_for_link};
  }
  const UnitIndex leaf = forest.find(versions_.live().user, write.key);
  const auto units_of = [&](std::size_t value_bytes) {
    return static_cast<std::int64_t>(KeyForest::units_of(write.key.size(), value_bytes));
  };
  const std::int64_t before = leaf == 0 ? 0 : units_of(forest.value_bytes(leaf));
  switch (write.operation) {
    case KvOperation::erase:
      return {.status = leaf == 0 ? KvStatus::not_found : KvStatus::ok, .units = -before, .leaf = leaf};
    case KvOperation::increment:
      if (leaf != 0 && forest.value_bytes(leaf) != number_bytes) {
        return {.status = KvStatus::not_a_number, .leaf = leaf};
      }
      return {.units = units_of(number_bytes) - before, .leaf = leaf};
    default:
      return {.units = units_of(write.value.size()) - before, .leaf = leaf};
  }
}

bool UserEntries::has_room(std::int64_t units) const {
  return units <= 0 || units_ + static_cast<std::uint64_t>(units) <= units_max_;
}

std::optional<std::uint64_t> UserEntries::perform(const KvWrite& write, const Forecast& forecast,
                                                  EgressSink& egress) {
  if (forecast.status != KvStatus::ok) {
    return std::nullopt;  // an erase within a transaction or a batch, of a key that is not there
  }
  units_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(units_) + forecast.units);
  const CommitIndex index = versions_.live().index;
  std::optional<std::uint64_t> sum;
  switch (write.operation) {
    case KvOperation::erase:
      --entries_;
      versions_.forest().erase(tree(), write.key);
      history_.add(index, KvOperation::erase, write.key, {});
      break;
    case KvOperation::increment: {
      sum = write.amount + (forecast.leaf == 0 ? 0 : number_at(forecast.leaf));
      std::array<std::byte, number_bytes> value{};
      ByteWriter(value).write(*sum);
      store(write.key, value, forecast.leaf);
      history_.add(index, KvOperation::put, write.key, value);
      break;
    }
    default:
      store(write.key, write.value, forecast.leaf);
      history_.add(index, KvOperation::put, write.key, write.value);
      break;
  }
  if (const LinkSet links = links_.takers(write.key); links != 0) {
    links_.emit(links, write, index, egress);
  }
  return sum;
}

bool UserEntries::holds(const KvGuard& guard) {
  const KeyForest& forest = versions_.forest();
  const UnitIndex leaf = forest.find(tree(), guard.key);
  if (guard.condition != KvCondition::equals) {
    return (leaf != 0) == (guard.condition == KvCondition::present);
  }
  if (leaf == 0 || forest.value_bytes(leaf) != guard.value.size()) {
    return false;
  }
  const ByteSpan value = ByteSpan(value_).first(guard.value.size());
  forest.copy_value(leaf, 0, value);
  return std::ranges::equal(value, guard.value);
}

void UserEntries::adopt(std::uint64_t entries, std::uint64_t units) {
  entries_ = entries;
  units_ = units;
}

std::uint64_t UserEntries::number_at(UnitIndex leaf) const {
  std::array<std::byte, number_bytes> value{};
  versions_.forest().copy_value(leaf, 0, value);
  return ByteReader(value).read<std::uint64_t>();
}

void UserEntries::store(ByteView key, ByteView value, UnitIndex leaf) {
  if (leaf == 0) {
    ++entries_;
    versions_.forest().put(tree(), key, value);
  } else {
    versions_.forest().replace(tree(), key, value);
  }
}

}  // namespace mallard::rsm
