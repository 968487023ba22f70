#include "tests/tidy/text_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallard::tidy {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(TextRules, what_is_within_the_limits_is_clean) {
  EXPECT_THAT(check_lengths({{"crypto/x.cc", repeated("\n", source_lines_max)},
                             {"crypto/x.h", repeated("x", line_columns_max) + "\n"},
                             {"crypto/phi.h", repeated("\xCF\x86", line_columns_max) + "\n"},
                             {"README.md", repeated("x", 500) + "\n"}}),
              IsEmpty());
}

TEST(TextRules, planted_lengths_are_found) {
  EXPECT_THAT(check_lengths({{"crypto/x.cc", repeated("\n", source_lines_max + 1)}}), SizeIs(1));
  EXPECT_THAT(check_lengths({{"crypto/x.h", repeated("x", line_columns_max + 1) + "\n"}}), SizeIs(1));
}

TEST(TextRules, functions_within_the_limit_and_long_tables_are_clean) {
  const std::string body = repeated("  x;\n", function_lines_max - 2);
  EXPECT_THAT(
      check_functions({{"crypto/a.cc", "namespace a {\nvoid f(int x) {\n" + body + "}\n" + body + "}\n"},
                       {"crypto/b.h", "class B {\n" + body + body + "};\n"},
                       {"crypto/c.h", "struct alignas(64) C {\n" + body + body + "};\n"},
                       {"crypto/d.cc", "constexpr std::array d{\n" + body + body + "};\n"}}),
      IsEmpty());
}

TEST(TextRules, planted_long_functions_are_found) {
  const std::string body = repeated("  if (x) {\n  }\n", function_lines_max / 2);
  const std::vector<std::string> heads{
      "void f() {\n", "namespace a {\nclass B {\n  int f() const noexcept {\n",
      "B::B(int c)\n    : c_(c) {\n", "TEST(B, c) {\n", "struct R f(int a, int b) {\n"};
  for (const std::string& head : heads) {
    const auto problems = check_functions({{"crypto/x.cc", head + body + "}\n"}});
    ASSERT_THAT(problems, SizeIs(1)) << head;
    EXPECT_THAT(problems.front().what, ::testing::HasSubstr("a function of 72 lines")) << head;
  }
}

TEST(TextRules, ordinary_texts_are_clean) {
  EXPECT_THAT(check_leftovers({{"crypto/x.cc",
                                "// see https://x.y/ho"
                                "me/page and a/wo"
                                "rk/b\n"},
                               {"a.bin", std::string("\0 ", 2)},
                               {"tests/mutants/x.patch", "-a \n"},
                               {"empty.txt", ""}}),
              IsEmpty());
}

TEST(TextRules, planted_leftovers_are_found) {
  // Put together here, so that this file passes the check itself.
  const std::vector<std::string> planted{std::string("// TO") + "DO: later\n",
                                         std::string("# FIX") + "ME\n",
                                         std::string("cd /ho") + "me/someone/mallard\n",
                                         std::string("\"/wo") + "rk/main\"\n",
                                         "ends in a blank \n",
                                         "carriage return\r\n",
                                         "no newline at the end"};
  for (const std::string& text : planted)
    EXPECT_THAT(check_leftovers({{"crypto/x.cc", text}}), SizeIs(1)) << text;
  EXPECT_THAT(check_leftovers({{"a.bin", std::string(file_bytes_max + 1, '\0')}}), SizeIs(1));
}

}  // namespace
}  // namespace mallard::tidy
