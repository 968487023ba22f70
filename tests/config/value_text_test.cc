#include "config/value_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "config/base/prng.h"

namespace mallard::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string why_not_count(std::string_view text) {
  const auto value = parse_count(text, {1, 100});
  return value ? "it is " + std::to_string(*value) : value.error().what + "; " + value.error().advice;
}

std::string why_not_size(std::string_view text) {
  const auto value = parse_size(text, {1, 64ULL << 30});
  return value ? "it is " + std::to_string(*value) : value.error().what + "; " + value.error().advice;
}

std::string why_not_key(std::string_view text) {
  const auto key = parse_public_key(text);
  return key ? "it is one" : key.error().what;
}

TEST(ValueText, CountsArePlainDecimalNumbersInRange) {
  EXPECT_EQ(why_not_count("1"), "it is 1");
  EXPECT_EQ(why_not_count("100"), "it is 100");
  EXPECT_EQ(why_not_count("0"), "0 is out of range; write a whole number from 1 to 100");
  EXPECT_THAT(why_not_count("101"), HasSubstr("out of range"));
  EXPECT_THAT(why_not_count("18446744073709551617"), HasSubstr("out of range")) << "2^64 + 1 is not 1";
  EXPECT_EQ(
      why_not_count("010"),
      "\"010\" starts with 0, which some programs read as octal; write 10 if you mean the decimal number");
  EXPECT_THAT(why_not_count("000"), HasSubstr("write 0 if"));
  for (const char* text : {"", "+1", "0x1", "1_0", "1e1", "1.0", " 1", "1 ", "one", ".", "\xd9\xa1"}) {
    EXPECT_THAT(why_not_count(text), HasSubstr("is not a whole number")) << text;
  }
  EXPECT_THAT(why_not_count("-1"), HasSubstr("without a sign"));
  EXPECT_EQ(parse_count("18446744073709551615", {0, UINT64_MAX}), UINT64_MAX);
}

TEST(ValueText, SizesNeedAUnitOfBytes) {
  EXPECT_EQ(why_not_size("7B"), "it is 7");
  EXPECT_EQ(why_not_size("7KiB"), "it is 7168");
  EXPECT_EQ(why_not_size("64MiB"), "it is 67108864");
  EXPECT_EQ(why_not_size("64GiB"), "it is 68719476736");
  EXPECT_THAT(why_not_size("65GiB"), HasSubstr("write a size from 1B to 64GiB"));
  EXPECT_THAT(why_not_size("18014398509481985KiB"), HasSubstr("out of range")) << "2^64 + 1024 is not 1024";
  EXPECT_THAT(why_not_size("64"), HasSubstr("has no unit"));
  for (const char* text : {"64MB", "64M", "64mib", "64 MiB", "30s", "6.4MiB", "1TiB"}) {
    EXPECT_THAT(why_not_size(text), HasSubstr("is not a unit of bytes")) << text;
  }
  EXPECT_THAT(why_not_size("-1MiB"), HasSubstr("is not a size"));
  EXPECT_THAT(why_not_size("010MiB"), HasSubstr("octal"));
}

TEST(ValueText, SizesAreWrittenInTheLargestWholeUnit) {
  EXPECT_EQ(size_text(0), "0B");
  EXPECT_EQ(size_text(1023), "1023B");
  EXPECT_EQ(size_text(1024), "1KiB");
  EXPECT_EQ(size_text((1U << 20) + 1024), "1025KiB");
  EXPECT_EQ(size_text(64ULL << 30), "64GiB");
}

TEST(ValueText, KeysAreReadAsTheyAreWritten) {
  Prng random(7);
  for (int round = 0; round < 1000; ++round) {
    PublicKey key;
    for (std::uint8_t& byte : key.bytes) {
      byte = static_cast<std::uint8_t>(random.below(256));
    }
    const std::string text = public_key_text(key);
    EXPECT_EQ(text.size(), 8U + 44U);
    ASSERT_EQ(parse_public_key(text), key) << text;
    EXPECT_FALSE(is_placeholder(key));
  }
  // The public key of RFC 8032, section 7.1, test 1.
  EXPECT_EQ(public_key_text(PublicKey{{0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
                                       0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
                                       0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a}}),
            "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}

TEST(ValueText, SaysWhyAKeyIsNone) {
  const std::string digits = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo";
  EXPECT_EQ(why_not_key("ed25519:" + digits + "="), "it is one");
  EXPECT_EQ(why_not_key(digits + "="), "the key does not start with \"ed25519:\"");
  EXPECT_EQ(why_not_key("ED25519:" + digits + "="), "the key does not start with \"ed25519:\"");
  EXPECT_EQ(why_not_key("ed25519:" + digits), "the key ends in 0 \"=\", exactly one is needed");
  EXPECT_EQ(why_not_key("ed25519:" + digits + "=="), "the key ends in 2 \"=\", exactly one is needed");
  EXPECT_EQ(why_not_key("ed25519:" + digits.substr(1) + "="), "the key has 42 base64 digits, 43 are needed");
  EXPECT_EQ(why_not_key("ed25519:" + digits + digits), "the key has 86 base64 digits, 43 are needed");
  EXPECT_EQ(why_not_key("ed25519:"), "the key has 0 base64 digits, 43 are needed");
  EXPECT_EQ(why_not_key("ed25519:11qY-" + digits.substr(5)),
            "the key's character 5 behind \"ed25519:\" is not base64");
  EXPECT_EQ(why_not_key("ed25519:" + digits.substr(0, 42) + "p="), "the key's last base64 digit is cut off");
  EXPECT_EQ(why_not_key("ed25519:" + std::string(43, 'A') + "="), "the key is all zeros, which is nobody's");
  EXPECT_EQ(why_not_key("ed25519-secret:" + digits + "="), "this is a secret key");
}

TEST(ValueText, HostsAreAddressesOrNames) {
  for (const char* host :
       {"10.0.0.1", "::1", "fd00::a", "localhost", "a", "East-1.Example", "1password.com", "xn--p1ai"}) {
    EXPECT_FALSE(check_host(host)) << host;
  }
  for (const char* host :
       {"", "10.0.0.1:80", "10.0.0", "256.1.1.1", "1", "-a", "a-", "a..b", ".a", "a.", "a_b", "a b", "[::1]",
        "::1%eth0", "a/b", "0.0.0.0", "::", "0:0::0", "h\xc3\xb6st"}) {
    EXPECT_TRUE(check_host(host)) << host;
  }
  const std::string label(63, 'a');
  EXPECT_FALSE(check_host(label));
  EXPECT_TRUE(check_host(label + "a"));
  EXPECT_FALSE(check_host(label + "." + label + "." + label + "." + std::string(61, 'a')));
  EXPECT_TRUE(check_host(label + "." + label + "." + label + "." + std::string(62, 'a')));
}

TEST(ValueText, PagesAreServedAtAddressesOnly) {
  for (const char* address :
       {"127.0.0.1", "0.0.0.0", "10.0.0.1", "223.255.255.255", "::1", "::", "fd00::a"}) {
    EXPECT_FALSE(check_listen_address(address)) << address;
  }
  for (const std::string_view address :
       {"", "localhost", "east-1", "10.0.0.1:9780", "10.0.0", "256.1.1.1", "224.0.0.1", "255.255.255.255",
        "ff02::1", "[::1]", "::1%eth0", "*", "0"}) {
    EXPECT_TRUE(check_listen_address(address)) << address;
  }
  EXPECT_TRUE(check_listen_address(std::string_view("127.0.0.1\0x", 11)));
  EXPECT_TRUE(is_loopback("127.0.0.1") && is_loopback("127.9.9.9") && is_loopback("::1"));
  EXPECT_FALSE(is_loopback("0.0.0.0") || is_loopback("::") || is_loopback("10.127.0.1"));
}

TEST(ValueText, NamesAreSafeInPathsAndLabels) {
  for (const char* name : {"a", "east", "east-2", "e2e"}) EXPECT_FALSE(check_name(name)) << name;
  for (const char* name : {"", "East", "2east", "-east", "e.ast", "e_ast", "../x", "ea st", "\xc3\xa9st"}) {
    EXPECT_TRUE(check_name(name)) << name;
  }
  EXPECT_FALSE(check_name(std::string(name_bytes_max, 'a')));
  EXPECT_TRUE(check_name(std::string(name_bytes_max + 1, 'a')));
}

TEST(ValueText, PrefixesAreBoundedPrintableText) {
  EXPECT_FALSE(check_prefix("/"));
  EXPECT_FALSE(check_prefix("\xc3\xbc / \"quoted\""));
  EXPECT_FALSE(check_prefix(std::string(prefix_bytes_max, 'a')));
  EXPECT_TRUE(check_prefix(std::string(prefix_bytes_max + 1, 'a')));
  EXPECT_TRUE(check_prefix(""));
  EXPECT_TRUE(check_prefix("a\nb"));
}

TEST(ValueText, GuessesTypingErrorsOnly) {
  constexpr std::array<std::string_view, 4> known{"messages", "bytes", "host", "id"};
  EXPECT_EQ(closest_word("mesages", known), "messages");
  EXPECT_EQ(closest_word("messgaes", known), "messages");
  EXPECT_EQ(closest_word("hots", known), "host");
  EXPECT_EQ(closest_word("byte", known), "bytes");
  EXPECT_EQ(closest_word("hostel", known), std::nullopt);
  EXPECT_EQ(closest_word("ip", known), std::nullopt) << "half of a word is no guess";
  EXPECT_EQ(closest_word("", known), std::nullopt);
  EXPECT_EQ(closest_word(std::string(10'000, 'm'), known), std::nullopt);
}

TEST(ValueText, QuotedTextIsShortAndPrintable) {
  EXPECT_EQ(shown("a\x1b[31m\n"), "\"a?[31m?\"");
  EXPECT_EQ(shown(std::string(60, 'a')), "\"" + std::string(60, 'a') + "\"");
  EXPECT_EQ(shown(std::string(61, 'a')), "\"" + std::string(60, 'a') + "...\"");
  EXPECT_EQ(shown(std::string(59, 'a') + "\xc3\xbc"), "\"" + std::string(59, 'a') + "...\"")
      << "no half character";
}

}  // namespace
}  // namespace mallard::config
