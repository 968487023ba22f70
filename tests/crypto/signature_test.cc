#include "crypto/signature.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <array>
#include <string_view>

#include "tests/support/alloc_guard.h"

namespace mallard::crypto {
namespace {

ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(Signature, is_good_for_its_key_and_message_only) {
  const KeyPair ours = KeyPair::generate();
  const KeyPair theirs = KeyPair::generate();
  const Signature signature = sign(ours, bytes_of("decided"));
  EXPECT_TRUE(is_signature_of(ours.public_key(), bytes_of("decided"), signature));
  EXPECT_FALSE(is_signature_of(theirs.public_key(), bytes_of("decided"), signature));
  EXPECT_FALSE(is_signature_of(ours.public_key(), bytes_of("decideD"), signature));
  EXPECT_FALSE(is_signature_of(ours.public_key(), bytes_of("decided "), signature));
  EXPECT_FALSE(is_signature_of(ours.public_key(), {}, signature));
}

// RFC 8032, section 7.1, test 1.
TEST(Signature, is_that_of_the_standard) {
  constexpr std::array<std::uint8_t, 32> seed{
      0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
      0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
  constexpr Signature expected{{0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72, 0x90, 0x86, 0xe2, 0xcc, 0x80,
                                0x6e, 0x82, 0x8a, 0x84, 0x87, 0x7f, 0x1e, 0xb8, 0xe5, 0xd9, 0x74, 0xd8, 0x73,
                                0xe0, 0x65, 0x22, 0x49, 0x01, 0x55, 0x5f, 0xb8, 0x82, 0x15, 0x90, 0xa3, 0x3b,
                                0xac, 0xc6, 0x1e, 0x39, 0x70, 0x1c, 0xf9, 0xb4, 0x6b, 0xd2, 0x5b, 0xf5, 0xf0,
                                0x59, 0x5b, 0xbe, 0x24, 0x65, 0x51, 0x41, 0x43, 0x8e, 0x7a, 0x10, 0x0b}};
  EXPECT_EQ(sign(KeyPair::from_seed(std::as_bytes(std::span(seed))), {}), expected);
}

TEST(Signature, judges_the_known_cases_as_expected) { EXPECT_TRUE(signatures_are_judged_as_expected()); }

// The eight points whose order divides 8, in every encoding that fits 255 bits, with either sign: RFC 7748
// and "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, SSR 2020), table 3.
TEST(Signature, knows_no_key_of_small_order) {
  const auto key = [](std::uint8_t first, std::uint8_t middle, std::uint8_t last) {
    PublicKey made;
    made.bytes.fill(middle);
    made.bytes.front() = first;
    made.bytes.back() = last;
    return made;
  };
  constexpr PublicKey eighth{{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
                              0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
                              0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}};
  constexpr PublicKey other_eighth{{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                                    0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                                    0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}};
  for (PublicKey small : {key(0, 0, 0), key(1, 0, 0), key(0xec, 0xff, 0x7f), key(0xed, 0xff, 0x7f),
                          key(0xee, 0xff, 0x7f), eighth, other_eighth}) {
    for (const std::uint8_t sign_bit : {std::uint8_t{0}, std::uint8_t{0x80}}) {
      small.bytes.back() = static_cast<std::uint8_t>(small.bytes.back() ^ sign_bit);
      EXPECT_FALSE(is_sound_key(small));
      Signature forged;
      forged.bytes.front() = 1;
      EXPECT_FALSE(is_signature_of(small, bytes_of("anything"), forged));
    }
  }
}

// A point of small order added to a sound key: some signatures would be good for one library and bad for
// another.
TEST(Signature, knows_no_key_with_a_part_of_small_order) {
  constexpr PublicKey second{{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}};
  const PublicKey sound = KeyPair::generate().public_key();
  PublicKey mixed;
  ASSERT_EQ(crypto_core_ed25519_add(mixed.bytes.data(), sound.bytes.data(), second.bytes.data()), 0);
  EXPECT_TRUE(is_sound_key(sound));
  EXPECT_NE(mixed, sound);
  EXPECT_FALSE(is_sound_key(mixed));
}

TEST(Signature, takes_no_memory) {
  const KeyPair pair = KeyPair::generate();
  const support::AllocGuard guard;
  const Signature signature = sign(pair, bytes_of("decided"));
  const bool good = is_signature_of(pair.public_key(), bytes_of("decided"), signature);
  EXPECT_EQ(guard.allocations(), 0U);
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace mallard::crypto
