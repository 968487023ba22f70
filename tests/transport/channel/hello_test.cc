#include "transport/channel/hello.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace mallard::transport {
namespace {

Hello example() {
  Hello hello{.versions = {.min = 2, .max = 5},
              .plane = Plane::local,
              .from = {ClusterIndex(3), ReplicaIndex(7)},
              .incarnation = Incarnation(0x0102030405060708)};
  hello.configuration.bytes.fill(0xc5);
  hello.binding.fill(0xb1);
  return hello;
}

std::vector<std::byte> encoded(const Hello& hello) {
  std::vector<std::byte> bytes(hello_bytes);
  encode_hello(hello, bytes);
  return bytes;
}

TEST(Hello, decodes_what_it_encodes) {
  const auto bytes = encoded(example());
  EXPECT_EQ(decode_hello_prefix(ByteView(bytes).first(hello_prefix_bytes)), hello_rest_bytes);
  EXPECT_EQ(decode_hello(bytes), example());
}

// The layout is a promise to other releases, so it is written out here once more.
TEST(Hello, keeps_its_layout) {
  const auto bytes = encoded(example());
  const std::array<unsigned, 23> expected{'m', 'l', 'r', 'd', 81, 0, 2, 0, 5, 0, 2, 3,
                                          0,   7,   0,   8,   7,  6, 5, 4, 3, 2, 1};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(std::to_integer<unsigned>(bytes[i]), expected[i]) << "byte " << i;
  }
  EXPECT_EQ(std::to_integer<unsigned>(bytes[23]), 0xc5U);
  EXPECT_EQ(std::to_integer<unsigned>(bytes[hello_bound_bytes]), 0xb1U);
  EXPECT_EQ(bytes.size(), hello_bound_bytes + 32);
}

TEST(Hello, accepts_a_longer_one_of_a_later_release) {
  auto bytes = encoded(example());
  bytes.resize(hello_prefix_bytes + hello_rest_bytes_max, std::byte{1});
  bytes[4] = std::byte{hello_rest_bytes_max & 0xff};
  bytes[5] = std::byte{hello_rest_bytes_max >> 8};
  EXPECT_EQ(decode_hello(bytes), example());
}

TEST(Hello, refuses_what_is_none) {
  const auto good = encoded(example());
  const auto refused = [&](const std::function<void(std::vector<std::byte>&)>& damage) {
    auto bytes = good;
    damage(bytes);
    return decode_hello(bytes) == Failure<HelloRefusal>(HelloRefusal::not_a_hello);
  };
  EXPECT_TRUE(refused([](auto& b) { b[0] = std::byte{'M'}; })) << "magic";
  EXPECT_TRUE(refused([](auto& b) { b[4] = std::byte{80}; })) << "shorter than any";
  EXPECT_TRUE(refused([](auto& b) { b[5] = std::byte{2}; })) << "longer than allowed";
  EXPECT_TRUE(refused([](auto& b) { b.pop_back(); })) << "cut off";
  EXPECT_TRUE(refused([](auto& b) { b.push_back({}); })) << "goes on";
  EXPECT_TRUE(refused([](auto& b) { b[6] = b[7] = std::byte{}; })) << "version 0";
  EXPECT_TRUE(refused([](auto& b) { b[6] = std::byte{6}; })) << "lowest above highest version";
  EXPECT_TRUE(refused([](auto& b) { b[10] = std::byte{0}; })) << "no plane";
  EXPECT_TRUE(refused([](auto& b) { b[10] = std::byte{4}; })) << "unknown plane";
  EXPECT_TRUE(refused([](auto& b) { std::fill_n(b.begin() + 15, 8, std::byte{}); })) << "incarnation 0";
  EXPECT_FALSE(refused([](auto&) {}));
}

class JudgeHello : public testing::Test {
 protected:
  [[nodiscard]] Result<std::uint16_t, HelloRefusal> judge() const {
    return judge_hello(theirs_, ours_, proved_, binding_);
  }
  [[nodiscard]] bool refused_as(HelloRefusal refusal) const {
    return judge() == Failure<HelloRefusal>(refusal);
  }

  Hello theirs_ = example();
  Hello ours_ = example();
  ReplicaAddress proved_ = theirs_.from;
  std::array<std::uint8_t, 32> binding_ = theirs_.binding;
};

TEST_F(JudgeHello, agrees_on_the_highest_common_version) {
  ours_.from = {ClusterIndex(0), ReplicaIndex(0)};
  ours_.incarnation = Incarnation(99);
  ours_.versions = {.min = 1, .max = 3};
  EXPECT_EQ(judge(), 3);
  ours_.versions = {.min = 5, .max = 9};
  EXPECT_EQ(judge(), 5);
  ours_.versions = {.min = 6, .max = 9};
  EXPECT_TRUE(refused_as(HelloRefusal::no_common_version));
  ours_.versions = {.min = 1, .max = 1};
  EXPECT_TRUE(refused_as(HelloRefusal::no_common_version));
}

TEST_F(JudgeHello, refuses_each_difference_by_its_name) {
  ours_.configuration.bytes[31] ^= 1;
  EXPECT_TRUE(refused_as(HelloRefusal::other_configuration));
  ours_.plane = Plane::bridge;
  EXPECT_TRUE(refused_as(HelloRefusal::other_plane));
  proved_.replica = ReplicaIndex(8);
  EXPECT_TRUE(refused_as(HelloRefusal::wrong_identity));
  binding_[0] ^= 1;
  EXPECT_TRUE(refused_as(HelloRefusal::wrong_binding));
}

TEST(Hello, every_refusal_has_a_text_of_its_own) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < hello_refusals; ++i) {
    texts.emplace_back(hello_refusal_text(static_cast<HelloRefusal>(i)));
    EXPECT_GT(texts.back().size(), 20U);
    for (std::size_t k = 0; k < i; ++k) {
      EXPECT_NE(texts[i], texts[k]);
    }
  }
}

}  // namespace
}  // namespace mallard::transport
