#include "transport/door/door_end.h"

#include <gtest/gtest.h>

#include <set>

namespace mallard::transport::door {
namespace {

TEST(DoorEnd, every_end_has_a_label_of_its_own) {
  std::set<std::string_view> labels;
  for (std::size_t i = 0; i < door_ends; ++i) {
    labels.insert(door_end_name(static_cast<DoorEnd>(i)));
  }
  EXPECT_EQ(labels.size(), door_ends);
  EXPECT_EQ(door_end_name(DoorEnd::replaced), "replaced");
}

}  // namespace
}  // namespace mallard::transport::door
