#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/value_text.h"
#include "tests/cli/program.h"
#include "tests/cli/temporary_folder.h"

namespace mallard::cli {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

TEST(Keys, GenerateMakesWhatShowShows) {
  const TemporaryFolder folder;
  const std::string directory = folder.path("east-0");
  const ProgramOutcome made = run_program({"keys", "generate", directory});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, MatchesRegex("gateway: \"ed25519:[A-Za-z0-9+/]+=\"\n"
                                     "replica: \"ed25519:[A-Za-z0-9+/]+=\"\n"
                                     "signing: \"ed25519:[A-Za-z0-9+/]+=\"\n"));
  EXPECT_EQ(made.err, "");
  const ProgramOutcome shown = run_program({"keys", "show", directory});
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_EQ(shown.out, made.out);
  const auto json = nlohmann::json::parse(run_program({"keys", "show", directory, "-o", "json"}).out);
  for (const char* role : {"gateway", "replica", "signing"}) {
    EXPECT_TRUE(config::parse_public_key(json[role].get<std::string>())) << role;
    EXPECT_THAT(made.out, HasSubstr(json[role].get<std::string>()));
  }
}

TEST(Keys, AClientHasOneKeyOfItsOwn) {
  const TemporaryFolder folder;
  const std::string directory = folder.path("laptop");
  const ProgramOutcome made = run_program({"keys", "generate", "--client", directory});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, MatchesRegex("key: \"ed25519:[A-Za-z0-9+/]+=\"\n"));
  EXPECT_EQ(run_program({"keys", "show", "--client", directory}).out, made.out);
  EXPECT_THAT(content_of(directory + "/client.key"), HasSubstr("ed25519-secret:"));
  EXPECT_EQ(run_program({"keys", "generate", "--client", directory}).exit_code, 5);
  EXPECT_EQ(run_program({"keys", "show", directory}).exit_code, 1) << "a client is no process";
}

TEST(Keys, SecretsStayInFilesOfTheirOwner) {
  const TemporaryFolder folder;
  const std::string directory = folder.path("east-0");
  const ProgramOutcome made = run_program({"keys", "generate", directory});
  for (const char* role : {"gateway", "replica", "signing"}) {
    const std::string path = directory + "/" + role + ".key";
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0) << path;
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    const std::string secret = content_of(path);
    ASSERT_GT(secret.size(), 50U);
    EXPECT_THAT(made.out, Not(HasSubstr(secret.substr(secret.size() - 20, 19))));
  }
}

TEST(Keys, AreNeverOverwritten) {
  const TemporaryFolder folder;
  const std::string directory = folder.path("east-0");
  ASSERT_EQ(run_program({"keys", "generate", directory}).exit_code, 0);
  const std::string before = content_of(directory + "/gateway.key");
  const ProgramOutcome again = run_program({"keys", "generate", directory});
  EXPECT_EQ(again.exit_code, 5);
  EXPECT_EQ(again.out, "");
  EXPECT_THAT(again.err, HasSubstr("gateway.key"));
  EXPECT_EQ(content_of(directory + "/gateway.key"), before);
}

TEST(Keys, ThatAreMissingAreAFailure) {
  const TemporaryFolder folder;
  const ProgramOutcome outcome = run_program({"keys", "show", folder.path("nothing")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("nothing"));
}

}  // namespace
}  // namespace mallard::cli
