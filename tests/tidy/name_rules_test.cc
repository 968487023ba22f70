#include "tests/tidy/name_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallard::tidy {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(NameRules, names_that_say_something_are_clean) {
  EXPECT_THAT(check_names({{"bridge/core/data_frame.h", "struct DataFrame {};\nclass SignalHandler;\n"},
                           {"config/base/ids.h", "enum class Kind { none };\n// class FooManager\n"},
                           {"config/database.h", "class Database;\nusing Informer = int;\n"}}),
              IsEmpty());
}

TEST(NameRules, a_planted_type_that_says_nothing_is_found) {
  for (const char* name : {"LinkManager", "LinkHelper", "LinkUtil", "LinkImpl", "LinkBase", "LinkInfo",
                           "LinkData", "Handler", "FrameProcessor", "link_info"}) {
    EXPECT_THAT(check_names({{"crypto/x.h", "struct " + std::string(name) + " {};\n"}}), SizeIs(1)) << name;
    EXPECT_THAT(check_names({{"crypto/x.h", "enum class " + std::string(name) + " {};\n"}}), SizeIs(1))
        << name;
    EXPECT_THAT(check_names({{"crypto/x.h", "using " + std::string(name) + " = int;\n"}}), SizeIs(1)) << name;
  }
}

TEST(NameRules, a_planted_file_that_says_nothing_is_found) {
  for (const char* path :
       {"crypto/util.h", "crypto/string_utils.h", "crypto/key_manager.cc", "crypto/key_data.h"}) {
    EXPECT_THAT(check_names({{path, ""}}), SizeIs(1)) << path;
  }
}

TEST(NameRules, planted_constructs_are_found) {
  const std::vector<std::pair<std::string, std::string>> planted{
      {"crypto/x.h", "int a;\n"},
      {"crypto/x.h", "#pragma once\nusing namespace std;\n"},
      {"crypto/x.cc", "assert(a);\n"},
      {"crypto/x.cc", "auto s = std::format(\"\");\n"},
      {"crypto/x.cc", "co_await task;\n"},
      {"bridge/wire/x.cc", "auto* p = reinterpret_cast<int*>(q);\n"},
      {"tests/crypto/x_test.cc", "std::this_thread::sleep_for(one_second);\n"},
  };
  for (const auto& [path, text] : planted) EXPECT_THAT(check_constructs({{path, text}}), SizeIs(1)) << text;
}

TEST(NameRules, constructs_in_their_place_are_clean) {
  EXPECT_THAT(check_constructs({{"crypto/x.h", "// Why.\n#pragma once\n"},
                                {"crypto/x.cc", "static_assert(true);\nreinterpret_cast<int*>(p);\n"},
                                {"transport/driver/x.cc", "sleep_for(pause);\n"},
                                {"tests/crypto/x_test.cc", "// sleep_for is banned\n\"co_await\";\n"}}),
              IsEmpty());
}

}  // namespace
}  // namespace mallard::tidy
