#include "transport/door/door_message.h"

#include <gtest/gtest.h>

#include <set>

namespace mallard::transport::door {
namespace {

template <class... M>
std::set<std::uint8_t> kinds_of(const std::variant<M...>*) {
  return {M::kind...};
}

TEST(DoorMessage, every_kind_has_a_number_of_its_own) {
  EXPECT_EQ(kinds_of(static_cast<const DoorMessage*>(nullptr)).size(), std::variant_size_v<DoorMessage>);
}

TEST(DoorMessage, a_range_ends_with_its_last_message) {
  const BatchRange range{.batch = BatchNumber(3), .first = MessageNumber(10), .count = 4};
  EXPECT_EQ(range.last(), MessageNumber(13));
}

}  // namespace
}  // namespace mallard::transport::door
