#include "rsm/core/cft/crc32c.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "config/base/prng.h"

namespace mallard::rsm::cft {
namespace {

ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

TEST(Crc32c, AgreesWithPublishedValues) {
  EXPECT_EQ(crc32c(0, bytes_of("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(0, std::vector<std::byte>(32)), 0x8a9136aaU);  // RFC 3720 B.4
  EXPECT_EQ(crc32c(0, std::vector<std::byte>(32, std::byte{0xff})), 0x62a8ab43U);
  EXPECT_EQ(crc32c(0, {}), 0U);
}

TEST(Crc32c, BothWaysAgreeAndContinue) {
  Prng prng(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::byte> bytes(prng.below(300));
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(prng.below(256));
    const auto before = static_cast<std::uint32_t>(prng.next());
    const ByteView all(bytes);
    const std::size_t cut = prng.below(bytes.size() + 1);
    ASSERT_EQ(crc32c(before, all), crc32c_by_table(before, all));
    ASSERT_EQ(crc32c(before, all), crc32c(crc32c(before, all.first(cut)), all.subspan(cut)));
    ASSERT_NE(crc32c(before, all), crc32c(before ^ 1U, all));
  }
}

}  // namespace
}  // namespace mallard::rsm::cft
