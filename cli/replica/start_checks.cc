#include "cli/replica/start_checks.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>
#include <vector>

#include "crypto/key_file.h"

namespace mallard::cli {
namespace {

using rsm::journal::AmnesiaCause;

bool is_of_this_user(const std::filesystem::path& folder) {
  struct stat found {};
  return ::lstat(folder.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() &&
         (found.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

void complain(const std::string& what, const std::string& advice) {
  fmt::print(stderr, "mallard replica: {}; {}\n", what, advice);
}

void say_recovered(const rsm::journal::Recovered& recovered) {
  const auto say = [](const std::string& what) { fmt::print(stderr, "mallard replica: {}\n", what); };
  if (recovered.entries_damaged > 0) {
    say(fmt::format("{} entries of the journal are damaged and come from the others",
                    recovered.entries_damaged));
  }
  switch (recovered.amnesia) {
    case AmnesiaCause::none:
    case AmnesiaCause::fresh_store:
      return;
    case AmnesiaCause::superblock_lost:
      return say("a superblock of the journal cannot be read: what this replica promised is not known");
    case AmnesiaCause::superblock_regressed:
      return say("the superblocks of the journal are older than its records");
    case AmnesiaCause::tail_lost:
      return say("the journal lost the end of what it had made durable");
  }
}

std::optional<crypto::KeyPair> load_own_key(const config::Pairing& pairing, ReplicaAddress self,
                                            const std::filesystem::path& directory, ExitCode& exit_code) {
  auto key = crypto::load_key(directory, crypto::KeyRole::replica);
  if (!key) {
    complain(key.error().what, key.error().advice);
    exit_code = ExitCode::failed;
    return std::nullopt;
  }
  const config::ClusterSettings& cluster = pairing.clusters[self.cluster.value];
  if (key->public_key() != cluster.replicas[self.replica.value].keys.replica) {
    complain(fmt::format("{}: is not the replica key of {} {} in the configuration",
                         crypto::key_file_path(directory, crypto::KeyRole::replica).string(), cluster.name,
                         self.replica.value),
             "give --data the directory that belongs to this replica, or put `mallard keys show` of it in "
             "the file");
    exit_code = ExitCode::refused;
    return std::nullopt;
  }
  return std::move(*key);
}

Result<void, std::string> make_own_folder(const std::filesystem::path& folder, bool is_usual) {
  std::vector<std::filesystem::path> made{folder};
  if (is_usual) {
    made.insert(made.begin(), folder.parent_path());
  }
  for (const std::filesystem::path& one : made) {
    if (::mkdir(one.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
      return Failure<std::string>(
          fmt::format("{}: cannot be made: {}", one.string(), std::generic_category().message(errno)));
    }
    if (!is_of_this_user(one)) {
      return Failure<std::string>(
          fmt::format("{}: is not a directory of this user that nobody else may write", one.string()));
    }
  }
  return {};
}

}  // namespace mallard::cli
