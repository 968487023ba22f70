// What is checked, and said on stderr, while a replica starts.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/exit_code.h"
#include "config/base/result.h"
#include "config/pairing.h"
#include "crypto/key_pair.h"
#include "rsm/replica/journal/journal.h"

namespace mallard::cli {

// One line on stderr.
void complain(const std::string& what, const std::string& advice);

// What of the journal was not as it was left. An empty directory says nothing: who founds a cluster knows.
void say_recovered(const rsm::journal::Recovered& recovered);

// The replica's key in its directory. Where it is missing, cannot be used or is another replica's, why is
// printed and `exit_code` set.
[[nodiscard]] std::optional<crypto::KeyPair> load_own_key(const config::Pairing& pairing, ReplicaAddress self,
                                                          const std::filesystem::path& directory,
                                                          ExitCode& exit_code);

// Makes the folder of the memory where it is missing. Nobody else may write there: who can could offer memory
// in a replica's place. The usual one lies in one of this user, in a folder of all users. The error is a
// sentence.
[[nodiscard]] Result<void, std::string> make_own_folder(const std::filesystem::path& folder, bool is_usual);

}  // namespace mallard::cli
