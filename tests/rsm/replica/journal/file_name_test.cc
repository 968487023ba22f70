#include "rsm/replica/journal/file_name.h"

#include <gtest/gtest.h>

#include <string>

namespace mallard::rsm::journal {
namespace {

TEST(FileName, segment_numbers_survive) {
  for (const std::uint32_t number : {1U, 9U, 10U, 0xABCDU, 0xFFFFFFFFU}) {
    EXPECT_EQ(segment_number(segment_name(number).text()), number);
  }
  EXPECT_EQ(segment_name(26).text(), "log.0000001a");
}

TEST(FileName, other_names_are_no_segments) {
  for (const char* name : {"", "log.", "log.0000000", "log.000000001", "log.0000000g", "log.0000000A",
                           "log.00000000", "spare", "superblock.0"}) {
    EXPECT_FALSE(segment_number(name)) << name;
  }
}

TEST(FileName, ends_with_a_zero_and_keeps_what_fits) {
  const FileName name(std::string(40, 'a'));
  EXPECT_EQ(name.text().size(), FileName::length_max);
  EXPECT_EQ(std::string(name.c_str()), name.text());
}

}  // namespace
}  // namespace mallard::rsm::journal
