#include "crypto/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/scratch_directory.h"

namespace mallard::crypto {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class KeyFile : public testing::Test {
 protected:
  [[nodiscard]] fs::path gateway_file() const { return key_file_path(directory_, KeyRole::gateway); }
  void overwrite(std::string_view text) const { std::ofstream(gateway_file()) << text; }
  [[nodiscard]] std::string loading_problem() const {
    const auto pair = load_key(directory_, KeyRole::gateway);
    return pair ? "none" : pair.error().what;
  }

  ScratchDirectory top_;
  fs::path directory_ = top_.path() / "keys";
};

TEST_F(KeyFile, loads_what_was_generated) {
  const auto made = generate_keys(directory_);
  ASSERT_TRUE(made.has_value());
  for (const KeyRole role : key_roles) {
    const auto pair = load_key(directory_, role);
    ASSERT_TRUE(pair.has_value()) << pair.error().what;
    EXPECT_EQ(pair->public_key(), (*made)[static_cast<std::size_t>(role)]);
  }
  EXPECT_NE((*made)[0], (*made)[1]);
  EXPECT_NE((*made)[1], (*made)[2]);
}

TEST_F(KeyFile, of_a_client_has_any_name) {
  const auto made = generate_client_key(directory_);
  ASSERT_TRUE(made.has_value());
  fs::rename(key_file_path(directory_, KeyRole::client), directory_ / "laptop");
  const auto pair = load_key_file(directory_ / "laptop");
  ASSERT_TRUE(pair.has_value()) << pair.error().what;
  EXPECT_EQ(pair->public_key(), *made);
  EXPECT_FALSE(load_key(directory_, KeyRole::gateway).has_value()) << "a client is no process";
}

TEST_F(KeyFile, gives_rights_to_the_owner_only) {
  ASSERT_TRUE(generate_keys(directory_).has_value());
  struct stat status {};
  ASSERT_EQ(::stat(directory_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  for (const KeyRole role : key_roles) {
    ASSERT_EQ(::stat(key_file_path(directory_, role).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
  }
}

TEST_F(KeyFile, never_overwrites) {
  ASSERT_TRUE(generate_keys(directory_).has_value());
  fs::remove(key_file_path(directory_, KeyRole::gateway));
  const auto again = generate_keys(directory_);
  ASSERT_FALSE(again.has_value());
  EXPECT_THAT(again.error().what, HasSubstr("replica.key: exists already"));
  EXPECT_FALSE(fs::exists(gateway_file())) << "a refused run leaves nothing behind";
}

TEST_F(KeyFile, refuses_files_that_others_can_read) {
  ASSERT_TRUE(generate_keys(directory_).has_value());
  for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
    ASSERT_EQ(::chmod(gateway_file().c_str(), mode), 0);
    EXPECT_THAT(loading_problem(), HasSubstr("lets others at the secret key"));
  }
  ASSERT_EQ(::chmod(gateway_file().c_str(), 0400), 0);
  EXPECT_EQ(loading_problem(), "none");
}

TEST_F(KeyFile, refuses_a_directory_that_others_can_write) {
  ASSERT_TRUE(generate_keys(directory_).has_value());
  ASSERT_EQ(::chmod(directory_.c_str(), 0770), 0);
  EXPECT_THAT(loading_problem(), HasSubstr("others may write to this directory"));
}

TEST_F(KeyFile, refuses_another_owner) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  ASSERT_TRUE(generate_keys(directory_).has_value());
  ASSERT_EQ(::chown(gateway_file().c_str(), 12'345, 12'345), 0);
  EXPECT_THAT(loading_problem(), HasSubstr("belongs to user 12345"));
}

TEST_F(KeyFile, refuses_links_and_what_is_not_a_file) {
  ASSERT_TRUE(generate_keys(directory_).has_value());
  fs::rename(gateway_file(), top_.path() / "elsewhere.key");
  fs::create_symlink(top_.path() / "elsewhere.key", gateway_file());
  EXPECT_THAT(loading_problem(), HasSubstr("symbolic link"));
  fs::remove(gateway_file());
  ASSERT_EQ(::mkfifo(gateway_file().c_str(), 0600), 0);
  EXPECT_THAT(loading_problem(), HasSubstr("not a regular file"));
}

TEST_F(KeyFile, says_what_to_do_when_there_is_none) {
  const auto pair = load_key(directory_, KeyRole::signing);
  ASSERT_FALSE(pair.has_value());
  EXPECT_THAT(pair.error().advice, HasSubstr("mallard keys generate"));
}

TEST_F(KeyFile, refuses_damaged_contents_without_quoting_them) {
  ASSERT_TRUE(generate_keys(directory_).has_value());
  std::stringstream original;
  original << std::ifstream(gateway_file()).rdbuf();
  const std::string good = original.str();
  const std::string damaged[] = {"",         "\n",        good.substr(0, 30), good.substr(1),
                                 good + "x", good + "\n", "ed25519" + good,   std::string(100'000, 'A')};
  for (const std::string& text : damaged) {
    overwrite(text);
    EXPECT_THAT(loading_problem(), HasSubstr("does not hold a key")) << text.substr(0, 10);
    EXPECT_THAT(loading_problem(), testing::Not(HasSubstr(good.substr(20, 10))));
  }
  overwrite(good.substr(0, good.size() - 1));
  EXPECT_EQ(loading_problem(), "none") << "the line end may be missing";
}

}  // namespace
}  // namespace mallard::crypto
