#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/program.h"
#include "tests/cli/temporary_folder.h"

namespace mallard::cli {
namespace {

using testing::HasSubstr;

TEST(Config, TheTemplateValidatesAsItIs) {
  const TemporaryFolder folder;
  const ProgramOutcome start = run_program({"config", "template"});
  EXPECT_EQ(start.exit_code, 0);
  EXPECT_EQ(start.err, "");
  const ProgramOutcome check = run_program({"validate", folder.file("new.yaml", start.out)});
  EXPECT_EQ(check.exit_code, 0) << check.out;
}

TEST(Config, PrintedIsAFixedPoint) {
  const TemporaryFolder folder;
  const ProgramOutcome once =
      run_program({"config", "print"}, {{"MALLARD_CONFIG", "config/examples/two_clusters.yaml"}});
  EXPECT_EQ(once.exit_code, 0);
  EXPECT_THAT(once.out, HasSubstr("window: {messages: 4096, bytes: 64MiB}\n"));
  const ProgramOutcome twice =
      run_program({"config", "print", "--config", folder.file("printed.yaml", once.out)});
  EXPECT_EQ(twice.exit_code, 0);
  EXPECT_EQ(twice.out, once.out);
}

TEST(Config, PrintTellsProblemsOnStderr) {
  const ProgramOutcome outcome =
      run_program({"config", "print", "tests/config/yaml/testdata/broken/id_gap.yaml"});
  EXPECT_EQ(outcome.exit_code, 78);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("id_gap.yaml:16:13: the ids of cluster \"east\" leave out 2; "));
}

}  // namespace
}  // namespace mallard::cli
