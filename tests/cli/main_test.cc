// The command line as a whole: help, version, and what a line that makes no sense is answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/program.h"

namespace mallard::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Main, HelpAndVersionAreData) {
  const ProgramOutcome version = run_program({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, testing::MatchesRegex("mallard [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  EXPECT_EQ(version.err, "");
  const ProgramOutcome help = run_program({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("Configure:\n"), HasSubstr("validate  ")));
  EXPECT_EQ(help.err, "");
  EXPECT_EQ(run_program({"config", "template", "--help"}).exit_code, 0);
}

TEST(Main, ALineThatMakesNoSenseExitsTwoAndSaysWhy) {
  const auto refused = [](const std::vector<std::string>& arguments) {
    const ProgramOutcome outcome = run_program(arguments);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_THAT(refused({}), HasSubstr("Usage: mallard [OPTIONS] SUBCOMMAND"));
  EXPECT_THAT(refused({"config"}), HasSubstr("Usage: mallard config [OPTIONS] SUBCOMMAND"));
  EXPECT_EQ(refused({"validat"}),
            "mallard: there is no command \"validat\"; did you mean \"validate\"?\n"
            "Run 'mallard --help' to see what can be given.\n");
  EXPECT_THAT(refused({"config", "prnt"}),
              StartsWith("mallard config: there is no command \"prnt\"; did you mean"));
  EXPECT_THAT(refused({"conquer"}), StartsWith("mallard: there is no command \"conquer\"\n"));
  EXPECT_THAT(refused({"validate"}), HasSubstr("--config is required"));
  EXPECT_THAT(refused({"validate", "x", "--wat"}), HasSubstr("--wat"));
  EXPECT_THAT(refused({"validate", "x", "-o", "xml"}), HasSubstr("\"xml\" is neither table nor json"));
}

}  // namespace
}  // namespace mallard::cli
