#include "tests/tidy/include_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallard::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Headers that the planted files include.
SourceTree house_with(const std::string& path, const std::string& text) {
  SourceTree tree;
  for (const char* header :
       {"config/base/ids.h", "config/pairing.h", "config/contract/x.h", "config/system/x.h",
        "config/yaml/load.h", "crypto/digest.h", "bridge/core/event.h", "bridge/wire/encode.h",
        "bridge/gateway/gateway.h", "rsm/core/event.h", "rsm/replica/journal.h",
        "transport/channel/channel.h", "cli/table.h", "tests/sim/world.h", "tests/support/datadriven.h"}) {
    tree[header] = "";
  }
  tree[path] = text;
  return tree;
}

std::vector<Problem> includes_of(const std::string& path, const std::string& text) {
  return check_includes(house_with(path, text));
}

TEST(IncludeRules, what_the_layers_grant_is_clean) {
  EXPECT_THAT(includes_of("bridge/core/x.cc",
                          "#include <array>\n#include <tl/expected.hpp>\n"
                          "#include \"config/base/ids.h\"\n#include \"crypto/digest.h\"\n"
                          "#include \"bridge/core/event.h\"\n"),
              IsEmpty());
  EXPECT_THAT(includes_of("bridge/gateway/x.cc",
                          "#include <thread>\n#include <spdlog/spdlog.h>\n"
                          "#include \"bridge/wire/encode.h\"\n"
                          "#include \"transport/channel/channel.h\"\n"),
              IsEmpty());
  EXPECT_THAT(includes_of("cli/lab/x.cc", "#include \"tests/sim/world.h\"\n"), IsEmpty());
  EXPECT_THAT(includes_of("cli/x.cc", "#include \"config/yaml/load.h\"\n"), IsEmpty());
  EXPECT_THAT(includes_of("config/yaml/x.cc", "#include <yaml-cpp/yaml.h>\n#include \"config/pairing.h\"\n"),
              IsEmpty());
  EXPECT_THAT(includes_of("transport/channel/x.cc", "#include <asio.hpp>\n#include <openssl/ssl.h>\n"),
              IsEmpty());
}

TEST(IncludeRules, a_planted_include_against_the_layers_is_found) {
  const std::vector<std::pair<std::string, std::string>> planted{
      {"bridge/core/x.cc", "transport/channel/channel.h"},
      {"bridge/core/x.cc", "bridge/gateway/gateway.h"},
      {"bridge/core/x.cc", "bridge/wire/encode.h"},
      {"bridge/core/x.cc", "config/system/x.h"},
      {"config/system/x.cc", "config/pairing.h"},
      {"bridge/wire/x.cc", "rsm/core/event.h"},
      {"bridge/gateway/x.cc", "rsm/replica/journal.h"},
      {"rsm/replica/x.cc", "bridge/core/event.h"},
      {"transport/driver/x.h", "bridge/core/event.h"},
      {"transport/driver/x.h", "rsm/core/event.h"},
      {"crypto/x.cc", "transport/channel/channel.h"},
      {"config/x.cc", "crypto/digest.h"},
      {"config/base/x.h", "config/pairing.h"},
      {"config/x.cc", "config/yaml/load.h"},
      {"cli/x.cc", "tests/sim/world.h"},
      {"cli/lab/x.cc", "tests/support/datadriven.h"},
      {"bridge/gateway/x.cc", "config/yaml/load.h"},
      {"bridge/gateway/x.cc", "cli/table.h"},
  };
  for (const auto& [path, header] : planted) {
    const auto problems = includes_of(path, "\n#include \"" + header + "\"\n");
    ASSERT_EQ(problems.size(), 1U) << path << " includes " << header;
    EXPECT_EQ(problems.front().line, 2);
    EXPECT_THAT(problems.front().what, HasSubstr("may not include"));
  }
}

TEST(IncludeRules, a_planted_header_that_cores_must_not_know_is_found) {
  for (const char* header :
       {"thread", "mutex", "chrono", "random", "iostream", "unordered_map", "map", "functional", "string",
        "sys/socket.h", "unistd.h", "fmt/format.h", "spdlog/spdlog.h"}) {
    for (const char* path : {"bridge/core/x.h", "bridge/wire/x.cc", "rsm/core/x.cc", "rsm/core/cft/x.cc"}) {
      EXPECT_EQ(includes_of(path, "#include <" + std::string(header) + ">\n").size(), 1U)
          << path << " " << header;
    }
  }
}

TEST(IncludeRules, a_planted_library_outside_of_its_room_is_found) {
  const std::vector<std::pair<std::string, std::string>> planted{
      {"config/x.cc", "yaml-cpp/yaml.h"},
      {"bridge/gateway/x.cc", "asio.hpp"},
      {"bridge/gateway/x.cc", "asio/ssl.hpp"},
      {"cli/x.cc", "openssl/ssl.h"},
      {"transport/channel/x.cc", "sodium.h"},
      {"transport/memory/x.cc", "infiniband/verbs.h"},
      {"bridge/gateway/x.cc", "httplib.h"},
      {"crypto/x.cc", "spdlog/spdlog.h"},
      {"bridge/gateway/x.cc", "prometheus/gauge.h"},
      {"bridge/gateway/x.cc", "CLI/CLI.hpp"},
      {"cli/x.cc", "gtest/gtest.h"},
  };
  for (const auto& [path, header] : planted) {
    EXPECT_EQ(includes_of(path, "#include <" + header + ">\n").size(), 1U) << path << " " << header;
  }
}

TEST(IncludeRules, a_quoted_include_is_a_path_from_the_root) {
  const auto problems = includes_of("bridge/core/x.cc", "#include \"event.h\"\n");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_THAT(problems.front().what, HasSubstr("no path from the root"));
}

TEST(IncludeRules, a_planted_type_that_allocates_is_found_in_cores) {
  const SourceTree tree{{"bridge/core/x.h", "std::string_view a;\nstd::string b;\n// std::string c\n"},
                        {"bridge/wire/x.h", "std::function<void()> f;\n"},
                        {"bridge/gateway/x.h", "std::string fine;\n"}};
  EXPECT_THAT(check_core_types(tree),
              ElementsAre(Problem{"bridge/core/x.h", 2, "std::string has no place in a core or codec"},
                          Problem{"bridge/wire/x.h", 1, "std::function has no place in a core or codec"}));
}

}  // namespace
}  // namespace mallard::tidy
