#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace mallard::crypto {
namespace {

std::string hex_digest_of(std::string_view text) {
  const Digest digest = digest_of(std::as_bytes(std::span(text)));
  std::string hex;
  for (const std::uint8_t byte : digest.bytes) {
    hex += "0123456789abcdef"[byte >> 4U];
    hex += "0123456789abcdef"[byte & 15U];
  }
  return hex;
}

// The expected values are what `b2sum -l 256` of GNU coreutils prints.
TEST(Digest, agrees_with_another_program) {
  EXPECT_EQ(hex_digest_of(""), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(hex_digest_of("abc"), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  EXPECT_EQ(hex_digest_of(std::string(200'000, 'm')),
            "12cfa7d41164b2e395a197f92b68214efcec2d0df0ac93ca386dc0d9ac539e13");
}

}  // namespace
}  // namespace mallard::crypto
